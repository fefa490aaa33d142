//! Replies (RFC 5321 section 4.2) with enhanced status codes (RFC 2034).

use std::borrow::Cow;
use std::fmt::Write;

use quivive_mail::EnhancedStatus;

use crate::line::{LineDecoder, LineError};

/// The longest line of a reply that a client takes. RFC 5321 section 4.5.3.1.5 has 512; servers
/// with long explanations exceed it.
pub const REPLY_LINE_OCTETS_MAX: usize = 2048;

/// The most lines of a reply that a client takes.
pub const REPLY_LINES_MAX: usize = 128;

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits: 2xx done, 3xx go on, 4xx not now, 5xx no.
    pub code: u16,
    /// The enhanced code of RFC 3463, unless the reply has none (greeting, EHLO, 354).
    pub enhanced: Option<EnhancedStatus>,
    /// For people. Several lines are parted by `\n`.
    pub text: Cow<'static, str>,
}

/// Why octets are not a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// They are not lines.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A line does not begin with a code from 200 to 599 and a blank or hyphen.
    #[error("a line of a reply has no code")]
    NoCode,
    /// The lines of one reply have different codes.
    #[error("the lines of a reply have different codes")]
    CodeChanges,
    /// There are more lines than [`REPLY_LINES_MAX`].
    #[error("a reply has too many lines")]
    TooManyLines,
}

impl Reply {
    /// A reply with an enhanced code.
    pub const fn new(code: u16, enhanced: EnhancedStatus, text: &'static str) -> Self {
        Self { code, enhanced: Some(enhanced), text: Cow::Borrowed(text) }
    }

    /// A reply that has no enhanced code: a greeting, the answer to EHLO, 354.
    pub fn plain(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, enhanced: None, text: text.into() }
    }

    /// A reply with a text made for the occasion.
    pub fn with_text(
        code: u16,
        enhanced: EnhancedStatus,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, enhanced: Some(enhanced), text: text.into() }
    }

    /// 2xx: what was asked is done.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx: not now.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// The lines of the text.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split('\n')
    }

    /// Appends the reply as it goes over the wire. Octets of the text other than printable ASCII
    /// become `?`, so that no text can end a line.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Memory takes what is written.
        use std::io::Write;
        let mut lines = self.lines().peekable();
        while let Some(line) = lines.next() {
            let mark = if lines.peek().is_some() { '-' } else { ' ' };
            let _ = write!(out, "{:03}{mark}", self.code);
            if let Some(enhanced) = self.enhanced {
                let _ = write!(out, "{enhanced} ");
            }
            out.extend(line.chars().map(|c| if matches!(c, ' '..='~') { c as u8 } else { b'?' }));
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// `250 2.0.0 OK`, lines parted by ` / `: for logs.
impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for (index, line) in self.lines().enumerate() {
            f.write_str(if index == 0 { " " } else { " / " })?;
            // Quotes stand as they were spoken.
            line.chars().try_for_each(|character| match character {
                '"' | '\'' => f.write_char(character),
                _ => write!(f, "{}", character.escape_debug()),
            })?;
        }
        Ok(())
    }
}

/// Reads replies from input that arrives in any pieces.
#[derive(Debug, Clone)]
pub struct ReplyDecoder {
    line: LineDecoder,
    code: u16,
    enhanced: Option<EnhancedStatus>,
    text: String,
    lines: usize,
}

impl ReplyDecoder {
    /// A decoder before the first reply.
    pub fn new() -> Self {
        Self {
            line: LineDecoder::new(REPLY_LINE_OCTETS_MAX),
            code: 0,
            enhanced: None,
            text: String::new(),
            lines: 0,
        }
    }

    /// Takes whole lines from the head of `input`: how many octets, and the reply if it is
    /// complete.
    pub fn decode(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut consumed = 0;
        while let Some(line) = self.line.decode(&input[consumed..])? {
            consumed += line.len() + 2;
            if self.take_line(line)? {
                self.lines = 0;
                let text = Cow::Owned(std::mem::take(&mut self.text));
                let reply = Reply { code: self.code, enhanced: self.enhanced, text };
                return Ok((consumed, Some(reply)));
            }
        }
        Ok((consumed, None))
    }

    /// Whether it is the last line.
    fn take_line(&mut self, line: &[u8]) -> Result<bool, ReplyError> {
        let (code, more) = match line {
            [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let code =
                    [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(**digit - b'0'));
                (code, rest)
            }
            _ => return Err(ReplyError::NoCode),
        };
        let (last, text) = match more {
            [] => (true, &[][..]),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(ReplyError::NoCode),
        };
        let text = String::from_utf8_lossy(text);
        let (enhanced, text) = match split_enhanced(code, &text) {
            Some((enhanced, text)) => (Some(enhanced), text),
            None => (None, &*text),
        };
        if self.lines == 0 {
            self.code = code;
            self.enhanced = enhanced;
        } else if self.code != code {
            return Err(ReplyError::CodeChanges);
        } else if self.lines == REPLY_LINES_MAX {
            return Err(ReplyError::TooManyLines);
        } else {
            self.text.push('\n');
        }
        self.lines += 1;
        self.text.push_str(text);
        Ok(last)
    }
}

