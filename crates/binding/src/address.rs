use std::fmt;

use quivive_mail::{MailDomain, Mailbox};
use unicode_normalization::UnicodeNormalization;

use crate::Rules;

/// An address as grants compare it: the domain as A-labels in lower case, the local part without
/// quotes, in NFC, and in lower case where case does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    local_part: String,
    domain: String,
}

/// What may part a mailbox from a route in a local part (`victim%there@here`), also as the forms
/// that a next hop may fold into the plain ones.
const ROUTING: [char; 9] =
    ['%', '!', '@', '\u{ff05}', '\u{ff01}', '\u{ff20}', '\u{fe6a}', '\u{fe57}', '\u{fe6b}'];

impl Address {
    /// The address of a mailbox.
    pub fn new(mailbox: &Mailbox, rules: &Rules) -> Self {
        let domain = match mailbox.domain() {
            MailDomain::Literal(_) => mailbox.domain().to_string().to_lowercase(),
            name @ MailDomain::Name(_) => name.to_ascii().unwrap_or_default(),
        };
        Self { local_part: folded(mailbox.local_part(), rules), domain }
    }

    /// Reads an address as somebody wrote it, without angle brackets.
    pub fn parse(text: &str, rules: &Rules) -> Option<Self> {
        mailbox(text).map(|mailbox| Self::new(&mailbox, rules))
    }

    /// The domain, as A-labels; an address literal with its brackets.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The local part, without quotes.
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// Whether a host might take the local part for a route to elsewhere, and so for another's
    /// address.
    pub fn is_routed(&self) -> bool {
        self.local_part.contains(ROUTING)
    }

    /// The same without what stands behind the first separator: `user+box` is `user`'s.
    pub(crate) fn without_detail(&self, rules: &Rules) -> Option<Self> {
        let found = self.local_part.find(|c| rules.detail_separators.contains(c));
        let base = &self.local_part[..found.filter(|at| *at > 0)?];
        Some(Self { local_part: base.to_owned(), domain: self.domain.clone() })
    }

    /// The local part as it is written in an address: quoted where it has to be.
    pub(crate) fn written_local_part(&self) -> String {
        let atom = |c: char| {
            c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
        };
        let is_atom = |part: &str| !part.is_empty() && part.chars().all(atom);
        if self.local_part.split('.').all(is_atom) {
            return self.local_part.clone();
        }
        let escaped = self.local_part.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.written_local_part(), self.domain)
    }
}

/// A mailbox as it stands in a reverse-path, without its angle brackets.
pub(crate) fn mailbox(text: &str) -> Option<Mailbox> {
    use quivive_mail::{Charset, ReversePath};
    match ReversePath::parse(format!("<{text}>").as_bytes(), Charset::Utf8) {
        Ok(ReversePath::Mailbox(mailbox)) => Some(mailbox),
        Ok(ReversePath::Null) | Err(_) => None,
    }
}

/// A local part or a login as it is compared.
pub(crate) fn folded(text: &str, rules: &Rules) -> String {
    let composed: String = text.nfc().collect();
    if rules.fold_case { composed.to_lowercase() } else { composed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> String {
        Address::parse(text, &Rules::default()).unwrap().to_string()
    }

    #[test]
    fn one_form_for_one_address() {
        for (text, expected) in [
            ("Alice@E.TEST", "alice@e.test"),
            ("\"alice\"@e.test", "alice@e.test"),
            ("\"a\\l\\ice\"@e.test", "alice@e.test"),
            ("\"a b\"@e.test", "\"a b\"@e.test"),
            ("\"a\\\"\\\\\"@e.test", "\"a\\\"\\\\\"@e.test"),
            ("a@b\u{fc}cher.test", "a@xn--bcher-kva.test"),
            ("a@XN--BCHER-KVA.test", "a@xn--bcher-kva.test"),
            ("jo\u{308}rg@e.test", "j\u{f6}rg@e.test"),
            ("a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
        let exact = Rules { fold_case: false, ..Rules::default() };
        assert_eq!(Address::parse("Alice@E.TEST", &exact).unwrap().to_string(), "Alice@e.test");
    }

    #[test]
    fn what_is_no_address() {
        for text in ["", "alice", "alice@", "@e.test", "alice@e.test.", "@r.test:alice@e.test"] {
            assert_eq!(Address::parse(text, &Rules::default()), None, "{text}");
        }
    }

    #[test]
    fn details_are_cut_at_the_first_separator() {
        let base = |text| {
            let rules = Rules { detail_separators: "+-".into(), ..Rules::default() };
            let address = Address::parse(text, &rules).unwrap();
            address.without_detail(&rules).map(|base| base.to_string())
        };
        assert_eq!(base("alice+x@e.test").as_deref(), Some("alice@e.test"));
        assert_eq!(base("alice-x+bob@e.test").as_deref(), Some("alice@e.test"));
        assert_eq!(base("+x@e.test"), None);
        assert_eq!(base("alice@e.test"), None);
    }

    #[test]
    fn routes_in_local_parts() {
        let routed = |text| Address::parse(text, &Rules::default()).unwrap().is_routed();
        for text in ["a%b@e.test", "b!a@e.test", "\"a@b\"@e.test", "a\u{ff05}b@e.test"] {
            assert!(routed(text), "{text}");
        }
        assert!(!routed("a.b+c@e.test"));
    }
}
