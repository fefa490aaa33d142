//! The content of a message on the wire: DATA (RFC 5321 section 4.5.2) and BDAT (RFC 3030).

use memchr::{memchr2, memmem};

use crate::line::{DATA_LINE_OCTETS_MAX, LineError};

/// What a decoder took from the head of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// How many octets of the input are done with.
    pub consumed: usize,
    /// What of them is content.
    pub content: &'a [u8],
    /// Content ends here. What follows in the input is no longer its.
    pub end: bool,
}

/// Decodes what follows DATA: undoes dot-stuffing, ends at CRLF.CRLF exactly, and refuses every
/// bare CR and LF, so that nothing else can be taken for an end.
#[derive(Debug, Clone, Default)]
pub struct DataDecoder {
    line_octets: usize,
    inside_line: bool,
}

impl DataDecoder {
    /// A decoder that stands behind the CRLF of the DATA command.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what can be told from the head of `input`. When nothing was consumed, more is needed.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<'a>, LineError> {
        let mut start = 0;
        if !self.inside_line && input.first() == Some(&b'.') {
            match input {
                [b'.'] | [b'.', b'\r'] => return Ok(nothing()),
                [b'.', b'\r', b'\n', ..] => {
                    return Ok(Decoded { consumed: 3, content: &[], end: true });
                }
                [_, b'\r', ..] => return Err(LineError::BareCr),
                _ => {}
            }
            start = 1;
            self.inside_line = true;
        }
        let end = self.scan(input, start)?;
        Ok(Decoded { consumed: end, content: &input[start..end], end: false })
    }

    /// The end of the content that is contiguous in the input: before a dot that begins a line, a
    /// CR whose LF has not come, or the end of the input.
    fn scan(&mut self, input: &[u8], start: usize) -> Result<usize, LineError> {
        let mut at = start;
        loop {
            let Some(found) = memchr2(b'\r', b'\n', &input[at..]) else {
                self.count(input.len() - at)?;
                return Ok(input.len());
            };
            self.count(found)?;
            at += found;
            match (input[at], input.get(at + 1)) {
                (b'\n', _) => return Err(LineError::BareLf),
                (_, Some(b'\n')) => at += 2,
                (_, Some(_)) => return Err(LineError::BareCr),
                (_, None) => return Ok(at),
            }
            self.line_octets = 0;
            self.inside_line = false;
            if matches!(input.get(at), None | Some(b'.')) {
                return Ok(at);
            }
        }
    }

    fn count(&mut self, octets: usize) -> Result<(), LineError> {
        self.inside_line |= octets > 0;
        self.line_octets += octets;
        if self.line_octets > DATA_LINE_OCTETS_MAX { Err(LineError::TooLong) } else { Ok(()) }
    }
}

fn nothing() -> Decoded<'static> {
    Decoded { consumed: 0, content: &[], end: false }
}

/// Decodes the chunks of BDAT. Content is checked for bare CR and LF across the chunks' borders,
/// because it may go on by DATA, where they would be ambiguous.
#[derive(Debug, Clone, Default)]
pub struct BdatDecoder {
    remaining: u64,
    last: bool,
    after_cr: bool,
    line_octets: usize,
}

impl BdatDecoder {
    /// A decoder before the first chunk of a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a chunk of so many octets.
    pub fn begin(&mut self, octets: u64, last: bool) {
        self.remaining = octets;
        self.last = last;
    }

