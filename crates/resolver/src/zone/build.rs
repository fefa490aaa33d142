use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use quivive_evidence::{Failure, RecordType};
use thiserror::Error;

use super::{CNAME, Failing, FailingTypes, Node, RecordSet, ZONE_TTL, Zone, unix_now};
use crate::name::WireName;

/// A name that cannot stand in a zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is no domain name: a label has 1 to 63 octets, a name at most 255 with a length octet for each label"
)]
pub struct NameError(pub String);

/// The longest character-string (RFC 1035 section 3.3).
const CHARACTER_STRING_OCTETS_MAX: usize = 255;

/// A zone made record by record. Names are in the form of `DnsQuestion::name`; case does not
/// matter, nor does a closing dot.
///
/// # Errors
/// All of them fail on a name that is none.
impl Zone {
    /// A zone without a name in it.
    pub fn new() -> Self {
        Self { noted_at: unix_now(), ..Self::default() }
    }

    /// Adds an IPv4 address.
    pub fn add_a(&mut self, name: &str, address: Ipv4Addr) -> Result<(), NameError> {
        self.add(name, RecordType::A, ZONE_TTL, &address.octets())
    }

    /// Adds an IPv6 address.
    pub fn add_aaaa(&mut self, name: &str, address: Ipv6Addr) -> Result<(), NameError> {
        self.add(name, RecordType::Aaaa, ZONE_TTL, &address.octets())
    }

    /// Adds a mail exchanger; the root as `exchange` makes a null MX (RFC 7505).
    pub fn add_mx(&mut self, name: &str, preference: u16, exchange: &str) -> Result<(), NameError> {
        let exchange = wire_name(exchange)?;
        let rdata = [&preference.to_be_bytes(), exchange.as_octets()].concat();
        self.add(name, RecordType::Mx, ZONE_TTL, &rdata)
    }

    /// Adds a name that a reverse name points to.
    pub fn add_ptr(&mut self, name: &str, target: &str) -> Result<(), NameError> {
        self.add(name, RecordType::Ptr, ZONE_TTL, wire_name(target)?.as_octets())
    }

    /// Makes the name an alias.
    pub fn add_cname(&mut self, name: &str, target: &str) -> Result<(), NameError> {
        self.add(name, CNAME, ZONE_TTL, wire_name(target)?.as_octets())
    }

    /// Adds a TXT record of one text, cut into character-strings where it is long.
    pub fn add_txt(&mut self, name: &str, text: impl AsRef<[u8]>) -> Result<(), NameError> {
        let strings: Vec<_> = text.as_ref().chunks(CHARACTER_STRING_OCTETS_MAX).collect();
        self.add(name, RecordType::Txt, ZONE_TTL, &character_strings(&strings))
    }

    /// Adds a TXT record of these character-strings, of at most 255 octets each; longer ones are
    /// cut into several. Without a string it gets an empty one: RDATA without octets cannot be
    /// sent.
    pub fn add_txt_strings(
        &mut self,
        name: &str,
        strings: &[impl AsRef<[u8]>],
    ) -> Result<(), NameError> {
        let strings: Vec<_> = strings.iter().map(AsRef::as_ref).collect();
        self.add(name, RecordType::Txt, ZONE_TTL, &character_strings(&strings))
    }

    /// As [`Zone::add_txt_strings`], with the type SPF (RFC 4408 section 3.1.1).
    pub fn add_spf_strings(
        &mut self,
        name: &str,
        strings: &[impl AsRef<[u8]>],
    ) -> Result<(), NameError> {
        let strings: Vec<_> = strings.iter().map(AsRef::as_ref).collect();
        self.add(name, RecordType::Other(99), ZONE_TTL, &character_strings(&strings))
    }

    /// Adds a record of any type: its TTL in seconds and its RDATA, names in it uncompressed.
    pub fn add(
        &mut self,
        name: &str,
        record_type: RecordType,
        ttl: u32,
        rdata: &[u8],
    ) -> Result<(), NameError> {
        self.insert(&wire_name(name)?, record_type, ttl, rdata.into());
        Ok(())
    }

    /// Makes questions for one type at a name fail, or for every type.
    pub fn fail(
        &mut self,
        name: &str,
        record_type: Option<RecordType>,
        failure: Failure,
    ) -> Result<(), NameError> {
        let types = match record_type {
            Some(only) => FailingTypes::Only(only),
            None => FailingTypes::AllBut(Vec::new()),
        };
        self.insert_failing(&wire_name(name)?, Failing { failure, types });
        Ok(())
    }

    /// Makes questions for every type but these at a name fail.
    pub fn fail_except(
        &mut self,
        name: &str,
        spared: &[RecordType],
        failure: Failure,
    ) -> Result<(), NameError> {
        let types = FailingTypes::AllBut(spared.to_vec());
        self.insert_failing(&wire_name(name)?, Failing { failure, types });
        Ok(())
    }

    pub(super) fn insert(
        &mut self,
        name: &WireName,
        record_type: RecordType,
        ttl: u32,
        rdata: Box<[u8]>,
    ) {
        let sets = &mut self.node(name).sets;
        match sets.iter_mut().find(|set| set.record_type == record_type) {
            Some(set) => {
                // The records of a set have one TTL, the lowest given (RFC 2181 section 5.2).
                set.ttl = set.ttl.min(ttl);
                set.records.push(rdata);
                set.answer = OnceLock::new();
            }
            None => sets.push(RecordSet {
                record_type,
                ttl,
                records: vec![rdata],
                answer: OnceLock::new(),
            }),
        }
    }

    pub(super) fn insert_failing(&mut self, name: &WireName, failing: Failing) {
        self.node(name).failures.push(failing);
    }

    /// The node of a name, which makes it and all names above it exist (RFC 4592 section 2.2.2).
    fn node(&mut self, name: &WireName) -> &mut Node {
        for ancestor in name.lineage().skip(1) {
            if self.nodes.contains_key(ancestor) {
                break;
            }
            self.nodes.insert(ancestor.into(), Node::default());
        }
        self.nodes.entry(name.as_octets().into()).or_default()
    }
}

fn wire_name(name: &str) -> Result<WireName, NameError> {
    WireName::from_text(name.strip_suffix('.').unwrap_or(name))
        .ok_or_else(|| NameError(name.into()))
}

fn character_strings(strings: &[&[u8]]) -> Vec<u8> {
    let mut rdata = Vec::new();
    for string in strings.iter().filter(|string| !string.is_empty()) {
        for chunk in string.chunks(CHARACTER_STRING_OCTETS_MAX) {
            rdata.push(chunk.len() as u8);
            rdata.extend_from_slice(chunk);
        }
    }
    if rdata.is_empty() {
        rdata.push(0);
    }
    rdata
}
