//! Whether a mechanism matches (RFC 7208 section 5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use arrayvec::{ArrayString, ArrayVec};
use quivive_evidence::{Ahead, Answer, DomainName, Evidence, Mx, RecordType, write_reverse_name};
use quivive_mail::domain::is_within;

use crate::cause::Cause;
use crate::conclusion::Stop;
use crate::domain_spec::{DomainSpec, is_askable};
use crate::record::{DualPrefix, Name};
use crate::step::Place;
use crate::target::{NameBuffer, Target};
use crate::trace::Watch;
use crate::walk::{Walk, ahead};

/// How many hosts an `mx` may name; more are an error (RFC 7208 section 4.6.4).
pub const MX_HOSTS_MAX: usize = 10;

/// How many names of an address are looked at; more are ignored (RFC 7208 section 4.6.4).
pub const PTR_NAMES_MAX: usize = 10;

/// Room for the reverse name of an IPv6 address.
const REVERSE_NAME_OCTETS: usize = 72;

/// Whether a mechanism that asks nothing matches the client; none for one that asks DNS.
#[inline(always)]
pub(crate) fn matches_unasked(
    directive: Place<'_>,
    client: IpAddr,
    watch: &mut impl Watch,
) -> Option<bool> {
    match (directive.name(), client) {
        (Name::All, _) => Some(true),
        (Name::Ip4, IpAddr::V4(client)) => {
            let (network, prefix) = directive.ipv4();
            watch.compared(network.into(), prefix);
            Some(ipv4_within(client, network, prefix))
        }
        (Name::Ip6, IpAddr::V6(client)) => {
            let (network, prefix) = directive.ipv6();
            watch.compared(network.into(), prefix);
            Some(ipv6_within(client, network, prefix))
        }
        (Name::Ip4 | Name::Ip6, _) => Some(false),
        _ => None,
    }
}

impl<'a, E: Evidence + ?Sized, W: Watch> Walk<'a, E, W> {
    /// Whether a mechanism matches the client. What is not known yet does not match.
    #[inline(always)]
    pub(crate) fn matches(&mut self, directive: Place<'a>, domain: &str) -> Result<bool, Stop> {
        if let Some(matched) = matches_unasked(directive, self.request.address, &mut self.watch) {
            return Ok(matched);
        }
        self.matches_asking(directive, domain)
    }

    fn matches_asking(&mut self, directive: Place<'a>, domain: &str) -> Result<bool, Stop> {
        self.count_term()?;
        let target = directive.domain();
        match directive.name() {
            Name::Include => self.included(target, domain),
            Name::A => self.with_name(target, domain, |walk, name, ahead| {
                walk.address_matches(name, directive.prefixes(), ahead)
            }),
            Name::Mx => self.with_name(target, domain, |walk, name, ahead| {
                walk.mx_matches(name, directive.prefixes(), ahead)
            }),
            Name::Ptr => self.with_name(target, domain, |walk, name, _| walk.ptr_matches(name)),
            Name::Exists => {
                self.with_name(target, domain, |walk, name, ahead| walk.exists(name, ahead))
            }
            Name::All | Name::Ip4 | Name::Ip6 => {
                unreachable!("what asks nothing is decided above")
            }
        }
    }

    /// Goes on with the name a term is about: its target, or without one the current domain. A name
    /// that cannot be asked matches nothing.
    fn with_name(
        &mut self,
        target: Option<DomainSpec<'a>>,
        domain: &str,
        matches: impl FnOnce(&mut Self, &str, Ahead) -> Result<bool, Stop>,
    ) -> Result<bool, Stop> {
        let Some(target) = target else { return matches(self, domain, Ahead::Allowed) };
        let mut buffer = NameBuffer::new();
        match self.target(target, domain, &mut buffer)? {
            Target::Name(name) => matches(self, name, ahead(target)),
            Target::Unusable | Target::Unknown => Ok(false),
        }
    }

