//! Strict line framing: only CRLF ends a line.

use memchr::memchr2;

/// The longest command line, in octets before its CRLF: the 512 of RFC 5321 section 4.5.3.1.4 with
/// room for the parameters of SIZE, DSN (RFC 3461 section 5), AUTH, SMTPUTF8 and SUBMITTER.
pub const COMMAND_LINE_OCTETS_MAX: usize = 2048;

/// The longest line inside a message, in octets before its CRLF. RFC 5321 promises 998; longer ones
/// are common and pass unchanged up to here.
pub const DATA_LINE_OCTETS_MAX: usize = 65_536;

/// Why octets are not lines. RFC 5321 section 2.3.8: CR and LF stand only together, as CRLF; a peer
/// that takes less for a line end sees other commands than we do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LineError {
    /// CR without LF.
    #[error("a bare CR was received; only CRLF ends a line")]
    BareCr,
    /// LF without CR.
    #[error("a bare LF was received; only CRLF ends a line")]
    BareLf,
    /// More octets than a line may have.
    #[error("a line is too long")]
    TooLong,
}

/// Finds lines in input that arrives in any pieces.
#[derive(Debug, Clone)]
pub struct LineDecoder {
    octets_max: usize,
    scanned: usize,
}

impl LineDecoder {
    /// A decoder of lines of at most so many octets before their CRLF.
    pub fn new(octets_max: usize) -> Self {
        Self { octets_max, scanned: 0 }
    }

    /// The line at the head of `input`, without its CRLF: it takes its length and two octets of the
    /// input. `None`: call again with the same input and more behind it.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Option<&'a [u8]>, LineError> {
        let window = &input[..input.len().min(self.octets_max + 1)];
        let Some(found) = memchr2(b'\r', b'\n', &window[self.scanned..]) else {
            self.scanned = window.len();
            return if window.len() > self.octets_max { Err(LineError::TooLong) } else { Ok(None) };
        };
        let at = self.scanned + found;
        match (input[at], input.get(at + 1)) {
            (b'\n', _) => Err(LineError::BareLf),
            (_, Some(b'\n')) => {
                self.scanned = 0;
                Ok(Some(&input[..at]))
            }
            (_, Some(_)) => Err(LineError::BareCr),
            (_, None) => {
                self.scanned = at;
                Ok(None)
            }
        }
    }

    /// Begins a new line at the head of the next input.
    pub fn reset(&mut self) {
        self.scanned = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(input: &[u8]) -> Result<Option<&[u8]>, LineError> {
        LineDecoder::new(8).decode(input)
    }

    #[test]
    fn only_crlf_ends_a_line() {
        assert_eq!(decode(b"NOOP\r\nQUIT"), Ok(Some(&b"NOOP"[..])));
        assert_eq!(decode(b"\r\n"), Ok(Some(&b""[..])));
        assert_eq!(decode(b"NOOP\nQUIT"), Err(LineError::BareLf));
        assert_eq!(decode(b"NOOP\rQUIT"), Err(LineError::BareCr));
        assert_eq!(decode(b"NOOP\r\r\n"), Err(LineError::BareCr));
        assert_eq!(decode(b"NOOP\r"), Ok(None));
    }

    #[test]
    fn the_bound_is_exact() {
        assert_eq!(decode(b"12345678\r\n"), Ok(Some(&b"12345678"[..])));
        assert_eq!(decode(b"123456789"), Err(LineError::TooLong));
        assert_eq!(decode(b"12345678"), Ok(None));
    }

    #[test]
    fn a_line_may_come_octet_by_octet() {
        let mut decoder = LineDecoder::new(8);
        let input = b"NOOP\r\n";
        for end in 0..input.len() {
            assert_eq!(decoder.decode(&input[..end]), Ok(None));
        }
        assert_eq!(decoder.decode(input), Ok(Some(&b"NOOP"[..])));
        assert_eq!(decoder.decode(b"A\r\n"), Ok(Some(&b"A"[..])));
    }
}
