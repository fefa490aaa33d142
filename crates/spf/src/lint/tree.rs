//! The record with all that it includes: what each term costs and whom it permits.
//!
//! The way that is followed is that of a host that nothing permits: every term up to an `all` is
//! evaluated, which is the most that a check can cost (RFC 7208 section 4.6.4).

mod grow;
mod name;
pub(crate) mod shown;

use quivive_evidence::Failure;

use super::addresses::Addresses;
use crate::record::Qualifier;

pub use grow::RECORDS_MAX;
pub(crate) use grow::{grow, grow_text};
pub(crate) use name::name_of;

/// A record in the tree.
#[derive(Debug)]
pub(crate) struct Branch {
    /// Whose it is; empty for a text that stands alone.
    pub(crate) domain: String,
    pub(crate) state: State,
    /// Its terms, in order, up to an `all`.
    pub(crate) leaves: Vec<Leaf>,
}

/// Whether there is a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// One that can be used.
    Record,
    /// One that breaks the grammar, with the first error in words.
    Broken(String),
    /// More than one.
    Several,
    /// The domain exists and has none.
    NoRecord,
    /// The domain does not exist.
    NoDomain,
    /// DNS gives no answer.
    Failed(Failure),
    /// It was met on the way here.
    Loop,
    /// It was not asked for, or nobody has answered yet.
    Unknown,
}

/// A term in the tree.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// As it is written.
    pub(crate) text: String,
    /// Which term of the record that is looked over; 0 in others' records.
    pub(crate) index: usize,
    /// None for `redirect`.
    pub(crate) qualifier: Option<Qualifier>,
    /// Whether it is a look-up term by itself.
    pub(crate) counts: bool,
    pub(crate) void: Void,
    /// Whom it matches, as far as that does not depend on the message.
    pub(crate) matches: Addresses,
    /// Whether it can match anything else.
    pub(crate) varies: bool,
    /// What is wrong with what it asks for.
    pub(crate) trouble: Option<Trouble>,
    /// The record that it includes or redirects to.
    pub(crate) below: Option<Box<Branch>>,
}

/// What is wrong with what a term asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The name has no address.
    NoAddress(String),
    /// The name has no mail exchanger.
    NoMx(String),
    /// It says that it takes no mail (RFC 7505).
    NullMx(String),
    /// It has this many mail exchangers, more than [`MX_HOSTS_MAX`](crate::matching::MX_HOSTS_MAX).
    ManyMx(String, usize),
    /// DNS gives no answer about it.
    Failed(String, Failure),
}

/// How many look-ups find nothing, by the family of the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Void {
    pub(crate) ipv4: usize,
    pub(crate) ipv6: usize,
}

impl Branch {
    /// Whether it is known to the end.
    pub(crate) fn is_complete(&self) -> bool {
        !matches!(self.state, State::Unknown | State::Failed(_))
            && self
                .leaves
                .iter()
                .all(|leaf| leaf.below.as_ref().is_none_or(|below| below.is_complete()))
    }

    /// Whether every record below can be used.
    pub(crate) fn is_sound(&self) -> bool {
        self.state == State::Record
            && self
                .leaves
                .iter()
                .all(|leaf| leaf.below.as_ref().is_none_or(|below| below.is_sound()))
    }

    /// Whether whom it permits depends on the message, or on what is not known.
    fn varies(&self) -> bool {
        let exceptions_count = !self.permits().is_empty();
        self.state == State::Unknown
            || self.leaves.iter().any(|leaf| leaf.varies && (leaf.permits() || exceptions_count))
    }

    /// How many look-up terms there are.
    pub(crate) fn terms(&self) -> usize {
        self.leaves.iter().map(Leaf::terms).sum()
    }

    /// How many look-ups find nothing.
    pub(crate) fn void(&self) -> Void {
        self.leaves.iter().map(Leaf::void).fold(Void::default(), Void::plus)
    }

    /// Whom it permits, as far as that does not depend on the message. The first term that matches
    /// decides, so that each has its say over all behind it.
    pub(crate) fn permits(&self) -> Addresses {
        let mut permits = Addresses::default();
        for leaf in self.leaves.iter().rev() {
            match leaf.permits() {
                true => permits.add(&leaf.matches),
                false => permits.remove(&leaf.matches),
            }
        }
        permits
    }
}

impl Leaf {
    /// A term before anything is known of it.
    fn new(text: &str, qualifier: Qualifier) -> Self {
        Self {
            text: text.to_owned(),
            index: 0,
            qualifier: Some(qualifier),
            counts: false,
            void: Void::default(),
            matches: Addresses::default(),
            varies: false,
            trouble: None,
            below: None,
        }
    }

    /// Whether a match is a pass. Behind a redirect only what passes is noted as matching.
    pub(crate) fn permits(&self) -> bool {
        matches!(self.qualifier, None | Some(Qualifier::Pass))
    }

    /// Whether a check that comes to it can end there with an error.
    pub(crate) fn may_fail(&self) -> bool {
        let fails = matches!(self.trouble, Some(Trouble::Failed(..) | Trouble::ManyMx(..)));
        let below_fails = |below: &Branch| {
            below.state != State::Record || below.leaves.iter().any(Self::may_fail)
        };
        fails || self.below.as_deref().is_some_and(below_fails)
    }

    /// How many look-up terms it costs, with all below it.
    pub(crate) fn terms(&self) -> usize {
        usize::from(self.counts) + self.below.as_ref().map_or(0, |below| below.terms())
    }

    /// How many look-ups of it find nothing, with all below it.
    pub(crate) fn void(&self) -> Void {
        self.below.as_ref().map_or(self.void, |below| self.void.plus(below.void()))
    }
}

impl Void {
    fn plus(self, other: Self) -> Self {
        Self { ipv4: self.ipv4 + other.ipv4, ipv6: self.ipv6 + other.ipv6 }
    }

    /// For the family for which there are more.
    pub(crate) fn worst(self) -> usize {
        self.ipv4.max(self.ipv6)
    }
}
