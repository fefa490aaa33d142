//! `tcp_table`, as Postfix asks it (tcp_table(5)): a line `get KEY`, and a line that answers it.
//! What is not printable ASCII stands as `%XX`.

use std::borrow::Cow;

use data_encoding::HEXUPPER;
use memchr::{memchr, memchr_iter};

use crate::Answer;
use crate::input::Input;

/// How many octets a line may have, its LF included: what tcp_table(5) says.
pub const LINE_OCTETS_MAX: usize = 4096;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question<'a> {
    /// The value of a key.
    Get(Cow<'a, [u8]>),
    /// Something else than `get KEY`, or a key that is not encoded as it must be. The next line is
    /// a question of its own.
    Unknown,
}

/// Why there is no way to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line is longer than {LINE_OCTETS_MAX} octets")]
pub struct LineTooLong;

/// The questions of a client, in whatever pieces they arrive.
#[derive(Debug)]
pub struct Questions {
    input: Input,
    searched: usize,
}

impl Default for Questions {
    fn default() -> Self {
        Self { input: Input::new(LINE_OCTETS_MAX), searched: 0 }
    }
}

impl Questions {
    /// Where to read to.
    pub fn input(&mut self) -> &mut Input {
        &mut self.input
    }

    /// The next question. None: read more.
    ///
    /// # Errors
    /// A line is too long.
    pub fn question(&mut self) -> Result<Option<Question<'_>>, LineTooLong> {
        let unread = self.input.unread();
        let Some(found) = memchr(b'\n', &unread[self.searched..]) else {
            self.searched = unread.len();
            return if self.input.is_full() { Err(LineTooLong) } else { Ok(None) };
        };
        let end = std::mem::take(&mut self.searched) + found;
        let line = &self.input.consume(end + 1)[..end];
        let key = line.strip_prefix(b"get ").and_then(decode);
        Ok(Some(key.map_or(Question::Unknown, Question::Get)))
    }
}

/// Appends an answer. One that is too long is a temporary error, for there is no other.
///
/// A reason is for people, and keeps its blanks, as PostSRSd and others write it: Postfix logs it
/// as it comes.
pub fn write(answer: &Answer, output: &mut Vec<u8>) {
    let start = output.len();
    let (code, reason) = match answer {
        Answer::Found(value) => {
            output.extend_from_slice(b"200 ");
            encode(value.as_bytes(), output);
            ("", "")
        }
        Answer::NotFound(reason) => ("500", *reason),
        Answer::Temporary(reason) | Answer::Permanent(reason) => ("400", *reason),
    };
    output.extend_from_slice(code.as_bytes());
    for word in reason.split(' ') {
        if !code.is_empty() {
            output.push(b' ');
        }
        encode(word.as_bytes(), output);
    }
    output.push(b'\n');
    if output.len() - start > LINE_OCTETS_MAX {
        output.truncate(start);
        output.extend_from_slice(b"400 the answer is too long\n");
    }
}

/// Appends octets with `%XX` for what is not printable, and for `%` itself.
pub fn encode(octets: &[u8], output: &mut Vec<u8>) {
    for octet in octets {
        if octet.is_ascii_graphic() && *octet != b'%' {
            output.push(*octet);
        } else {
            output.push(b'%');
            output.extend_from_slice(HEXUPPER.encode(&[*octet]).as_bytes());
        }
    }
}

/// Octets without `%XX`. None: something else follows a `%`.
pub fn decode(encoded: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut signs = memchr_iter(b'%', encoded).peekable();
    if signs.peek().is_none() {
        return Some(Cow::Borrowed(encoded));
    }
    let mut octets = Vec::with_capacity(encoded.len());
    let mut rest = 0;
    for sign in signs {
        let digits = encoded.get(sign + 1..sign + 3)?;
        let [high, low] = [digits[0], digits[1]].map(|digit| char::from(digit).to_digit(16));
        octets.extend_from_slice(encoded.get(rest..sign)?);
        octets.push(u8::try_from(high? * 16 + low?).ok()?);
        rest = sign + 3;
    }
    octets.extend_from_slice(&encoded[rest..]);
    Some(Cow::Owned(octets))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(octets: &[u8], piece: usize) -> (Vec<Option<Vec<u8>>>, Option<LineTooLong>) {
        let mut questions = Questions::default();
        let (mut all, mut rest) = (Vec::new(), octets);
        loop {
            match questions.question() {
                Ok(Some(Question::Get(key))) => all.push(Some(key.into_owned())),
                Ok(Some(Question::Unknown)) => all.push(None),
                Ok(None) if rest.is_empty() => return (all, None),
                Ok(None) => {
                    let space = questions.input().space();
                    let length = piece.min(rest.len()).min(space.len());
                    assert!(length > 0, "there is always space");
                    space[..length].copy_from_slice(&rest[..length]);
                    questions.input().filled(length);
                    rest = &rest[length..];
                }
                Err(error) => return (all, Some(error)),
            }
        }
    }

    fn written(answer: &Answer) -> String {
        let mut output = Vec::new();
        write(answer, &mut output);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_line_is_a_question() {
        let (questions, error) =
            read(b"get a@b.test\nget a%20b%25\nput a b\nget\nget %4\nget %zz\nget \n", 3);
        let key = |key: &[u8]| Some(key.to_vec());
        let expected = [key(b"a@b.test"), key(b"a b%"), None, None, None, None, key(b"")];
        assert_eq!((questions.as_slice(), error), (&expected[..], None));
    }

    #[test]
    fn answers_have_their_numbers() {
        assert_eq!(written(&Answer::Found("a b%".to_owned())), "200 a%20b%25\n");
        assert_eq!(written(&Answer::NotFound("no")), "500 no\n");
        assert_eq!(written(&Answer::Temporary("try later")), "400 try later\n");
        assert_eq!(written(&Answer::Permanent("never\n")), "400 never%0A\n");
    }

    #[test]
    fn lines_are_bounded_in_both_directions() {
        let line = |length: usize| [b"get ", &vec![b'x'; length - 5][..], b"\n"].concat();
        assert_eq!(read(&line(LINE_OCTETS_MAX), 1000).1, None);
        assert_eq!(read(&line(LINE_OCTETS_MAX + 1), 1000), (vec![], Some(LineTooLong)));
        let answer = |length: usize| written(&Answer::Found("x".repeat(length - 5)));
        assert_eq!(answer(LINE_OCTETS_MAX).len(), LINE_OCTETS_MAX);
        assert!(answer(LINE_OCTETS_MAX + 1).starts_with("400 "));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(octets: Vec<u8>) {
            let mut encoded = Vec::new();
            encode(&octets, &mut encoded);
            prop_assert!(encoded.iter().all(u8::is_ascii_graphic));
            let decoded = decode(&encoded);
            prop_assert_eq!(decoded.as_deref(), Some(&octets[..]));
        }

        #[test]
        fn pieces_make_no_difference(octets: Vec<u8>, piece in 1..30_usize) {
            prop_assert_eq!(read(&octets, piece), read(&octets, octets.len().max(1)));
        }
    }
}