    /// How many octets of this chunk are still to come.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Takes what belongs to this chunk. `end` is the end of the chunk, not of the message.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<'a>, LineError> {
        let content = self.skip(input).content;
        self.check(content)?;
        let end = self.remaining == 0;
        if end && self.last && self.after_cr {
            return Err(LineError::BareCr);
        }
        Ok(Decoded { consumed: content.len(), content, end })
    }

    /// As [`BdatDecoder::decode`], but asks nothing of the content: for a chunk that is thrown
    /// away.
    pub fn skip<'a>(&mut self, input: &'a [u8]) -> Decoded<'a> {
        let octets = usize::try_from(self.remaining).map_or(input.len(), |n| n.min(input.len()));
        self.remaining -= octets as u64;
        Decoded { consumed: octets, content: &input[..octets], end: self.remaining == 0 }
    }

    fn check(&mut self, mut content: &[u8]) -> Result<(), LineError> {
        if self.after_cr && !content.is_empty() {
            if content[0] != b'\n' {
                return Err(LineError::BareCr);
            }
            self.after_cr = false;
            self.line_octets = 0;
            content = &content[1..];
        }
        while let Some(at) = memchr2(b'\r', b'\n', content) {
            self.count(at)?;
            match (content[at], content.get(at + 1)) {
                (b'\n', _) => return Err(LineError::BareLf),
                (_, Some(b'\n')) => content = &content[at + 2..],
                (_, Some(_)) => return Err(LineError::BareCr),
                (_, None) => {
                    self.after_cr = true;
                    return Ok(());
                }
            }
            self.line_octets = 0;
        }
        self.count(content.len())
    }

    fn count(&mut self, octets: usize) -> Result<(), LineError> {
        self.line_octets += octets;
        if self.line_octets > DATA_LINE_OCTETS_MAX { Err(LineError::TooLong) } else { Ok(()) }
    }
}

/// Encodes content for DATA: dot-stuffing and the end. The content's lines end in CRLF.
#[derive(Debug, Clone)]
pub struct DataEncoder {
    line_start: bool,
}

impl DataEncoder {
    /// An encoder before the first octet.
    pub fn new() -> Self {
        Self { line_start: true }
    }

    /// Appends a piece of the content to `out`.
    pub fn encode(&mut self, content: &[u8], out: &mut Vec<u8>) {
        let Some(last) = content.last() else { return };
        if self.line_start && content[0] == b'.' {
            out.push(b'.');
        }
        let mut copied = 0;
        for at in memmem::find_iter(content, b"\n.") {
            out.extend_from_slice(&content[copied..=at]);
            out.push(b'.');
            copied = at + 1;
        }
        out.extend_from_slice(&content[copied..]);
        self.line_start = *last == b'\n';
    }

