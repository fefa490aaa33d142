//! The rules of a running server: whom it rewrites, what comes back to it, and from whom.

use std::fmt;

use quivive_mail::domain::{is_within, to_ascii};

use crate::address::{Fault, PATH_OCTETS};
use crate::forward::{Forwarded, Unusable};
use crate::reverse::{Form, Original, Refusal, Reversed};
use crate::texts::texts;
use crate::{Srs, Unsigned};

/// How often an address that comes back may turn out to be another of our own.
const UNWINDINGS_MAX: usize = 3;

/// What a forwarder goes by. Domains are A-labels in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The domain of rewritten addresses.
    pub domain: String,
    /// Further domains at which rewritten addresses come back: those of former years, or of other
    /// machines.
    pub former_domains: Vec<String>,
    /// Domains whose senders are never rewritten: they are ours, and their SPF records name us.
    pub own_domains: Vec<String>,
    /// Only senders in one of these domains or below are rewritten. Empty: all.
    pub only: Vec<String>,
    /// Senders in one of these domains or below are not rewritten.
    pub except: Vec<String>,
    /// Those of our domains at which addresses of the early form without a hash still come back.
    /// Whoever knows that can have bounces sent anywhere.
    pub unsigned_domains: Vec<String>,
    /// Octets of a rewritten local part. Longer ones are not written.
    pub local_part_max: usize,
    /// What comes back to rewritten addresses.
    pub bounces: Bounces,
}

/// What may come back to rewritten addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bounces {
    /// Reports about mail that was not delivered: from the null sender, `mailer-daemon` or
    /// `postmaster`.
    Only,
    /// Anything.
    OrAnything,
}

/// Rewrites what goes out, and finds where that belongs which comes back.
#[derive(Debug, Clone)]
pub struct Forwarder {
    srs: Srs,
    policy: Policy,
}

/// Under which reverse-path mail is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// One of ours.
    Rewritten(String),
    /// The sender's own, with the reason.
    Kept(Kept),
}

/// Why a sender is not rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is the null sender.
    Null,
    /// It is at one of our own domains.
    Own,
    /// It is an address of our own rewriting.
    Ours,
    /// Its domain is not among those that are rewritten.
    NotListed,
    /// Its domain is excepted.
    Excepted,
    /// It would become too long to be taken everywhere.
    TooLong,
    /// It is tagged as rewritten, and is not.
    Unusable(Unusable),
    /// It is no address.
    Fault(Fault),
}

impl Kept {
    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Null => "the null sender is never rewritten",
            Self::Own => "the sender's domain is our own",
            Self::Ours => "the sender is an address of our own rewriting",
            Self::NotListed => "the sender's domain is not among those to rewrite",
            Self::Excepted => "the sender's domain is excepted from rewriting",
            Self::TooLong => "the rewritten address would be too long",
            Self::Unusable(reason) => reason.text(),
            Self::Fault(fault) => fault.text(),
        }
    }
}

texts!(Kept);

/// What a recipient is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// A rewritten address: mail for it goes to this one.
    Original(Original),
    /// An address in the early form, at a domain that still takes it.
    Unsigned(Unsigned),
    /// Nothing of ours: another domain, or an ordinary address at one of our domains.
    NotOurs,
    /// Tagged as an address of ours, and not believed.
    Refused(ReturnRefusal),
}

/// Why mail for an address at our domain does not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReturnRefusal {
    /// Its hash or stamp.
    Srs(Refusal),
    /// It is no bounce.
    NotABounce,
    /// It has the early form without a hash.
    Unsigned(Unsigned),
    /// What it holds is no address any more.
    Fault(Fault),
}

impl ReturnRefusal {
    /// The refusal in words.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Srs(refusal) => refusal.text(),
            Self::NotABounce => "Only bounces are taken for rewritten addresses.",
            Self::Unsigned(_) => "Unsigned forwarding address: anybody could have written it.",
            Self::Fault(fault) => fault.text(),
        }
    }

    /// The result in a word, as it stands in logs and statistics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Srs(Refusal::Expired { .. }) => "expired",
            _ => "fail",
        }
    }
}

texts!(ReturnRefusal);

impl Forwarder {
    /// A forwarder by these rules.
    pub fn new(srs: Srs, policy: Policy) -> Self {
        Self { srs, policy }
    }

    /// What rewrites its addresses.
    pub fn srs(&self) -> &Srs {
        &self.srs
    }

    /// Its rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether rewritten addresses at this domain are ours.
    pub fn is_ours(&self, domain: &str) -> bool {
        let domain = to_ascii(domain);
        domain == self.policy.domain || self.policy.former_domains.contains(&domain)
    }

    /// Whether an address has the tag of one that we rewrote, and is at a domain of ours.
    pub fn is_tagged(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        is_tagged(address) && domain.is_some_and(|domain| self.is_ours(domain))
    }

    /// Under which reverse-path mail from `sender` is handed on to others. `now` is in seconds
    /// since 1970.
    pub fn forward(&self, sender: &str, now: u64) -> Written {
        match self.kept(sender) {
            Some(reason) => Written::Kept(reason),
            None => self.rewrite(sender, now),
        }
    }

