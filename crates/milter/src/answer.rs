use quivive_mail::EnhancedStatus;

use crate::packet;

/// The longest line of a reply, its codes included (RFC 5321 section 4.5.3.1.5, without the line
/// end). A longer one is parted.
pub const REPLY_LINE_OCTETS_MAX: usize = 510;

/// The most lines of a reply: what Sendmail's library takes. More are left out.
pub const REPLY_LINES_MAX: usize = 32;

/// Where a line that is too long is parted at the earliest to end it with a whole word.
const PARTED_OCTETS_MIN: usize = REPLY_LINE_OCTETS_MAX / 2;

/// What a filter says to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Go on.
    Continue,
    /// As [`Answer::Continue`], and the rest of the body need not come. Only to a piece of the
    /// body; elsewhere, and where it was not agreed, it is [`Answer::Continue`].
    Skip,
    /// The message, or the client before it has one, is taken; no more is to be told of it.
    Accept,
    /// The message is taken and thrown away.
    Discard,
    /// The recipient, the message or the client is refused for good, in the MTA's own words.
    Reject,
    /// The same, for now.
    TemporaryFailure,
    /// The same, in our words.
    Refuse(Refusal<'a>),
}

/// What a client hears when it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// A code from 400 to 599; 421 has the MTA close the connection. Any other is 451.
    pub code: u16,
    /// The enhanced code (RFC 3463). Its class is written as that of the code.
    pub enhanced: EnhancedStatus,
    /// For people. Several lines are parted by `\n`; what is not printable ASCII becomes `?`.
    pub text: &'a str,
}

impl Answer<'_> {
    pub(crate) fn write(&self, output: &mut Vec<u8>) {
        let command = match self {
            Self::Continue => b'c',
            Self::Skip => b's',
            Self::Accept => b'a',
            Self::Discard => b'd',
            Self::Reject => b'r',
            Self::TemporaryFailure => b't',
            Self::Refuse(refusal) => return refusal.write(output),
        };
        packet::write(output, command, &[]);
    }
}

impl Refusal<'_> {
    fn write(&self, output: &mut Vec<u8>) {
        let code = if (400..=599).contains(&self.code) { self.code } else { 451 };
        let enhanced = format!("{}.{}.{}", code / 100, self.enhanced.1, self.enhanced.2);
        let prefix = format!("{code}-{enhanced} ");
        let mut data = Vec::new();
        let mut last = 0;
        let lines = self.text.split('\n').flat_map(|line| parted(line, prefix.len()));
        for line in lines.take(REPLY_LINES_MAX) {
            if !data.is_empty() {
                data.extend_from_slice(b"\r\n");
            }
            last = data.len();
            data.extend_from_slice(prefix.as_bytes());
            for character in line.chars() {
                match character {
                    // The MTA takes the text for a format of printf.
                    '%' => data.extend_from_slice(b"%%"),
                    ' '..='~' => data.push(character as u8),
                    _ => data.push(b'?'),
                }
            }
        }
        data[last + 3] = b' ';
        packet::write(output, b'y', &[&data, b"\0"]);
    }
}

/// A line in pieces that fit behind a prefix, parted at blanks where there are some. At least one.
fn parted(line: &str, prefix: usize) -> impl Iterator<Item = &str> {
    let room = REPLY_LINE_OCTETS_MAX - prefix;
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        let Some(end) = line.char_indices().nth(room).map(|(index, _)| index) else {
            return Some(line);
        };
        let blank = line[..end].rfind(' ').filter(|blank| *blank >= PARTED_OCTETS_MIN);
        let (piece, left) = line.split_at(blank.unwrap_or(end));
        rest = Some(left.strip_prefix(' ').unwrap_or(left));
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(code: u16, enhanced: EnhancedStatus, text: &str) -> String {
        let mut output = Vec::new();
        Answer::Refuse(Refusal { code, enhanced, text }).write(&mut output);
        assert_eq!(output[..4], u32::try_from(output.len() - 4).unwrap().to_be_bytes());
        assert_eq!((output[4], output.pop()), (b'y', Some(0)));
        String::from_utf8(output[5..].to_vec()).unwrap()
    }

    #[test]
    fn refusals_have_their_codes_on_every_line() {
        let no = EnhancedStatus(5, 7, 23);
        assert_eq!(written(550, no, "no"), "550 5.7.23 no");
        assert_eq!(written(550, no, "no\nnever"), "550-5.7.23 no\r\n550 5.7.23 never");
        assert_eq!(written(550, no, ""), "550 5.7.23 ");
    }

    #[test]
    fn codes_are_refusals_and_the_classes_agree() {
        let no = EnhancedStatus(5, 7, 1);
        assert_eq!(written(450, no, "no"), "450 4.7.1 no");
        assert_eq!(written(250, no, "no"), "451 4.7.1 no");
        assert_eq!(written(600, no, "no"), "451 4.7.1 no");
    }

    #[test]
    fn nothing_in_the_text_does_more_than_text() {
        let no = EnhancedStatus(5, 7, 1);
        assert_eq!(written(550, no, "100 %s\r\0\u{e4}"), "550 5.7.1 100 %%s???");
    }

    #[test]
    fn long_lines_are_parted_between_words_and_many_are_left_out() {
        let text = "word ".repeat(400);
        let reply = written(550, EnhancedStatus(5, 7, 1), text.trim_end());
        assert!(reply.split("\r\n").count() > 3);
        for line in reply.split("\r\n") {
            assert!(line.len() <= REPLY_LINE_OCTETS_MAX && line.ends_with("word"), "{line}");
        }
        let endless = written(550, EnhancedStatus(5, 7, 1), &"x".repeat(100_000));
        assert_eq!(endless.split("\r\n").count(), REPLY_LINES_MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_reply_is_one(code in any::<u16>(), text in "(\\PC|\r|\n|%|\0){0,900}") {
            let reply = written(code, EnhancedStatus(5, 999, 999), &text);
            let lines: Vec<&str> = reply.split("\r\n").collect();
            for (index, line) in lines.iter().enumerate() {
                let mark = if index + 1 == lines.len() { b' ' } else { b'-' };
                prop_assert_eq!(line.as_bytes()[3], mark);
                prop_assert_eq!(&line[..3], &lines[0][..3]);
                prop_assert!(line.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
                prop_assert!(line.replace("%%", "%").len() <= REPLY_LINE_OCTETS_MAX);
            }
        }
    }
}