    /// Appends the end, and before it the CRLF that a BDAT message may lack.
    pub fn finish(self, out: &mut Vec<u8>) {
        if !self.line_start {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

impl Default for DataEncoder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `input` in the given pieces, as a session does: what is not consumed comes again.
    fn decode(input: &[u8], borders: &[usize]) -> Result<(Vec<u8>, Option<usize>), LineError> {
        let mut decoder = DataDecoder::new();
        let mut content = Vec::new();
        let mut at = 0;
        for end in borders.iter().map(|border| *border.min(&input.len())).chain([input.len()]) {
            while at < end {
                let decoded = decoder.decode(&input[at..end])?;
                content.extend_from_slice(decoded.content);
                at += decoded.consumed;
                if decoded.end {
                    return Ok((content, Some(at)));
                }
                if decoded.consumed == 0 {
                    break;
                }
            }
        }
        Ok((content, None))
    }

    fn whole(input: &[u8]) -> Result<(Vec<u8>, Option<usize>), LineError> {
        decode(input, &[])
    }

    #[test]
    fn data_ends_at_its_dot_alone() {
        assert_eq!(whole(b".\r\n"), Ok((vec![], Some(3))));
        assert_eq!(whole(b"a\r\n.\r\nQUIT\r\n"), Ok((b"a\r\n".to_vec(), Some(6))));
        assert_eq!(whole(b"..\r\n.\r\n"), Ok((b".\r\n".to_vec(), Some(7))));
        assert_eq!(whole(b".a\r\na.\r\n.\r\n"), Ok((b"a\r\na.\r\n".to_vec(), Some(11))));
    }

    #[test]
    fn no_smuggling_sequence_is_an_end() {
        for (sequence, error) in [
            (&b"a\n.\nb"[..], LineError::BareLf),
            (b"a\r.\rb", LineError::BareCr),
            (b"a\r\n.\nb", LineError::BareLf),
            (b"a\n.\r\nb", LineError::BareLf),
            (b"a\r\n.\r\r\nb", LineError::BareCr),
            (b"a\r\n.\rb", LineError::BareCr),
            (b"a\r.\r\nb", LineError::BareCr),
        ] {
            assert_eq!(whole(sequence), Err(error), "{}", sequence.escape_ascii());
            let borders: Vec<usize> = (0..sequence.len()).collect();
            assert_eq!(decode(sequence, &borders), Err(error), "{}", sequence.escape_ascii());
        }
    }

    #[test]
    fn the_longest_line_passes() {
        let mut line = vec![b'x'; DATA_LINE_OCTETS_MAX];
        line.extend_from_slice(b"\r\n.\r\n");
        assert_eq!(whole(&line).unwrap().1, Some(line.len()));
        line.insert(0, b'x');
        assert_eq!(whole(&line), Err(LineError::TooLong));
        let mut bdat = BdatDecoder::new();
        bdat.begin(line.len() as u64, true);
        assert_eq!(bdat.decode(&line), Err(LineError::TooLong));
    }

    fn chunks(chunks: &[&[u8]]) -> Result<Vec<u8>, LineError> {
        let mut decoder = BdatDecoder::new();
        let mut content = Vec::new();
        for (index, chunk) in chunks.iter().enumerate() {
            decoder.begin(chunk.len() as u64, index + 1 == chunks.len());
            let decoded = decoder.decode(chunk)?;
            assert!(decoded.end);
            content.extend_from_slice(decoded.content);
        }
        Ok(content)
    }

    #[test]
    fn chunks_are_checked_across_their_borders() {
        assert_eq!(chunks(&[b"a\r", b"\nb\r\n"]), Ok(b"a\r\nb\r\n".to_vec()));
        assert_eq!(chunks(&[b"a\r", b"", b"\nb"]), Ok(b"a\r\nb".to_vec()));
        assert_eq!(chunks(&[b"a\r", b"b"]), Err(LineError::BareCr));
        assert_eq!(chunks(&[b"a\r"]), Err(LineError::BareCr));
        assert_eq!(chunks(&[b"a", b"\nb"]), Err(LineError::BareLf));
        assert_eq!(chunks(&[b"a\r\n.\r\nb"]), Ok(b"a\r\n.\r\nb".to_vec()));
    }

    #[test]
    fn a_chunk_takes_no_more_than_its_size() {
        let mut decoder = BdatDecoder::new();
        decoder.begin(3, false);
        let decoded = decoder.decode(b"abcQUIT\r\n").unwrap();
        assert_eq!((decoded.consumed, decoded.content, decoded.end), (3, &b"abc"[..], true));
    }

    #[test]
    fn the_encoder_completes_the_last_line() {
        let mut out = Vec::new();
        let mut encoder = DataEncoder::new();
        encoder.encode(b".a\r\n.", &mut out);
        encoder.encode(b"b", &mut out);
        encoder.finish(&mut out);
        assert_eq!(out, b"..a\r\n..b\r\n.\r\n");
    }

    /// Octets in which line ends and dots are common.
    fn noise() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), any::<u8>()],
            0..64,
        )
    }

    fn lines() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec("[.a\u{e4}]{0,4}", 0..8).prop_map(|lines| {
            lines.into_iter().flat_map(|line| (line + "\r\n").into_bytes()).collect()
        })
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(
            input in noise(),
            borders in prop::collection::vec(0usize..64, 0..8),
        ) {
            let mut borders = borders;
            borders.sort_unstable();
            prop_assert_eq!(decode(&input, &borders), whole(&input));
        }

        #[test]
        fn what_is_encoded_decodes(content in lines(), border in 0usize..32) {
            let border = border.min(content.len());
            let mut wire = Vec::new();
            let mut encoder = DataEncoder::new();
            encoder.encode(&content[..border], &mut wire);
            encoder.encode(&content[border..], &mut wire);
            encoder.finish(&mut wire);
            // A border inside CRLF is no matter for the encoder either.
            let length = wire.len();
            prop_assert_eq!(whole(&wire), Ok((content, Some(length))));
        }

        #[test]
        fn chunk_borders_change_nothing(content in noise(), border in 0usize..64) {
            let border = border.min(content.len());
            let split = chunks(&[&content[..border], &content[border..]]);
            prop_assert_eq!(split, chunks(&[&content]));
        }
    }
}
