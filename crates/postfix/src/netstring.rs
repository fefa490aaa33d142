//! Netstrings: a length in decimal, a colon, so many octets, a comma.

use std::io::Write;

use crate::input::Input;

/// How many digits a length may have: more than any bound needs.
const LENGTH_DIGITS_MAX: usize = 9;

/// Why octets are no netstring. Where the next begins is not known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetstringError {
    /// It does not begin with a length and a colon.
    #[error("a netstring begins with its length and a colon")]
    NoLength,
    /// It announces more than is taken.
    #[error("the netstring is longer than {0} octets")]
    TooLong(usize),
    /// There is no comma where the length says that it ends.
    #[error("the netstring does not end where its length says")]
    NoComma,
}

/// The netstrings of a client, in whatever pieces they arrive.
#[derive(Debug)]
pub struct Netstrings {
    input: Input,
    octets_max: usize,
}

impl Netstrings {
    /// Netstrings of at most so many octets each.
    pub fn new(octets_max: usize) -> Self {
        // Length, colon and comma stand around it.
        Self { input: Input::new(octets_max + LENGTH_DIGITS_MAX + 2), octets_max }
    }

    /// Where to read to.
    pub fn input(&mut self) -> &mut Input {
        &mut self.input
    }

    /// The next netstring's content. None: read more.
    ///
    /// # Errors
    /// What came is no netstring. There is no way to go on.
    pub fn content(&mut self) -> Result<Option<&[u8]>, NetstringError> {
        let Some((start, length)) = self.head()? else { return Ok(None) };
        let end = start + length;
        match self.input.unread().get(end) {
            None => Ok(None),
            Some(b',') => Ok(Some(&self.input.consume(end + 1)[start..end])),
            Some(_) => Err(NetstringError::NoComma),
        }
    }

    /// Where the content begins, and how long it is.
    fn head(&self) -> Result<Option<(usize, usize)>, NetstringError> {
        let unread = self.input.unread();
        let digits = unread.iter().take_while(|octet| octet.is_ascii_digit()).count();
        // A leading zero is the length of nothing.
        let is_length = digits <= LENGTH_DIGITS_MAX && (digits < 2 || unread[0] != b'0');
        match unread.get(digits) {
            None if is_length => return Ok(None),
            Some(b':') if is_length && digits > 0 => {}
            _ => return Err(NetstringError::NoLength),
        }
        let length =
            unread[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
        if length > self.octets_max {
            return Err(NetstringError::TooLong(self.octets_max));
        }
        Ok(Some((digits + 1, length)))
    }
}

/// Appends a netstring.
pub fn write_netstring(content: &[u8], output: &mut Vec<u8>) {
    // A vector takes everything.
    let _ = write!(output, "{}:", content.len());
    output.extend_from_slice(content);
    output.push(b',');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OCTETS_MAX: usize = 20;

    /// What comes of octets that arrive in pieces of this size.
    fn read(octets: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<NetstringError>) {
        let mut netstrings = Netstrings::new(OCTETS_MAX);
        let (mut all, mut rest) = (Vec::new(), octets);
        loop {
            match netstrings.content() {
                Ok(Some(content)) => all.push(content.to_vec()),
                Ok(None) if rest.is_empty() => return (all, None),
                Ok(None) => {
                    let space = netstrings.input().space();
                    let length = piece.min(rest.len()).min(space.len());
                    assert!(length > 0, "there is always space");
                    space[..length].copy_from_slice(&rest[..length]);
                    netstrings.input().filled(length);
                    rest = &rest[length..];
                }
                Err(error) => return (all, Some(error)),
            }
        }
    }

    fn error(octets: &[u8]) -> Option<NetstringError> {
        read(octets, 1).1
    }

    #[test]
    fn lengths_that_lie() {
        use NetstringError::{NoComma, NoLength, TooLong};
        assert_eq!(error(b"5:hello,"), None);
        assert_eq!(error(b"0:,"), None);
        assert_eq!(error(b"4:hello,"), Some(NoComma));
        assert_eq!(error(b"6:hello,7:"), Some(NoComma));
        assert_eq!(error(b"05:hello,"), Some(NoLength));
        assert_eq!(error(b":hello,"), Some(NoLength));
        assert_eq!(error(b"-5:hello,"), Some(NoLength));
        assert_eq!(error(b"5 :hello,"), Some(NoLength));
        assert_eq!(error(b"hello"), Some(NoLength));
        assert_eq!(error(b"99999999999999999999:"), Some(NoLength));
        assert_eq!(error(b"2147483648:"), Some(NoLength));
        assert_eq!(error(b"999999999:"), Some(TooLong(OCTETS_MAX)));
    }

    #[test]
    fn the_bound_is_exact() {
        let of = |length: usize| {
            let mut octets = Vec::new();
            write_netstring(&vec![b'x'; length], &mut octets);
            octets
        };
        assert_eq!(read(&of(OCTETS_MAX), 7), (vec![vec![b'x'; OCTETS_MAX]], None));
        assert_eq!(error(&of(OCTETS_MAX + 1)), Some(NetstringError::TooLong(OCTETS_MAX)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_in_any_pieces(
            contents in prop::collection::vec(
                prop::collection::vec(any::<u8>(), 0..=OCTETS_MAX), 0..5),
            piece in 1..30_usize,
        ) {
            let mut octets = Vec::new();
            contents.iter().for_each(|content| write_netstring(content, &mut octets));
            prop_assert_eq!(read(&octets, piece), (contents, None));
        }

        #[test]
        fn pieces_make_no_difference(octets: Vec<u8>, piece in 1..30_usize) {
            prop_assert_eq!(read(&octets, piece), read(&octets, octets.len().max(1)));
        }
    }
}
