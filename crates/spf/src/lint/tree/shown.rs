//! The tree for people.

use quivive_evidence::{LintNode, grouped};

use super::{Branch, Leaf, State, Trouble};

impl Branch {
    /// The whole tree. `record` is the text of the root.
    pub(crate) fn shown(&self, domain: Option<&str>, record: &str) -> LintNode {
        let permits = self.permits();
        let mut whom = Vec::new();
        match permits.ipv4_count() {
            0 => {}
            1 => whom.push("1 IPv4 address".to_owned()),
            count => whom.push(format!("{} IPv4 addresses", grouped(count))),
        }
        if permits.has_ipv6() {
            whom.push("IPv6".to_owned());
        }
        let mut note = counted(self.terms(), "look-up term");
        if !whom.is_empty() {
            note.push_str(&format!(", permits {}", whom.join(" and ")));
        }
        let text = match domain {
            Some(domain) => domain.to_owned(),
            None => record.to_owned(),
        };
        LintNode { text, note, children: self.leaves.iter().map(Leaf::shown).collect() }
    }
}

impl Leaf {
    fn shown(&self) -> LintNode {
        let below = self.below.as_deref();
        let mut notes = Vec::new();
        if self.terms() > 0 {
            notes.push(counted(self.terms(), "look-up term"));
        }
        match self.void().worst() {
            0 => {}
            void => notes.push(format!("{void} void")),
        }
        notes.extend(below.and_then(|below| below.state.words()));
        notes.extend(self.trouble.as_ref().map(Trouble::words));
        let children = below.map_or(&[][..], |below| &below.leaves);
        LintNode {
            text: self.text.clone(),
            note: notes.join(", "),
            children: children.iter().map(Self::shown).collect(),
        }
    }
}

impl State {
    fn words(&self) -> Option<String> {
        Some(match self {
            Self::Record => return None,
            Self::Broken(_) => "the record is broken".to_owned(),
            Self::Several => "several records".to_owned(),
            Self::NoRecord => "no record".to_owned(),
            Self::NoDomain => "no such domain".to_owned(),
            Self::Failed(failure) => format!("no answer ({})", failure.token()),
            Self::Loop => "a loop".to_owned(),
            Self::Unknown => "not looked up".to_owned(),
        })
    }
}

impl Trouble {
    fn words(&self) -> String {
        match self {
            Self::NoAddress(name) => format!("{name} has no address"),
            Self::NoMx(name) => format!("{name} has no MX"),
            Self::NullMx(name) => format!("{name} takes no mail"),
            Self::ManyMx(name, count) => format!("{name} has {count} MX"),
            Self::Failed(name, failure) => format!("no answer about {name} ({})", failure.token()),
        }
    }
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
