use std::borrow::Cow;
use std::net::IpAddr;

use quivive_evidence::{Facts, Identity};
use quivive_mail::domain;

use crate::Scope;
use crate::domain_spec::is_askable;

/// What check_host() is called with (RFC 7208 section 4.1), and what its macros may name.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// `<ip>`; never an IPv4-mapped IPv6 address.
    pub address: IpAddr,
    /// The local part of `<sender>`.
    pub local_part: &'a str,
    /// The domain of `<sender>`: as it was written, but A-labels.
    pub sender_domain: Cow<'a, str>,
    /// The argument of HELO or EHLO, as it was said.
    pub helo: &'a str,
    /// The name of the host that performs the check.
    pub receiver: &'a str,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// Which records hold the policy.
    pub scope: Scope,
    domain: String,
    domain_is_well_formed: bool,
}

impl<'a> Request<'a> {
    /// The request for an identity: [`Identity::Helo`], or else the reverse-path.
    ///
    /// The null reverse-path stands for `postmaster` at the HELO name (RFC 7208 section 2.4), and
    /// so does a missing local part for `postmaster` (section 4.3).
    pub fn new(facts: &'a Facts, identity: Identity) -> Self {
        let of_helo = identity == Identity::Helo || facts.reverse_path.is_empty();
        let sender = match facts.reverse_path.rsplit_once('@') {
            _ if of_helo => ("", &*facts.helo),
            Some(parts) => parts,
            None => ("", &*facts.reverse_path),
        };
        Self {
            receiver: &facts.receiver,
            now: facts.now,
            ..Self::of_sender(facts.client_address, sender, &facts.helo)
        }
    }

    /// The request for a sender's local part, which may be missing, and domain; of the receiver
    /// nothing is known.
    pub fn of_sender(address: IpAddr, sender: (&'a str, &'a str), helo: &'a str) -> Self {
        let (local_part, sender_domain) = sender;
        let domain = domain::to_ascii(sender_domain);
        Self {
            address: address.to_canonical(),
            local_part: if local_part.is_empty() { "postmaster" } else { local_part },
            sender_domain: if sender_domain.is_ascii() {
                sender_domain.into()
            } else {
                domain.clone().into()
            },
            helo,
            receiver: "",
            now: 0,
            scope: Scope::Spf,
            domain_is_well_formed: is_well_formed(&domain),
            domain,
        }
    }

    /// `<domain>`: A-labels in lower case, without a closing dot.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether `<domain>` can have a record at all (RFC 7208 section 4.3): several labels, none of
    /// them empty or over-long, no address literal.
    pub(crate) fn domain_is_well_formed(&self) -> bool {
        self.domain_is_well_formed
    }
}

fn is_well_formed(domain: &str) -> bool {
    domain.contains('.')
        && !domain.starts_with('[')
        && domain.bytes().all(|octet| octet.is_ascii_graphic())
        && is_askable(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(helo: &str, reverse_path: &str) -> Facts {
        let mut facts = Facts::new([192, 0, 2, 1].into());
        facts.helo = helo.to_owned();
        facts.reverse_path = reverse_path.to_owned();
        facts
    }

    #[track_caller]
    fn sender(facts: &Facts, identity: Identity, expected: &str) {
        let request = Request::new(facts, identity);
        assert_eq!(format!("{}@{}", request.local_part, request.sender_domain), expected);
    }

    #[test]
    fn senders() {
        let both = facts("mx.example.net", "a@b@Example.com");
        sender(&both, Identity::Mailfrom, "a@b@Example.com");
        sender(&both, Identity::Helo, "postmaster@mx.example.net");
        sender(&facts("mx.example.net", ""), Identity::Mailfrom, "postmaster@mx.example.net");
        sender(&facts("", "@example.com"), Identity::Mailfrom, "postmaster@example.com");
        sender(&facts("", "a@bücher.example"), Identity::Mailfrom, "a@xn--bcher-kva.example");
    }

    #[test]
    fn domains_that_have_no_record() {
        for bad in ["", "localhost", "[192.0.2.1]", "a..b", &"a".repeat(64), "a b.example"] {
            let facts = facts(bad, "");
            assert!(!Request::new(&facts, Identity::Helo).domain_is_well_formed(), "{bad}");
        }
    }
}
