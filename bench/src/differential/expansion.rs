//! Macro strings (RFC 7208 section 7), read and expanded independently of `quivive-spf`.

use std::net::IpAddr;

use super::departures::Departure;

/// A piece of a macro string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands, `%%`, `%_` and `%-` among it; whether it was such an escape.
    Text(String, bool),
    Macro(Macro),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Macro {
    pub(crate) letter: char,
    digits: String,
    reverse: bool,
    delimiters: String,
}

/// What macros stand for.
pub(crate) struct Values<'v> {
    pub(crate) address: IpAddr,
    pub(crate) helo: &'v str,
    pub(crate) local_part: &'v str,
    pub(crate) sender_domain: &'v str,
    /// The current domain.
    pub(crate) domain: &'v str,
    /// `%{p}`.
    pub(crate) validated_name: &'v str,
    /// As [`Departure::LabelsCutByDots`] has it.
    pub(crate) cuts_by_dots: bool,
}

/// The pieces of a text; none where it is not well formed.
pub(crate) fn parts(text: &str, departures: &[Departure]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        if at > 0 {
            parts.push(Part::Text(rest[..at].to_owned(), false));
        }
        rest = &rest[at + 1..];
        let escape = |text: &str| Part::Text(text.to_owned(), true);
        match rest.chars().next() {
            Some('%') => parts.push(escape("%")),
            Some('_') => parts.push(escape(" ")),
            Some('-') => parts.push(escape("%20")),
            Some('{') => {
                let (inside, after) = rest[1..].split_once('}')?;
                parts.push(Part::Macro(Macro::read(inside, departures)?));
                rest = after;
                continue;
            }
            _ if departures.contains(&Departure::StrayPercentTaken) => {
                parts.push(Part::Text("%".to_owned(), false));
                continue;
            }
            _ => return None,
        }
        rest = &rest[1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned(), false));
    }
    Some(parts)
}

impl Macro {
    fn read(inside: &str, departures: &[Departure]) -> Option<Self> {
        let letter = inside.chars().next().filter(char::is_ascii_alphabetic)?;
        let rest = &inside[1..];
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let rest = &rest[digits.len()..];
        let reverse = rest.starts_with(['r', 'R']);
        let delimiters = rest[usize::from(reverse)..].to_owned();
        if !delimiters.chars().all(|delimiter| ".-+,/_=".contains(delimiter)) {
            return None;
        }
        let this = Self { letter, digits, reverse, delimiters };
        let is_fine = this.is_fine(departures.contains(&Departure::ZeroLabels));
        let later = departures.contains(&Departure::MacrosCheckedWhenExpanded);
        (is_fine || later).then_some(this)
    }

    /// Whether letter and number are what a domain-spec may have.
    pub(crate) fn is_fine(&self, may_be_zero: bool) -> bool {
        let is_zero = !self.digits.is_empty() && self.digits.chars().all(|digit| digit == '0');
        "slodipvh".contains(self.letter.to_ascii_lowercase()) && (may_be_zero || !is_zero)
    }

    fn value(&self, values: &Values<'_>) -> String {
        match self.letter.to_ascii_lowercase() {
            's' => format!("{}@{}", values.local_part, values.sender_domain),
            'l' => values.local_part.to_owned(),
            'o' => values.sender_domain.to_owned(),
            'd' => values.domain.to_owned(),
            'p' => values.validated_name.to_owned(),
            'h' => values.helo.to_owned(),
            'v' if values.address.is_ipv4() => "in-addr".to_owned(),
            'v' => "ip6".to_owned(),
            _ => dotted(values.address),
        }
    }

    /// Its value, split, turned round, shortened from the left, joined by dots, escaped.
    fn expand(&self, values: &Values<'_>) -> String {
        let value = self.value(values);
        let delimiters = if self.delimiters.is_empty() { "." } else { &self.delimiters };
        let mut labels: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if self.reverse {
            labels.reverse();
        }
        let keep = match self.digits.parse() {
            // How `ZeroLabels` goes on: without the first label, with the dot after it.
            Ok(0) => return format!(".{}", labels[1..].join(".")),
            Ok(keep) => keep,
            Err(_) => labels.len(),
        };
        let text = match values.cuts_by_dots && !self.digits.is_empty() {
            true => cut_by_dots(&labels.join("."), keep).to_owned(),
            false => labels[labels.len().saturating_sub(keep)..].join("."),
        };
        match self.letter.is_ascii_uppercase() {
            true => text.bytes().map(escaped).collect(),
            false => text,
        }
    }
}

/// What stands behind the dot that is this one from the right; where there are not so many, what
/// stands behind the first character.
fn cut_by_dots(text: &str, keep: usize) -> &str {
    let dots = text.char_indices().rev().filter(|(at, c)| *at > 0 && *c == '.');
    let dot = dots.map(|(at, _)| at).nth(keep - 1).unwrap_or(0);
    text.get(dot + 1..).unwrap_or_default()
}

fn escaped(octet: u8) -> String {
    match octet {
        b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
        octet if octet.is_ascii_alphanumeric() => char::from(octet).to_string(),
        octet => format!("%{octet:02X}"),
    }
}

fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let nibbles: Vec<String> =
                format!("{:032x}", address.to_bits()).chars().map(String::from).collect();
            nibbles.join(".")
        }
    }
}

/// All pieces, expanded.
pub(crate) fn expand(parts: &[Part], values: &Values<'_>) -> String {
    let expand = |part: &Part| match part {
        Part::Text(text, _) => text.clone(),
        Part::Macro(item) => item.expand(values),
    };
    parts.iter().map(expand).collect()
}
