use std::net::{Ipv4Addr, Ipv6Addr};

use quivive_evidence::{DomainName, Mx, Octets};

use crate::name::{WireName, domain_name};
use crate::records::RecordData;

/// RDATA as on the wire, names uncompressed.
pub(super) type Rdata = Box<[u8]>;

impl RecordData for Rdata {
    fn ipv4(&self) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(&**self).ok().map(Ipv4Addr::from)
    }

    fn ipv6(&self) -> Option<Ipv6Addr> {
        <[u8; 16]>::try_from(&**self).ok().map(Ipv6Addr::from)
    }

    fn mx(&self) -> Option<Mx> {
        let (preference, exchange) = self.split_first_chunk()?;
        Some(Mx { preference: u16::from_be_bytes(*preference), exchange: only_name(exchange)? })
    }

    fn ptr(&self) -> Option<DomainName> {
        only_name(self)
    }

    fn txt(&self) -> Option<Octets> {
        let mut text = Vec::with_capacity(self.len());
        let mut rest = &**self;
        while let Some((&length, strings)) = rest.split_first() {
            let (string, after) = strings.split_at_checked(usize::from(length))?;
            text.extend_from_slice(string);
            rest = after;
        }
        Some(Octets(text.into()))
    }

    fn raw(&self) -> Option<Octets> {
        Some(Octets(self.clone()))
    }
}

fn only_name(octets: &[u8]) -> Option<DomainName> {
    let (name, rest) = WireName::read(octets)?;
    rest.is_empty().then(|| domain_name(name.labels()))
}
