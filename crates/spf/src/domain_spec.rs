use crate::macro_string::{Item, Letter, MacroString, Place};
use crate::syntax::{SyntaxError, SyntaxErrorKind};

/// How long a name may be in text form (RFC 7208 section 7.3); longer ones lose labels from the
/// left.
pub const NAME_OCTETS_MAX: usize = 253;

/// The argument of a mechanism or modifier: text and macros that name a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainSpec {
    /// Without macros: the name that is asked, or nothing where it can be no name in DNS.
    Literal(Option<Box<str>>),
    /// With macros.
    Macros(MacroString),
}

impl DomainSpec {
    /// Parses a domain-spec that begins at `offset` of its record.
    pub(crate) fn parse_at(text: &str, offset: usize) -> Result<Self, SyntaxError> {
        let macros = MacroString::parse_at(text, offset, Place::Record)?;
        if !ends_well(text, &macros) {
            return Err(SyntaxErrorKind::DomainEnd.at(offset..offset + text.len()));
        }
        Ok(match macros.literal() {
            Some(name) => Self::Literal(target_name(name.to_owned()).map(Into::into)),
            None => Self::Macros(macros),
        })
    }

    /// Whether the name may be asked before it is known to be needed. A name that holds something
    /// of the sender tells its domain about a message, so that it waits until it must be asked.
    pub(crate) fn may_go_ahead(&self) -> bool {
        const OF_THE_SENDER: &[Letter] =
            &[Letter::Sender, Letter::LocalPart, Letter::SenderDomain, Letter::Helo];
        match self {
            Self::Literal(_) => true,
            Self::Macros(macros) => !macros.uses(OF_THE_SENDER),
        }
    }
}

/// domain-end = ( "." toplabel [ "." ] ) / macro-expand
fn ends_well(text: &str, macros: &MacroString) -> bool {
    let tail = match macros.items.last() {
        None => return false,
        Some(Item::Macro(_)) => return true,
        // `%%`, `%_` and `%-` are macro-expands, too.
        Some(Item::Literal(_)) if ends_in_escape(text) => return true,
        Some(Item::Literal(tail)) => tail,
    };
    let tail = tail.strip_suffix('.').unwrap_or(tail);
    tail.rsplit_once('.').is_some_and(|(_, label)| is_toplabel(label))
}

/// Whether the last two octets are an escape: in `%%-` the percent sign stands for itself.
fn ends_in_escape(text: &str) -> bool {
    let before = text.strip_suffix(['%', '_', '-']).unwrap_or("");
    (before.len() - before.trim_end_matches('%').len()) % 2 == 1
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
pub(crate) fn target_name(mut name: String) -> Option<String> {
    if name.ends_with('.') {
        name.pop();
    }
    while name.len() > NAME_OCTETS_MAX {
        let dot = name.find('.')?;
        name.drain(..=dot);
    }
    name.make_ascii_lowercase();
    is_askable(&name).then_some(name)
}

/// Whether a name can be asked for: labels of 1 to 63 octets.
pub(crate) fn is_askable(name: &str) -> bool {
    let mut label = 0;
    for octet in name.bytes() {
        match octet {
            b'.' if matches!(label, 1..=63) => label = 0,
            b'.' => return false,
            _ => label += 1,
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
        let long = format!("{}.{}", "a".repeat(60), "b.".repeat(120) + "example");
        let name = target_name(long).unwrap();
        assert_eq!(name, "b.".repeat(120) + "example");
        assert_eq!(target_name("a..example".to_owned()), None);
        assert_eq!(target_name("a".repeat(300)), None);
    }
}
