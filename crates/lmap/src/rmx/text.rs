//! Records as text (draft-danisch-dns-rr-smtp-04 section 5): `!ipv4:192.0.2.7 ipv4:192.0.2.0/24`.

use std::str::FromStr;

use quivive_evidence::span;
use quivive_mail::domain::{is_askable, to_ascii};

use super::record::Builder;
use super::{Entry, Fault, FaultKind, Record, Rule};

impl Record {
    /// Reads TXT data. None if it is something else: every word of a record is an entry type, a
    /// colon and data, and one of the types at least is known. A text without words is a record
    /// without entries.
    pub fn parse_text(octets: &[u8]) -> Option<Self> {
        let text = str::from_utf8(octets).ok()?;
        let words: Vec<Word<'_>> = words(text).map(Word::of).collect::<Option<_>>()?;
        if !words.is_empty() && !words.iter().any(Word::is_known) {
            return None;
        }
        let mut record = Builder::new(text);
        for word in &words {
            match word.entry() {
                Ok(entry) => record.entry_at(entry, word.start, word.end),
                Err(kind) => {
                    let fault = Fault { kind, span: span(word.start, word.end) };
                    return Some(record.finish(octets, Some(fault)));
                }
            }
        }
        Some(record.finish(octets, None))
    }
}

/// One entry: `["!"] tag ":" data`.
struct Word<'a> {
    negated: bool,
    tag: &'a str,
    data: &'a str,
    start: usize,
    end: usize,
}

/// The words of a text with their places. Blanks and tabs separate them.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split([' ', '\t']).filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((start, word))
    })
}

impl<'a> Word<'a> {
    fn of((start, word): (usize, &'a str)) -> Option<Self> {
        let (negated, bare) = match word.strip_prefix('!') {
            Some(bare) => (true, bare),
            None => (false, word),
        };
        let (tag, data) = bare.split_once(':')?;
        let is_tag = !tag.is_empty() && tag.bytes().all(|octet| octet.is_ascii_alphanumeric());
        is_tag.then_some(Self { negated, tag, data, start, end: start + word.len() })
    }

    /// Whether the tag is an entry type of the drafts, or any number.
    fn is_known(&self) -> bool {
        self.code().is_some()
    }

    /// The tag as an entry type: by its name, or its number. `mx` has none in the drafts.
    fn code(&self) -> Option<Tag> {
        const NAMES: [&str; 7] = ["ipv4", "ipv6", "host", "apl", "domain", "unused", "full"];
        if self.tag.eq_ignore_ascii_case("mx") {
            return Some(Tag::Mx);
        }
        let named = NAMES.iter().position(|name| name.eq_ignore_ascii_case(self.tag));
        let numbered = || {
            let is_number = self.tag.bytes().all(|octet| octet.is_ascii_digit());
            is_number.then(|| self.tag.parse().unwrap_or(usize::MAX))
        };
        named.map(|place| place + 1).or_else(numbered).map(Tag::Code)
    }

    fn entry(&self) -> Result<Entry, FaultKind> {
        let rule = match self.code() {
            Some(Tag::Mx) => self.nothing(Rule::Mx { numbered: false })?,
            Some(Tag::Code(1)) => {
                let (address, prefix) = self.network(32)?;
                Rule::Ipv4(address, prefix)
            }
            Some(Tag::Code(2)) => {
                let (address, prefix) = self.network(128)?;
                Rule::Ipv6(address, prefix)
            }
            Some(Tag::Code(3)) => Rule::Host(self.name()?),
            Some(Tag::Code(4)) => Rule::Apl(self.name()?),
            Some(Tag::Code(5)) if self.data.is_empty() => Rule::Domain("".into()),
            Some(Tag::Code(5)) => Rule::Domain(self.name()?),
            Some(Tag::Code(6)) => self.nothing(Rule::Unused)?,
            Some(Tag::Code(7)) => self.nothing(Rule::Full)?,
            Some(Tag::Code(8)) => self.nothing(Rule::Mx { numbered: true })?,
            _ => return Err(FaultKind::UnknownType),
        };
        if self.negated && !rule.may_be_negated() {
            return Err(FaultKind::Negated);
        }
        Ok(Entry { negated: self.negated, rule })
    }

    fn network<T: FromStr>(&self, longest: u8) -> Result<(T, u8), FaultKind> {
        let (address, prefix) = match self.data.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (self.data, None),
        };
        let address = address.parse().map_err(|_| FaultKind::Address)?;
        let Some(prefix) = prefix else { return Ok((address, longest)) };
        let is_number = prefix.bytes().all(|octet| octet.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|prefix| is_number && *prefix <= longest);
        Ok((address, prefix.ok_or(FaultKind::Prefix)?))
    }

