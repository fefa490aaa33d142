//! The tokens of structured header fields: comments, folding, quoted-strings (RFC 5322 section
//! 3.2).

/// The octets do not follow the grammar, hold a control octet, or end too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Goes over a field body once, from left to right. No octet is looked at before its turn, so a
/// body is readable up to its first fault.
pub(crate) struct Scanner<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, octet: u8) -> Result<(), Malformed> {
        if self.take(octet) { Ok(()) } else { Err(Malformed) }
    }

    /// Octets for which `accept` holds; none is an error.
    pub(crate) fn run(&mut self, accept: impl Fn(u8) -> bool) -> Result<&'a str, Malformed> {
        let rest = &self.octets[self.at..];
        let length = rest.iter().position(|octet| !accept(*octet)).unwrap_or(rest.len());
        self.at += length;
        if length == 0 {
            return Err(Malformed);
        }
        std::str::from_utf8(&rest[..length]).map_err(|_| Malformed)
    }

    /// Passes blanks, folding and comments.
    pub(crate) fn skip_cfws(&mut self) -> Result<(), Malformed> {
        loop {
            self.skip_fws()?;
            if self.peek() != Some(b'(') {
                return Ok(());
            }
            self.comment()?;
        }
    }

    /// Passes blanks and folding.
    pub(crate) fn skip_fws(&mut self) -> Result<(), Malformed> {
        while let Some(octet) = self.peek() {
            match octet {
                b' ' | b'\t' => self.at += 1,
                b'\r' | b'\n' => self.line_end()?,
                _ => break,
            }
        }
        Ok(())
    }

    /// A comment with the comments inside it. What is between its outer parentheses comes back as
    /// it was written, with the octets of its folding and its quoted-pairs.
    pub(crate) fn comment(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'(')?;
        let start = self.at;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.peek().ok_or(Malformed)? {
                b'\\' => {
                    self.at += 1;
                    self.text_octet()?;
                }
                b'(' => {
                    depth += 1;
                    self.at += 1;
                }
                b')' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ => self.text_octet()?,
            }
        }
        Ok(&self.octets[start..self.at - 1])
    }

    /// A quoted-string, without its quotes, escapes and line ends.
    pub(crate) fn quoted_string(&mut self) -> Result<String, Malformed> {
        self.expect(b'"')?;
        let mut content = Vec::new();
        loop {
            let octet = self.peek().ok_or(Malformed)?;
            match octet {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    content.push(self.peek().ok_or(Malformed)?);
                    if matches!(self.peek(), Some(b'\r' | b'\n')) {
                        return Err(Malformed);
                    }
                }
                b'\r' | b'\n' => {}
                _ => content.push(octet),
            }
            self.text_octet()?;
        }
        self.at += 1;
        String::from_utf8(content).map_err(|_| Malformed)
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.octets.len()
    }

    /// What has been passed since `start`.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        &self.octets[start..self.at]
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes back to where it was.
    pub(crate) fn back_to(&mut self, position: usize) {
        self.at = self.at.min(position);
    }

    /// One octet of text, or a line end with the blank that makes it folding.
    fn text_octet(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'\r' | b'\n' => self.line_end(),
            octet if octet.is_ascii_control() && octet != b'\t' => Err(Malformed),
            _ => {
                self.at += 1;
                Ok(())
            }
        }
    }

    /// CRLF, or the LF alone that some interfaces hand on: folding if a blank follows, else the end
    /// of the field.
    fn line_end(&mut self) -> Result<(), Malformed> {
        self.take(b'\r');
        self.expect(b'\n')?;
        match self.peek() {
            None | Some(b' ' | b'\t') => Ok(()),
            Some(_) => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_nest_without_recursion() {
        let deep = [vec![b'('; 60_000], vec![b')'; 60_000]].concat();
        let mut scanner = Scanner::new(&deep);
        scanner.skip_cfws().unwrap();
        assert!(scanner.at_end());
        assert_eq!(Scanner::new(b"((a) \\) b)").comment(), Ok(&b"(a) \\) b"[..]));
        assert_eq!(Scanner::new(b"((a)").comment(), Err(Malformed));
        assert_eq!(Scanner::new(b"(a\0)").comment(), Err(Malformed));
    }

    #[test]
    fn folding_is_a_line_end_before_a_blank() {
        for (octets, ok) in
            [("\r\n a", true), ("\n\ta", true), ("\r\n", true), ("\r\na", false), ("\r a", false)]
        {
            assert_eq!(Scanner::new(octets.as_bytes()).skip_cfws().is_ok(), ok, "{octets:?}");
        }
    }

    #[test]
    fn quoted_strings_lose_quotes_escapes_and_line_ends() {
        let read = |text: &'static str| Scanner::new(text.as_bytes()).quoted_string();
        assert_eq!(read(r#""a\"\b""#).unwrap(), "a\"b");
        assert_eq!(read("\"a\r\n b\"").unwrap(), "a b");
        for text in ["\"a", "\"a\\", "\"a\\\r\n b\"", "\"a\0\"", "\"a\r\nb\"", "a"] {
            assert_eq!(read(text), Err(Malformed), "{text:?}");
        }
    }
}
