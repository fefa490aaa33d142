use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::line::LINE_OCTETS_MAX;
use crate::error::Error;
use crate::examiner::named;

/// Lines of a file or of standard input.
pub(super) struct Source {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    octets: Option<u64>,
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Without its end; `None` if it is longer than [`LINE_OCTETS_MAX`].
    pub(super) text: Option<Vec<u8>>,
    /// How long it was, with its end.
    pub(super) octets: u64,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        if path == Path::new("-") {
            let reader = Box::new(BufReader::new(io::stdin()));
            return Ok(Self { reader, path: named(path), octets: None });
        }
        let file = File::open(path)
            .and_then(|file| file.metadata().map(|metadata| (file, metadata)))
            .map_err(|source| Error::Unreadable { path: path.to_owned(), source });
        let (file, metadata) = file?;
        let octets = metadata.is_file().then_some(metadata.len());
        Ok(Self { reader: Box::new(BufReader::new(file)), path: path.to_owned(), octets })
    }

    /// How long it is, where that is known.
    pub(super) fn octets(&self) -> Option<u64> {
        self.octets
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Read>, Error> {
        next(&mut self.reader)
            .map_err(|source| Error::Unreadable { path: self.path.clone(), source })
    }
}

/// Reads up to the end of the line, and keeps no more of it than may be.
fn next(reader: &mut impl BufRead) -> io::Result<Option<Read>> {
    let mut text = Some(Vec::new());
    let mut octets = 0;
    loop {
        let buffer = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let end = memchr::memchr(b'\n', buffer);
        let taken = end.map_or(buffer.len(), |end| end + 1);
        if taken == 0 {
            return Ok((octets > 0).then_some(Read { text, octets }));
        }
        let part = &buffer[..end.unwrap_or(taken)];
        match &mut text {
            Some(line) if line.len() + part.len() <= LINE_OCTETS_MAX => {
                line.extend_from_slice(part);
            }
            _ => text = None,
        }
        octets += taken as u64;
        reader.consume(taken);
        if end.is_some() {
            return Ok(Some(Read { text, octets }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Read> {
        // A small buffer, so that lines come in parts.
        let mut reader = BufReader::with_capacity(7, text);
        std::iter::from_fn(|| next(&mut reader).unwrap()).collect()
    }

    fn line(text: &[u8], octets: u64) -> Read {
        Read { text: Some(text.to_vec()), octets }
    }

    #[test]
    fn lines_with_and_without_an_end() {
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"\n"), [line(b"", 1)]);
        assert_eq!(
            lines(b"one\na longer line\n\nlast"),
            [line(b"one", 4), line(b"a longer line", 14), line(b"", 1), line(b"last", 4),]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept() {
        let fits = vec![b'x'; LINE_OCTETS_MAX];
        let text = [&fits, b"\n".as_slice(), &fits, b"x\nnext\n"].concat();
        let lines = lines(&text);
        assert_eq!(lines[0].text.as_ref(), Some(&fits));
        assert_eq!(lines[1], Read { text: None, octets: LINE_OCTETS_MAX as u64 + 2 });
        assert_eq!(lines[2], line(b"next", 5));
    }
}
