use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use quivive_mail::domain::{is_fully_qualified, to_ascii};
use thiserror::Error;

/// The most octets that a client's address and the dots behind it take before a list's zone: an
/// IPv6 address.
const ADDRESS_OCTETS_MAX: usize = 64;

/// A list: its zone, and which of its answers count. Written `ZONE` or `ZONE=CODES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    zone: String,
    codes: Option<Codes>,
}

/// Which answers of a list count: `127.0.0.2`, `127.0.0.[2..11]`, `127.0.[0..255].[1;3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes([Vec<RangeInclusive<u8>>; 4]);

/// Why a text is no list.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListError {
    /// No zone that could be asked.
    #[error("`{0}` is no zone of a list, such as `bl.example.test`")]
    Zone(String),
    /// No answers.
    #[error("`{0}` are no answers of a list, such as `127.0.0.2` or `127.0.0.[2..11]`")]
    Codes(String),
}

impl List {
    /// Its zone, as A-labels.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// Whether an answer counts. Where none are named, all do that lists give (RFC 5782 section
    /// 2.1).
    pub fn counts(&self, answer: Ipv4Addr) -> bool {
        self.codes.as_ref().map_or(answer.octets()[0] == 127, |codes| codes.hold(answer))
    }
}

impl Codes {
    /// Whether an answer is among them.
    pub fn hold(&self, answer: Ipv4Addr) -> bool {
        let octets = answer.octets();
        self.0.iter().zip(octets).all(|(part, octet)| part.iter().any(|one| one.contains(&octet)))
    }
}

impl FromStr for List {
    type Err = ListError;

    fn from_str(text: &str) -> Result<Self, ListError> {
        let (zone, codes) = match text.split_once('=') {
            Some((zone, codes)) => (zone, Some(codes.parse()?)),
            None => (text, None),
        };
        let ascii = to_ascii(zone);
        if !is_fully_qualified(&ascii) || ascii.len() + ADDRESS_OCTETS_MAX > 253 {
            return Err(ListError::Zone(zone.to_owned()));
        }
        Ok(Self { zone: ascii, codes })
    }
}

impl FromStr for Codes {
    type Err = ListError;

    fn from_str(text: &str) -> Result<Self, ListError> {
        let error = || ListError::Codes(text.to_owned());
        let parts: Vec<_> = split(text).map(part).collect::<Option<_>>().ok_or_else(error)?;
        let parts: [Vec<_>; 4] = parts.try_into().map_err(|_| error())?;
        // An answer elsewhere is none of a list (RFC 5782 section 2.1).
        let loopback = parts[0].iter().all(|range| *range == (127..=127));
        if loopback { Ok(Self(parts)) } else { Err(error()) }
    }
}

/// The parts between the dots outside of brackets.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |letter| {
        inside = (inside || letter == '[') && letter != ']';
        letter == '.' && !inside
    })
}

/// A number, or in brackets numbers and ranges with semicolons between them.
fn part(text: &str) -> Option<Vec<RangeInclusive<u8>>> {
    let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else {
        return Some(vec![range(number(text)?, number(text)?)?]);
    };
    let ranges = list.split(';').map(|one| match one.split_once("..") {
        Some((first, last)) => range(number(first)?, number(last)?),
        None => range(number(one)?, number(one)?),
    });
    ranges.collect()
}

fn number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|_| text.bytes().all(|octet| octet.is_ascii_digit()))
}

fn range(first: u8, last: u8) -> Option<RangeInclusive<u8>> {
    (first <= last).then_some(first..=last)
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.zone)?;
        match &self.codes {
            Some(codes) => write!(f, "={codes}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            let one = |range: &RangeInclusive<u8>| match (range.start(), range.end()) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}..{last}"),
            };
            let ranges: Vec<String> = part.iter().map(one).collect();
            let dot = if index == 0 { "" } else { "." };
            match &*ranges {
                [sole] if !sole.contains('.') => write!(f, "{dot}{sole}")?,
                ranges => write!(f, "{dot}[{}]", ranges.join(";"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> List {
        text.parse().unwrap()
    }

    #[test]
    fn lists_are_written_as_they_were_read() {
        for text in [
            "bl.example.test",
            "bl.example.test=127.0.0.2",
            "bl.example.test=127.0.0.[2..11]",
            "wl.example.test=127.0.[0..255].[1;3..4]",
        ] {
            assert_eq!(list(text).to_string(), text);
        }
        assert_eq!(list("BL.Example.Test.").zone(), "bl.example.test");
    }

    #[test]
    fn answers_that_count() {
        let all = list("bl.example.test");
        assert!(all.counts([127, 0, 0, 2].into()) && all.counts([127, 9, 9, 9].into()));
        assert!(!all.counts([192, 0, 2, 1].into()));
        let some = list("bl.example.test=127.0.[0;5].[2..4]");
        for (answer, counts) in [
            ([127, 0, 0, 2], true),
            ([127, 0, 5, 4], true),
            ([127, 0, 0, 5], false),
            ([127, 0, 1, 2], false),
            ([127, 1, 0, 2], false),
        ] {
            assert_eq!(some.counts(answer.into()), counts, "{answer:?}");
        }
    }

    #[test]
    fn what_is_no_list() {
        let long = format!("{}.test", "a.".repeat(100));
        for text in ["", "test", "a..test", "192.0.2.1", "a b.test", &long] {
            assert!(matches!(text.parse::<List>(), Err(ListError::Zone(_))), "{text}");
        }
        for codes in [
            "",
            "127.0.0",
            "127.0.0.2.3",
            "192.0.2.1",
            "127.0.0.256",
            "127.0.0.+2",
            "127.0.0.[4..2]",
            "127.0.0.[]",
            "127.0.0.[2",
            "127.0.0.[2..]",
            "[127;128].0.0.1",
        ] {
            let text = format!("bl.example.test={codes}");
            assert!(matches!(text.parse::<List>(), Err(ListError::Codes(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "bl.test=[0-9.;\\[\\]]{0,24}") {
            if let Ok(list) = text.parse::<List>() {
                prop_assert_eq!(list.to_string().parse::<List>(), Ok(list));
            }
        }
    }
}
