//! Socketmap, as Postfix (socketmap_table(5)) and Sendmail ask it: `MAP KEY` and its answer, each a
//! netstring.

use memchr::memchr;

use crate::{Answer, write_netstring};

/// How many octets a question may have: a name and an address, with room to spare.
pub const QUESTION_OCTETS_MAX: usize = 4096;

/// How many octets an answer may have: what Postfix takes.
pub const ANSWER_OCTETS_MAX: usize = 100_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// The map's name.
    pub map: &'a [u8],
    /// The key.
    pub key: &'a [u8],
}

impl<'a> Question<'a> {
    /// The question that a netstring holds. None: there is no blank behind the map's name.
    pub fn parse(content: &'a [u8]) -> Option<Self> {
        let blank = memchr(b' ', content)?;
        Some(Self { map: &content[..blank], key: &content[blank + 1..] })
    }
}

/// Appends an answer. One that is too long is a permanent error.
pub fn write(answer: &Answer, output: &mut Vec<u8>) {
    let (word, text) = match answer {
        Answer::Found(value) => ("OK", value.as_str()),
        Answer::NotFound(reason) => ("NOTFOUND", *reason),
        Answer::Temporary(reason) => ("TEMP", *reason),
        Answer::Permanent(reason) => ("PERM", *reason),
    };
    // The blank stands even where nothing follows it.
    let content = match word.len() + 1 + text.len() {
        0..=ANSWER_OCTETS_MAX => format!("{word} {text}"),
        _ => "PERM the answer is too long".to_owned(),
    };
    write_netstring(content.as_bytes(), output);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(answer: &Answer) -> String {
        let mut output = Vec::new();
        write(answer, &mut output);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_question_is_a_name_and_a_key() {
        let parse = |content: &'static str| {
            Question::parse(content.as_bytes()).map(|question| (question.map, question.key))
        };
        assert_eq!(parse("forward a@b.test"), Some((&b"forward"[..], &b"a@b.test"[..])));
        assert_eq!(parse("forward \"a b\"@c"), Some((&b"forward"[..], &b"\"a b\"@c"[..])));
        assert_eq!(parse(" "), Some((&b""[..], &b""[..])));
        assert_eq!(parse("forward"), None);
    }

    #[test]
    fn answers_have_their_words() {
        assert_eq!(written(&Answer::Found("a@b".to_owned())), "6:OK a@b,");
        assert_eq!(written(&Answer::NotFound("")), "9:NOTFOUND ,");
        assert_eq!(written(&Answer::Temporary("later")), "10:TEMP later,");
        assert_eq!(written(&Answer::Permanent("never")), "10:PERM never,");
    }

    #[test]
    fn an_answer_is_no_longer_than_postfix_takes() {
        let longest = "x".repeat(ANSWER_OCTETS_MAX - 3);
        assert!(written(&Answer::Found(longest.clone())).starts_with("100000:OK x"));
        assert!(written(&Answer::Found(longest + "x")).starts_with("27:PERM "));
    }
}