    /// `a` (section 5.3), and each host of `mx`: whether one of the name's addresses is the
    /// client's.
    fn address_matches(
        &mut self,
        name: &str,
        prefix: DualPrefix,
        ahead: Ahead,
    ) -> Result<bool, Stop> {
        match self.request.address {
            IpAddr::V4(client) => {
                let answer = self.evidence.ipv4(name);
                let answer = self.look_up(name, RecordType::A, ahead, answer)?;
                for address in self.records(answer)? {
                    self.watch.compared((*address).into(), prefix.ipv4);
                    if ipv4_within(client, *address, prefix.ipv4) {
                        return Ok(true);
                    }
                }
            }
            IpAddr::V6(client) => {
                let answer = self.evidence.ipv6(name);
                let answer = self.look_up(name, RecordType::Aaaa, ahead, answer)?;
                for address in self.records(answer)? {
                    self.watch.compared((*address).into(), prefix.ipv6);
                    if ipv6_within(client, *address, prefix.ipv6) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The records of an answer, none of one that is missing; an answer without records is void.
    fn records<'r, T>(&mut self, answer: Option<&'r Answer<T>>) -> Result<&'r [T], Stop> {
        let Some(answer) = answer else { return Ok(&[]) };
        let records = answer.records().map_err(Stop::dns)?;
        if records.is_empty() {
            self.count_void_lookup()?;
        }
        Ok(records)
    }

    /// `mx` (section 5.4). There is no implicit MX.
    fn mx_matches(&mut self, name: &str, prefix: DualPrefix, ahead: Ahead) -> Result<bool, Stop> {
        let answer = self.evidence.mx(name);
        let Some(answer) = self.look_up(name, RecordType::Mx, ahead, answer)? else {
            return Ok(false);
        };
        let hosts = answer.records().map_err(Stop::dns)?;
        if hosts.is_empty() {
            self.count_void_lookup()?;
        }
        // Counted before the first address is asked: too many are too many in any order.
        if hosts.len() > MX_HOSTS_MAX {
            return Err(Stop::permanent(Cause::MxLimit));
        }
        for host in &Hosts::of(answer, hosts).0 {
            if self.address_matches(host, prefix, ahead)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `exists` (section 5.7): asks for A, whatever the client's family.
    fn exists(&mut self, name: &str, ahead: Ahead) -> Result<bool, Stop> {
        let answer = self.evidence.ipv4(name);
        let answer = self.look_up(name, RecordType::A, ahead, answer)?;
        Ok(!self.records(answer)?.is_empty())
    }

    /// `ptr` (section 5.5): whether a validated name of the client is the target or below it. Names
    /// that could not match are not validated.
    fn ptr_matches(&mut self, target: &str) -> Result<bool, Stop> {
        let Some(answer) = self.client_names()? else { return Ok(false) };
        let names = match answer.records() {
            // Section 5.5: an error of this look-up is no match.
            Err(_) => return Ok(false),
            Ok([]) => return self.count_void_lookup().map(|()| false),
            Ok(names) => &names[..names.len().min(PTR_NAMES_MAX)],
        };
        for name in names.iter().filter(|name| is_within(name, target)) {
            if self.is_validated(name)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `%{p}` (section 7.3): a validated name of the client, by preference the domain itself, then
    /// one below it, then any; `unknown` if there is none. `None` while that is not known.
    pub(crate) fn validated_name(&mut self, domain: &str) -> Result<Option<&'a str>, Stop> {
        let Some(answer) = self.client_names()? else { return Ok(None) };
        let names = answer.records().unwrap_or_default();
        let mut names: ArrayVec<&'a DomainName, PTR_NAMES_MAX> =
            names.iter().take(PTR_NAMES_MAX).collect();
        names.sort_by_key(|name| match &***name {
            name if name == domain => 0,
            name if is_within(name, domain) => 1,
            _ => 2,
        });
        let mut unknown = false;
        for name in names {
            match self.is_validated(name)? {
                // Only certain when every name before it is known not to be valid.
                Some(true) if !unknown => return Ok(Some(name)),
                Some(_) => {}
                None => unknown = true,
            }
        }
        Ok(if unknown { None } else { Some("unknown") })
    }

    /// The names that the client's address points to.
    fn client_names(&mut self) -> Result<Option<&'a Answer<DomainName>>, Stop> {
        self.watch.depends_on_message();
        let mut name = ArrayString::<REVERSE_NAME_OCTETS>::new();
        write_reverse_name(self.request.address, &mut name).expect("there is room for the longest");
        let answer = self.evidence.ptr(&name);
        self.look_up(&name, RecordType::Ptr, Ahead::Forbidden, answer)
    }

    /// Whether a name has the client's address. Section 5.5: on an error the name is skipped.
    fn is_validated(&mut self, name: &str) -> Result<Option<bool>, Stop> {
        if !is_host_name(name) {
            return Ok(Some(false));
        }
        Ok(match self.request.address {
            IpAddr::V4(client) => {
                let answer = self.evidence.ipv4(name);
                let answer = self.look_up(name, RecordType::A, Ahead::Allowed, answer)?;
                answer.map(|answer| answer.records().unwrap_or_default().contains(&client))
            }
            IpAddr::V6(client) => {
                let answer = self.evidence.ipv6(name);
                let answer = self.look_up(name, RecordType::Aaaa, Ahead::Allowed, answer)?;
                answer.map(|answer| answer.records().unwrap_or_default().contains(&client))
            }
        })
    }
}

/// The hosts of an `mx` that can be asked, in their order; kept beside the answer.
struct Hosts(Box<[DomainName]>);

impl Hosts {
    fn of<'a>(answer: &'a Answer<Mx>, hosts: &[Mx]) -> &'a Self {
        answer.memo().get_or_make(|| {
            let askable = hosts.iter().filter(|host| is_host_name(&host.exchange));
            Self(askable.map(|host| host.exchange.clone()).collect())
        })
    }
}

/// Whether a name out of a record can be asked: not the root (a null MX), no escaped octets.
fn is_host_name(name: &str) -> bool {
    is_askable(name) && !name.contains('\\')
}

fn ipv4_within(address: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    // A shift by the whole width is a match of everything.
    differing.checked_shr(32 - u32::from(prefix)).unwrap_or(0) == 0
}

fn ipv6_within(address: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    differing.checked_shr(128 - u32::from(prefix)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let client = [192, 0, 2, 130].into();
        assert!(ipv4_within(client, [192, 0, 2, 128].into(), 25));
        assert!(!ipv4_within(client, [192, 0, 2, 127].into(), 25));
        assert!(ipv4_within(client, [10, 0, 0, 1].into(), 0));
        assert!(!ipv4_within(client, [192, 0, 2, 131].into(), 32));
        let client: Ipv6Addr = "2001:db8::1".parse().unwrap();
        assert!(ipv6_within(client, "2001:db8:ffff::".parse().unwrap(), 32));
        assert!(!ipv6_within(client, "2001:db8::2".parse().unwrap(), 128));
        assert!(ipv6_within(client, Ipv6Addr::UNSPECIFIED, 0));
    }
}