    fn name(&self) -> Result<Box<str>, FaultKind> {
        let name = to_ascii(self.data);
        // A backslash would be an escape, which text has no need of.
        let is_name = is_askable(&name) && !name.contains('\\');
        if is_name { Ok(name.into()) } else { Err(FaultKind::Name) }
    }

    fn nothing(&self, rule: Rule) -> Result<Rule, FaultKind> {
        if self.data.is_empty() { Ok(rule) } else { Err(FaultKind::Argument) }
    }
}

enum Tag {
    Mx,
    Code(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<String> {
        let record = Record::parse_text(text.as_bytes()).unwrap();
        assert_eq!(record.fault(), None, "{text}");
        record.entries().iter().map(|placed| placed.entry.to_string()).collect()
    }

    /// The examples of the drafts (sheet rmx.md, section 9).
    #[test]
    fn section_9_records() {
        for (text, expected) in [
            (
                "apl:relays.rackland.de !ipv4:1.2.3.5 ipv4:1.2.3.0/24",
                &["apl:relays.rackland.de", "!ipv4:1.2.3.5", "ipv4:1.2.3.0/24"][..],
            ),
            ("host:relay.provider.de", &["host:relay.provider.de"]),
            (
                "!host:badmachine.domain.de apl:relays.domain.de",
                &["!host:badmachine.domain.de", "apl:relays.domain.de"],
            ),
            (
                "domain:somedomain.org domain:provider.com",
                &["domain:somedomain.org", "domain:provider.com"],
            ),
            ("domain:", &["domain:"]),
            ("unused:", &["unused:"]),
            ("MX:", &["mx:"]),
            ("full:", &["full:"]),
            ("1:10.0.0.0/8 \t!2:fec0::/16", &["ipv4:10.0.0.0/8", "!ipv6:fec0::/16"]),
            ("3:Relay.Provider.DE. 8:", &["host:relay.provider.de", "8:"]),
            ("", &[]),
        ] {
            assert_eq!(entries(text), expected, "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let record = Record::parse_text(b" ipv4:1.2.3.4\t!host:a.b ").unwrap();
        let slices: Vec<_> =
            record.entries().iter().map(|placed| record.slice(placed.span)).collect();
        assert_eq!(slices, ["ipv4:1.2.3.4", "!host:a.b"]);
    }

    #[test]
    fn other_texts_are_no_records() {
        for text in [
            "v=spf1 ip4:192.0.2.1 -all",
            "ipv4:192.0.2.1 and more",
            "https://example.com",
            "google-site-verification:abc",
            ":x",
            "!:x",
            "ip\u{e9}:x",
        ] {
            assert_eq!(Record::parse_text(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Record::parse_text(b"ipv4:192.0.2.1 \xff"), None);
    }

    #[test]
    fn a_fault_ends_what_can_be_read() {
        use FaultKind::*;
        for (text, kind, place) in [
            ("ipv4:192.0.2.1 ipv4:192.0.2.0/33 host:a.b", Prefix, "ipv4:192.0.2.0/33"),
            ("ipv4:192.0.2.0/", Prefix, "ipv4:192.0.2.0/"),
            ("ipv4:192.0.2.0/+8", Prefix, "ipv4:192.0.2.0/+8"),
            ("ipv6:::/129", Prefix, "ipv6:::/129"),
            ("ipv4:::1", Address, "ipv4:::1"),
            ("ipv6:192.0.2.1", Address, "ipv6:192.0.2.1"),
            ("ipv4:", Address, "ipv4:"),
            ("host:", Name, "host:"),
            ("apl:a..b", Name, "apl:a..b"),
            ("domain:a\\046b", Name, "domain:a\\046b"),
            ("!unused:", Negated, "!unused:"),
            ("!full:", Negated, "!full:"),
            ("unused:x", Argument, "unused:x"),
            ("mx:example.com", Argument, "mx:example.com"),
            ("ipv4:192.0.2.1 tls:ab", UnknownType, "tls:ab"),
            ("9:ab", UnknownType, "9:ab"),
            ("0:", UnknownType, "0:"),
            ("99999999999999999999999:", UnknownType, "99999999999999999999999:"),
        ] {
            let record = Record::parse_text(text.as_bytes()).unwrap();
            let fault = record.fault().unwrap();
            assert_eq!((fault.kind, record.slice(fault.span)), (kind, place), "{text}");
        }
    }
}
