use crate::macro_string::{Item, Letters, MacroString, Place};
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// How long a name may be in text form (RFC 7208 section 7.3); longer ones lose labels from the
/// left.
pub const NAME_OCTETS_MAX: usize = 253;

/// The argument of a mechanism or modifier: text and macros that name a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainSpec<'t> {
    /// Text that is the name as it is asked, or none where it can be no name in DNS.
    Literal(Option<&'t str>),
    /// With macros, or with something that is to be changed before it is a name: escapes, upper
    /// case, too many octets.
    Macros(MacroString<'t>),
}

impl<'t> DomainSpec<'t> {
    /// Parses a domain-spec that begins at `offset` of its record.
    pub(crate) fn parse_at(text: &'t str, offset: usize) -> Result<Self, SyntaxError> {
        match plain_name(text) {
            Some(name) => Ok(Self::Literal(Some(name))),
            None => Self::parse_closely(text, offset),
        }
    }

    fn parse_closely(text: &'t str, offset: usize) -> Result<Self, SyntaxError> {
        let macros = MacroString::parse_at(text, offset, Place::Record)?;
        if !ends_well(macros) {
            return Err(SyntaxErrorKind::DomainEnd.at(offset..offset + text.len()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_changed = text.contains('%') || name.len() > NAME_OCTETS_MAX;
        Ok(match is_changed {
            false if !is_askable(name) => Self::Literal(None),
            false if !name.bytes().any(|octet| octet.is_ascii_uppercase()) => {
                Self::Literal(Some(name))
            }
            _ => Self::Macros(macros),
        })
    }

    /// Whether the name may be asked before it is known to be needed. A name that holds something
    /// of the sender tells its domain about a message, so that it waits until it must be asked.
    pub(crate) fn may_go_ahead(self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Macros(macros) => !macros.letters().meet(Letters::OF_THE_SENDER),
        }
    }
}

/// What a text is for which little needs to be known: a name as it is asked, the closing dot
/// excepted. Most are; what is none may yet be a domain-spec.
fn plain_name(text: &str) -> Option<&str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let (mut seen, mut label, mut length, mut dots) = (0, 0, 0, 0);
    for octet in name.bytes() {
        let sign = SIGNS[usize::from(octet)];
        if sign != DOT {
            label |= sign;
            length += 1;
        } else if matches!(length, 1..=63) {
            seen |= label;
            (label, length, dots) = (0, 0, dots + 1);
        } else {
            return None;
        }
    }
    let is_asked = (seen | label) & OTHER == 0 && name.len() <= NAME_OCTETS_MAX;
    let is_top = dots > 0 && matches!(length, 1..=63) && matches!(label, LETTER | ALPHANUMERIC);
    (is_asked && is_top).then_some(name)
}

/// What [`plain_name`] tells apart.
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const ALPHANUMERIC: u8 = LETTER | DIGIT;
const DOT: u8 = 4;
/// What may stand in a name, but not in the last label; at some of its places a hyphen may.
const SIGN: u8 = 8;
const OTHER: u8 = 16;

const SIGNS: [u8; 256] = {
    let mut signs = [OTHER; 256];
    let mut octet = 0;
    while octet < 256 {
        signs[octet] = match octet as u8 {
            b'a'..=b'z' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'A'..=b'Z' | b'%' => OTHER,
            b'!'..=b'~' => SIGN,
            _ => OTHER,
        };
        octet += 1;
    }
    signs
};

/// domain-end = ( "." toplabel [ "." ] ) / macro-expand
fn ends_well(macros: MacroString<'_>) -> bool {
    let tail = match macros.items().last() {
        None => return false,
        // `%%`, `%_` and `%-` are macro-expands, too.
        Some(Item::Macro(_) | Item::Escape(_)) => return true,
        Some(Item::Literal(tail)) => tail,
    };
    let tail = tail.strip_suffix('.').unwrap_or(tail);
    tail.rsplit_once('.').is_some_and(|(_, label)| is_toplabel(label))
}

/// toplabel: letters, digits and inner hyphens, not digits alone.
fn is_toplabel(label: &str) -> bool {
    label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && label.bytes().any(|octet| !octet.is_ascii_digit())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && !label.is_empty()
}

/// The name that is asked for an expanded domain-spec: lower case, without a closing dot, cut from
/// the left to [`NAME_OCTETS_MAX`] (RFC 7208 section 7.3). None where it has an empty or over-long
/// label: RFC 7208 section 4.8 leaves such names undefined; for us they do not exist, and nothing
/// is asked.
pub(crate) fn target_name(expanded: &mut str) -> Option<&str> {
    expanded.make_ascii_lowercase();
    let mut name = expanded.strip_suffix('.').unwrap_or(expanded);
    while name.len() > NAME_OCTETS_MAX {
        name = &name[name.find('.')? + 1..];
    }
    is_askable(name).then_some(name)
}

/// Whether a name can be asked for: labels of 1 to 63 octets.
pub(crate) fn is_askable(name: &str) -> bool {
    let mut label = 0;
    for octet in name.bytes() {
        if octet != b'.' {
            label += 1;
        } else if matches!(label, 1..=63) {
            label = 0;
        } else {
            return false;
        }
    }
    matches!(label, 1..=63) && name.len() <= NAME_OCTETS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        for good in ["a.example", "a.b-c", "a.example.", "%{d}", "x%{i}", "a:b/c.example", "x%%"] {
            assert!(DomainSpec::parse_at(good, 0).is_ok(), "{good}");
        }
        for bad in ["", "com", "a.123", "a.-b", "a.b-", "%{d}.", "%{d}x", "a..", "a.b_c", "a.%%-"] {
            assert!(DomainSpec::parse_at(bad, 0).is_err(), "{bad}");
        }
        assert!(DomainSpec::parse_at("a.}", 0).is_err());
    }

    #[test]
    fn only_what_is_asked_as_it_stands_is_literal() {
        let spec = |text| DomainSpec::parse_at(text, 7).unwrap();
        assert_eq!(spec("a.example."), DomainSpec::Literal(Some("a.example")));
        assert_eq!(spec("a..example"), DomainSpec::Literal(None));
        assert_eq!(spec("A..example"), DomainSpec::Literal(None));
        let over_long = format!("{}.example", "b.".repeat(130));
        for text in ["A.example", "a%_.example", &over_long] {
            assert!(matches!(spec(text), DomainSpec::Macros(_)), "{text}");
        }
    }

    /// The short way and the close look come to the same.
    #[test]
    fn plain_names_are_what_a_close_look_finds() {
        let most = format!("{}example", "b.".repeat(122));
        let texts = [
            "a.example",
            "a.example.",
            "a..example",
            ".a.example",
            "a.1example",
            "a.123",
            "a.b-c",
            "a.-b",
            "a",
            "a.",
            ".",
            "",
            "..",
            "_spf.a.example",
            "a:b/c.example",
            "a.b_c",
            "A.example",
            "a%.b",
            "é.b",
            "a b.example",
            &most,
            &format!("b{most}"),
            &format!("bbb{most}"),
            &format!("{}.example", "a".repeat(63)),
            &format!("{}.example", "a".repeat(64)),
            &format!("a.{}", "b".repeat(64)),
        ];
        for text in texts {
            let closely = DomainSpec::parse_closely(text, 3);
            match plain_name(text) {
                Some(name) => assert_eq!(closely, Ok(DomainSpec::Literal(Some(name))), "{text}"),
                None => assert_eq!(DomainSpec::parse_at(text, 3), closely, "{text}"),
            }
        }
        assert_eq!(plain_name("_spf.a1.example."), Some("_spf.a1.example"));
        assert_eq!(plain_name(&most), Some(&*most));
    }

    #[test]
    fn labels_have_octets_but_not_too_many() {
        let most = "a".repeat(63);
        for good in ["a", "a.b", &most, &format!("{most}.{most}")] {
            assert!(is_askable(good), "{good}");
        }
        for bad in ["", ".", ".a", "a.", "a..b", &format!("a.{most}a"), &format!("{most}a.a")] {
            assert!(!is_askable(bad), "{bad}");
        }
        assert!(is_askable(&"a.".repeat(127)[..NAME_OCTETS_MAX]));
        assert!(!is_askable(&format!("{}a", "a.".repeat(127))));
    }

    #[test]
    fn long_names_lose_labels_from_the_left() {
        let mut long = format!("{}.{}", "a".repeat(60), "b.".repeat(120) + "example");
        assert_eq!(target_name(&mut long), Some(&*("b.".repeat(120) + "example")));
        assert_eq!(target_name(&mut "a..example".to_owned()), None);
        assert_eq!(target_name(&mut "a".repeat(300)), None);
    }
}