impl Default for ReplyDecoder {
    fn default() -> Self {
        Self::new()
    }
}

/// RFC 2034 section 4: the enhanced code stands before the text and has the class of the reply
/// code.
fn split_enhanced(code: u16, text: &str) -> Option<(EnhancedStatus, &str)> {
    let (status, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = status.split('.');
    let mut number = |digits_max: usize| {
        let part = parts.next()?;
        let digits = part.bytes().all(|octet| octet.is_ascii_digit());
        if digits && (1..=digits_max).contains(&part.len()) {
            part.parse::<u16>().ok()
        } else {
            None
        }
    };
    let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
    if parts.next().is_some() || class != code / 100 {
        return None;
    }
    Some((EnhancedStatus(u8::try_from(class).ok()?, subject, detail), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(reply: &Reply) -> String {
        let mut out = Vec::new();
        reply.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_has_the_codes() {
        let reply = Reply::new(550, EnhancedStatus::SPF_FAILED, "one\ntwo");
        assert_eq!(written(&reply), "550-5.7.23 one\r\n550 5.7.23 two\r\n");
        assert_eq!(written(&Reply::plain(354, "go on")), "354 go on\r\n");
    }

    #[test]
    fn no_text_ends_a_line() {
        let reply = Reply::plain(250, "a\r\u{e4}\u{0}b");
        assert_eq!(written(&reply), "250 a???b\r\n");
    }

    #[test]
    fn logs_have_the_quotes_that_were_spoken() {
        let reply = Reply::new(550, EnhancedStatus::SPF_FAILED, "it's \"no\"\n\r\u{202e}x");
        assert_eq!(reply.to_string(), "550 5.7.23 it's \"no\" / \\r\\u{202e}x");
    }

    #[test]
    fn replies_are_read() {
        let mut decoder = ReplyDecoder::new();
        let input = b"250-mx.example\r\n250-SIZE 10\r\n250 DSN\r\n550 5.1.1 No";
        let (consumed, reply) = decoder.decode(input).unwrap();
        assert_eq!(reply.unwrap(), Reply::plain(250, "mx.example\nSIZE 10\nDSN"));
        let rest = [&input[consumed..], b" such\r\n"].concat();
        let (_, reply) = decoder.decode(&rest).unwrap();
        assert_eq!(reply.unwrap(), Reply::new(550, EnhancedStatus(5, 1, 1), "No such"));
        assert_eq!(ReplyDecoder::new().decode(b"220\r\n").unwrap().1, Some(Reply::plain(220, "")));
    }

    #[test]
    fn an_enhanced_code_of_another_class_is_text() {
        let (_, reply) = ReplyDecoder::new().decode(b"250 5.0.0 odd\r\n").unwrap();
        assert_eq!(reply.unwrap(), Reply::plain(250, "5.0.0 odd"));
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for (input, error) in [
            (&b"hello\r\n"[..], ReplyError::NoCode),
            (b"999 a\r\n", ReplyError::NoCode),
            (b"250a\r\n", ReplyError::NoCode),
            (b"250-a\r\n550 b\r\n", ReplyError::CodeChanges),
            (b"250 a\n", ReplyError::Line(LineError::BareLf)),
        ] {
            assert_eq!(ReplyDecoder::new().decode(input), Err(error));
        }
        let endless = b"250-a\r\n".repeat(REPLY_LINES_MAX + 1);
        assert_eq!(ReplyDecoder::new().decode(&endless), Err(ReplyError::TooManyLines));
        let long = vec![b'2'; REPLY_LINE_OCTETS_MAX + 1];
        assert_eq!(ReplyDecoder::new().decode(&long), Err(LineError::TooLong.into()));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            code in 200u16..600, enhanced in any::<Option<(u16, u16)>>(), text in "[a-z ]{0,9}(\n[a-z]{0,9}){0,3}",
        ) {
            let class = u8::try_from(code / 100).unwrap();
            let enhanced = enhanced.map(|(a, b)| EnhancedStatus(class, a % 1000, b % 1000));
            let reply = Reply { code, enhanced, text: text.into() };
            let wire = written(&reply);
            let (consumed, read) = ReplyDecoder::new().decode(wire.as_bytes()).unwrap();
            prop_assert_eq!(consumed, wire.len());
            prop_assert_eq!(read.unwrap(), reply);
        }

        #[test]
        fn no_octets_panic(input in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = ReplyDecoder::new().decode(&input);
        }
    }
}
