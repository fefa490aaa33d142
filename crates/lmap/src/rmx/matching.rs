//! Whether an entry matches (draft-danisch-dns-rr-smtp-04 sections 4 and 7).

use std::net::IpAddr;

use quivive_evidence::{Ahead, Failure, HasAddress, Stop, reverse_name};
use quivive_mail::domain::{is_askable, is_within};

use super::apl::{APL, covers, read_apl};
use super::check::Check;
use super::{LOOK_UPS_MAX, MX_HOSTS_MAX, PTR_NAMES_MAX, Rule, VOID_LOOK_UPS_MAX};

impl Check<'_, '_> {
    /// Whether a rule matches the client. What is not known yet does not match.
    pub(super) fn matches(&mut self, rule: &Rule) -> Result<bool, Stop> {
        match rule {
            Rule::Ipv4(network, prefix) => Ok(covers(IpAddr::V4(*network), *prefix, self.client)),
            Rule::Ipv6(network, prefix) => Ok(covers(IpAddr::V6(*network), *prefix, self.client)),
            Rule::Unused => Ok(true),
            Rule::Full => Ok(false),
            Rule::Mx { numbered: true } if !self.settings.mx_entry_type => {
                Err(Stop::permanent("unknown-entry-type"))
            }
            Rule::Host(name) => self.is_host(name),
            Rule::Apl(name) => self.is_in_list(name),
            Rule::Domain(name) => self.is_named(name),
            Rule::Mx { .. } => self.is_mail_exchanger(),
        }
    }

    /// Counts an entry that asks DNS.
    pub(super) fn count_look_up(&mut self) -> Result<(), Stop> {
        self.look_ups += 1;
        if self.look_ups > LOOK_UPS_MAX {
            return Err(Stop::permanent("look-up-limit"));
        }
        Ok(())
    }

    fn count_void_look_up(&mut self) -> Result<bool, Stop> {
        self.void_look_ups += 1;
        if self.void_look_ups > VOID_LOOK_UPS_MAX {
            return Err(Stop::permanent("void-look-up-limit"));
        }
        Ok(false)
    }

    /// `host`: one of the addresses of the name.
    fn is_host(&mut self, name: &str) -> Result<bool, Stop> {
        self.count_look_up()?;
        let mut failed = None;
        let matched = self.has_address(name, &mut failed)?;
        decided(matched, failed)
    }

    /// `mx`: one of the addresses of the domain's mail exchangers. There is no implicit one.
    fn is_mail_exchanger(&mut self) -> Result<bool, Stop> {
        self.count_look_up()?;
        let Some(answer) = self.walk.mx(self.domain, Ahead::Allowed)? else { return Ok(false) };
        let hosts = answer.records()?;
        if hosts.is_empty() {
            return self.count_void_look_up();
        }
        if hosts.len() > MX_HOSTS_MAX {
            return Err(Stop::permanent("mx-limit"));
        }
        let mut failed = None;
        for host in hosts {
            if self.has_address(&host.exchange, &mut failed)? {
                return Ok(true);
            }
        }
        decided(false, failed)
    }

    /// `domain`: a name of the client, confirmed by its addresses, is the given one or below it.
    /// Names that could not match are not confirmed.
    fn is_named(&mut self, domain: &str) -> Result<bool, Stop> {
        self.count_look_up()?;
        let domain = if domain.is_empty() { self.domain } else { domain };
        let Some(answer) = self.walk.ptr(&reverse_name(self.client))? else { return Ok(false) };
        let names = answer.records()?;
        if names.is_empty() {
            return self.count_void_look_up();
        }
        let mut failed = None;
        for name in names.iter().take(PTR_NAMES_MAX).filter(|name| is_within(name, domain)) {
            if self.has_address(name, &mut failed)? {
                return Ok(true);
            }
        }
        decided(false, failed)
    }

    /// `apl`: the first item of the client's family that covers it decides, by not being negated.
    /// Several lists stand in no order in DNS: theirs is that of their octets.
    fn is_in_list(&mut self, name: &str) -> Result<bool, Stop> {
        self.count_look_up()?;
        if !is_host_name(name) {
            return Ok(false);
        }
        let Some(answer) = self.walk.other(name, APL, Ahead::Allowed)? else { return Ok(false) };
        let mut lists: Vec<&[u8]> = answer.records()?.iter().map(|list| &*list.0).collect();
        if lists.is_empty() {
            return self.count_void_look_up();
        }
        lists.sort_unstable();
        for list in lists {
            let items = read_apl(list).ok_or(Stop::permanent("bad-apl"))?;
            if let Some(item) = items.iter().find(|item| item.covers(self.client)) {
                return Ok(!item.negated);
            }
        }
        Ok(false)
    }

    /// Whether a name has the client's address; a failure is noted, for others may still match.
    fn has_address(&mut self, name: &str, failed: &mut Option<Failure>) -> Result<bool, Stop> {
        if !is_host_name(name) {
            return Ok(false);
        }
        match self.walk.has_address(name, self.client, Ahead::Allowed)? {
            HasAddress::Yes => Ok(true),
            HasAddress::No | HasAddress::Unknown => Ok(false),
            HasAddress::Nothing => self.count_void_look_up(),
            HasAddress::Failed(failure) => {
                failed.get_or_insert(failure);
                Ok(false)
            }
        }
    }
}

/// No match is only certain where nothing failed.
fn decided(matched: bool, failed: Option<Failure>) -> Result<bool, Stop> {
    match failed {
        Some(failure) if !matched => Err(failure.into()),
        _ => Ok(matched),
    }
}

/// Whether a name out of a record can be asked: not the root, no escaped octets.
fn is_host_name(name: &str) -> bool {
    is_askable(name) && !name.contains('\\')
}
