use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at once.
const CHUNK_OCTETS: usize = 64 * 1024;

/// Lines as they come, of which no more is kept than may be.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer is done with.
    start: usize,
    /// What of the buffer was searched for an end.
    searched: usize,
    octets_max: usize,
    /// The rest of a line that was too long is passed over.
    is_skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, octets_max: usize) -> Self {
        let buffer = Vec::with_capacity(CHUNK_OCTETS);
        Self { reader, buffer, start: 0, searched: 0, octets_max, is_skipping: false }
    }

    /// The next line without its end, and whether it was longer than may be and this is its
    /// beginning. None: more must be read.
    pub(super) fn next(&mut self) -> Option<(&[u8], bool)> {
        loop {
            let fresh = &self.buffer[self.searched..];
            let end = fresh.iter().position(|octet| *octet == b'\n').map(|at| self.searched + at);
            let (from, skips) = (self.start, self.is_skipping);
            match end {
                Some(end) => {
                    (self.start, self.searched, self.is_skipping) = (end + 1, end + 1, false);
                    if skips {
                        continue;
                    }
                    let length = (end - from).min(self.octets_max);
                    return Some((&self.buffer[from..from + length], end - from > length));
                }
                None if skips => {
                    (self.start, self.searched) = (self.buffer.len(), self.buffer.len());
                    return None;
                }
                None if self.buffer.len() - from > self.octets_max => {
                    self.is_skipping = true;
                    (self.start, self.searched) = (self.buffer.len(), self.buffer.len());
                    return Some((&self.buffer[from..from + self.octets_max], true));
                }
                None => {
                    self.searched = self.buffer.len();
                    return None;
                }
            }
        }
    }

    /// Reads more; nothing: there is nothing more. What was read is not lost if nobody waits any
    /// longer.
    pub(super) async fn read(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.reserve(CHUNK_OCTETS);
        self.reader.read_buf(&mut self.buffer).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8], octets_max: usize) -> Vec<(Vec<u8>, bool)> {
        // In parts, as they may come.
        let reader = in_parts(text);
        let mut lines = Lines::new(reader, octets_max);
        let mut all = Vec::new();
        loop {
            while let Some((line, is_cut)) = lines.next() {
                all.push((line.to_vec(), is_cut));
            }
            if lines.read().await.unwrap() == 0 {
                return all;
            }
        }
    }

    /// Gives a few octets at a time.
    fn in_parts(text: &[u8]) -> impl AsyncRead + Unpin + use<> {
        let (mut writer, reader) = tokio::io::duplex(7);
        let text = text.to_vec();
        tokio::spawn(async move { tokio::io::AsyncWriteExt::write_all(&mut writer, &text).await });
        reader
    }

    #[tokio::test]
    async fn lines_have_an_end() {
        let all = lines(b"one\n\na longer line\nno end", 100).await;
        let texts: Vec<&[u8]> = all.iter().map(|(line, _)| line.as_slice()).collect();
        assert_eq!(texts, [&b"one"[..], b"", b"a longer line"]);
        assert!(all.iter().all(|(_, is_cut)| !is_cut));
    }

    #[tokio::test]
    async fn of_a_line_that_is_too_long_the_beginning_is_kept() {
        let text = [&[b'x'; 50][..], b"\nnext\n", &[b'y'; 10], b"\n", &[b'z'; 11], b"\nlast\n"];
        let all = lines(&text.concat(), 10).await;
        let expected: [(&[u8], bool); 5] = [
            (&[b'x'; 10], true),
            (b"next", false),
            (&[b'y'; 10], false),
            (&[b'z'; 10], true),
            (b"last", false),
        ];
        let expected: Vec<_> = expected.iter().map(|(line, cut)| (line.to_vec(), *cut)).collect();
        assert_eq!(all, expected);
    }
}