    /// The reason not to rewrite a sender, if there is one before it is tried.
    fn kept(&self, sender: &str) -> Option<Kept> {
        if sender.is_empty() {
            return Some(Kept::Null);
        }
        let (_, domain) = sender.rsplit_once('@')?;
        let domain = to_ascii(domain);
        let policy = &self.policy;
        let within = |domains: &[String]| domains.iter().any(|other| is_within(&domain, other));
        if self.is_ours(&domain) {
            return Some(if is_tagged(sender) { Kept::Ours } else { Kept::Own });
        }
        if policy.own_domains.contains(&domain) {
            return Some(Kept::Own);
        }
        if within(&policy.except) {
            return Some(Kept::Excepted);
        }
        (!policy.only.is_empty() && !within(&policy.only)).then_some(Kept::NotListed)
    }

    fn rewrite(&self, sender: &str, now: u64) -> Written {
        let address = match self.srs.forward(sender, &self.policy.domain, now) {
            Ok(Forwarded::Rewritten(address)) => address,
            Ok(Forwarded::SameDomain) => return Written::Kept(Kept::Own),
            Ok(Forwarded::Unusable(reason)) => return Written::Kept(Kept::Unusable(reason)),
            Err(Fault::Null) => return Written::Kept(Kept::Null),
            Err(fault) => return Written::Kept(Kept::Fault(fault)),
        };
        let local_part = address.rfind('@').unwrap_or(address.len());
        if local_part > self.policy.local_part_max || address.len() + 2 > PATH_OCTETS {
            return Written::Kept(Kept::TooLong);
        }
        Written::Rewritten(address)
    }

    /// Where mail for `recipient` belongs if that is an address that we rewrote. `sender` is the
    /// reverse-path of the mail; none if it is not known. `now` is in seconds since 1970.
    pub fn reverse(&self, recipient: &str, sender: Option<&str>, now: u64) -> Returned {
        let Some((_, domain)) = recipient.rsplit_once('@') else { return Returned::NotOurs };
        if !self.is_ours(domain) {
            return Returned::NotOurs;
        }
        let returned = match self.srs.reverse(recipient, now) {
            Ok(Reversed::NotSrs) => return Returned::NotOurs,
            Ok(Reversed::Original(original)) => self.unwound(original, now),
            Ok(Reversed::Unsigned(unsigned)) if self.takes_unsigned(domain) => {
                Returned::Unsigned(unsigned)
            }
            Ok(Reversed::Unsigned(unsigned)) => {
                return Returned::Refused(ReturnRefusal::Unsigned(unsigned));
            }
            Ok(Reversed::Refused(refusal)) => Returned::Refused(ReturnRefusal::Srs(refusal)),
            Err(fault) => Returned::Refused(ReturnRefusal::Fault(fault)),
        };
        let found = matches!(returned, Returned::Original(_) | Returned::Unsigned(_));
        if found && !sender.is_none_or(|sender| self.may_return(sender)) {
            return Returned::Refused(ReturnRefusal::NotABounce);
        }
        returned
    }

    /// We may have been the first forwarder as well as a later one: then what comes back is an
    /// address of ours again.
    fn unwound(&self, mut original: Original, now: u64) -> Returned {
        for _ in 0..UNWINDINGS_MAX {
            let domain = original.address.rsplit_once('@').map(|(_, domain)| domain);
            if original.form == Form::Srs0 || !domain.is_some_and(|domain| self.is_ours(domain)) {
                return Returned::Original(original);
            }
            match self.srs.reverse(&original.address, now) {
                Ok(Reversed::Original(inner)) => original = inner,
                Ok(Reversed::Refused(refusal)) => {
                    return Returned::Refused(ReturnRefusal::Srs(refusal));
                }
                Ok(Reversed::NotSrs | Reversed::Unsigned(_)) => break,
                Err(fault) => return Returned::Refused(ReturnRefusal::Fault(fault)),
            }
        }
        Returned::Refused(ReturnRefusal::Srs(Refusal::HashInvalid))
    }

    fn takes_unsigned(&self, domain: &str) -> bool {
        self.policy.unsigned_domains.contains(&to_ascii(domain))
    }

    fn may_return(&self, sender: &str) -> bool {
        self.policy.bounces == Bounces::OrAnything || is_reporter(sender)
    }
}

/// Whether reports about undelivered mail come from there (RFC 3464 section 2: the null
/// reverse-path; some servers use these names).
fn is_reporter(sender: &str) -> bool {
    let local = sender.rsplit_once('@').map_or(sender, |(local, _)| local);
    sender.is_empty()
        || ["mailer-daemon", "postmaster"].iter().any(|name| local.eq_ignore_ascii_case(name))
}

fn is_tagged(address: &str) -> bool {
    let local = address.strip_prefix('"').unwrap_or(address);
    crate::fields::Tagged::parse(local).is_some()
}

/// How an address came back: `SRS0 in the manner of mail-srs, secret 1, 3 days old`.
impl fmt::Display for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.secret + 1;
        write!(f, "{} in the manner of {}, secret {secret}", self.form, self.dialect)?;
        match self.age_days {
            Some(1) => f.write_str(", a day old"),
            Some(days) => write!(f, ", {days} days old"),
            None => Ok(()),
        }
    }
}
