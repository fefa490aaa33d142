//! DMP, the Designated Mailers Protocol: a TXT record at a name of its own for each permitted
//! address, below `_smtp-client.DOMAIN`.
//!
//! One look-up answers for a client and a domain; a second, for the domain's base record, tells a
//! client that is not listed from a domain that does not take part.

mod check;
mod value;

use std::fmt::Write;
use std::net::IpAddr;

use quivive_evidence::reverse_name;

pub use check::Dmp;
pub use value::{ALTERNATIVES_MAX, Extension, Role, Value};

/// The label before the domain or host.
pub const LABEL: &str = "_smtp-client";

/// How many questions a check may use: for each of two names the client's and the base record, and
/// the client's at the alternatives of both.
pub const QUESTIONS_MAX: usize = 10;

/// How long a domain or host may be: with the longest address before it, it must be a name in DNS.
pub const NAME_OCTETS_MAX_IPV4: usize = 216;

/// As [`NAME_OCTETS_MAX_IPV4`], for IPv6.
pub const NAME_OCTETS_MAX_IPV6: usize = 172;

/// What the drafts leave to the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Judges the HELO name where the sender's domain refuses the client: a forwarder may be listed
    /// there. Whoever has a domain of his own can list himself, so that it proves nothing about the
    /// sender's domain.
    pub helo_alternative: bool,
    /// Takes a domain that does not take part as it is; otherwise it counts as one that refuses.
    pub accept_non_dmp: bool,
    /// A name that both allows and denies is taken as if it did neither, as the drafts have it;
    /// otherwise it is an error.
    pub strict: bool,
    /// Acts on the extensions of draft-fecyk-dmp-02 appendix B: alternative domains and roles.
    pub extensions: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { helo_alternative: false, accept_non_dmp: true, strict: false, extensions: false }
    }
}

/// The name of the base record of a domain or host.
pub fn base_name(name: &str) -> String {
    format!("{LABEL}.{name}")
}

/// The name of the record for a client at a domain or host: its address as reverse names have it.
pub fn client_name(client: IpAddr, name: &str) -> String {
    let mut owner = reverse_name(client);
    owner.truncate(owner.len() - ".arpa".len());
    write!(owner, ".{LABEL}.{name}").expect("a String takes all text");
    owner
}

/// Whether a domain or host can have records for all clients of a family.
pub(crate) fn is_short_enough(name: &str, client: IpAddr) -> bool {
    name.len() <= if client.is_ipv4() { NAME_OCTETS_MAX_IPV4 } else { NAME_OCTETS_MAX_IPV6 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sheet dmp.md, part A section 2.
    #[test]
    fn section_2_names() {
        assert_eq!(
            client_name([192, 0, 2, 1].into(), "example.com"),
            "1.2.0.192.in-addr._smtp-client.example.com"
        );
        assert_eq!(
            client_name("2345:c1:ca11:1:1234:5678:9abc:def0".parse().unwrap(), "n.test"),
            "0.f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.1.0.0.0.1.1.a.c.1.c.0.0.5.4.3.2.ip6._smtp-client.n.test"
        );
        assert_eq!(base_name("mx.example.com"), "_smtp-client.mx.example.com");
    }

    /// Sheet dmp.md, part A section 7.
    #[test]
    fn section_7_lengths() {
        let longest = |client: IpAddr, octets: usize| {
            let name = "a.".repeat(octets / 2) + "a";
            client_name(client, &name[name.len() - octets..]).len()
        };
        assert_eq!(longest([255; 4].into(), NAME_OCTETS_MAX_IPV4), 253);
        assert_eq!(longest([255; 16].into(), NAME_OCTETS_MAX_IPV6), 253);
    }
}
