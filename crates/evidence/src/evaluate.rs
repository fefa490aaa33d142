use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{
    Answer, Derived, DomainName, Facts, Finding, Missing, Mx, Octets, StoredQuestion, Txt,
};

/// What the world answered so far: look-ups by type, each `None` where nothing is known yet.
///
/// Names of DNS are in the form of [`crate::DnsQuestion::name`]. An answer, once given in an
/// evaluation, stays until that evaluation is done, whatever its TTL.
pub trait Evidence {
    /// The IPv4 addresses of a name.
    fn ipv4(&self, name: &str) -> Option<&Answer<Ipv4Addr>>;
    /// The IPv6 addresses of a name.
    fn ipv6(&self, name: &str) -> Option<&Answer<Ipv6Addr>>;
    /// The mail exchangers of a name.
    fn mx(&self, name: &str) -> Option<&Answer<Mx>>;
    /// The names that a reverse name points to.
    fn ptr(&self, name: &str) -> Option<&Answer<DomainName>>;
    /// The text records of a name.
    fn txt(&self, name: &str) -> Option<&Answer<Txt>>;
    /// As [`Evidence::txt`], and the place for what is derived from this answer and others; none
    /// where an answer may be another one tomorrow.
    fn txt_with_derived(&self, name: &str) -> Option<(&Answer<Txt>, Option<&Derived>)> {
        Some((self.txt(name)?, None))
    }
    /// The records of any other type, as raw RDATA.
    fn other(&self, name: &str, record_type: u16) -> Option<&Answer<Octets>>;
    /// The entries that are stored under a key of a table.
    fn stored(&self, question: &StoredQuestion) -> Option<&Answer<Octets>>;
}

/// A method, set up for one identity: a pure function of facts and evidence.
pub trait Evaluate: Send + Sync {
    /// Evaluates from the start with what is known.
    fn evaluate(&self, facts: &Facts, evidence: &dyn Evidence) -> Evaluation;

    /// The finding when a driver's bound ends the evaluation before it is done: temperror (or what
    /// the method calls it) with this cause.
    fn give_up(&self, facts: &Facts, cause: &'static str) -> Finding;
}

/// What came of one evaluation.
#[derive(Debug)]
pub enum Evaluation {
    /// The finding. All questions it depends on had been answered.
    Done(Box<Finding>),
    /// Questions that need answers first; never empty.
    Missing(Missing),
}
