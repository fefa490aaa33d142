//! What a reply of a name server says.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType as WireType};
use hickory_resolver::proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use quivive_evidence::{DomainName, Failure, Mx, Octets};

use crate::name::domain_name;
use crate::records::RecordData;
use crate::zone::ALIAS_STEPS_MAX;

/// What a reply says about the name at the end of the alias chain.
pub(crate) enum Said<'a> {
    /// These records, with the lowest TTL along the chain.
    Records(Vec<&'a RData>, u32),
    /// The name exists without such records; for how many seconds that may be kept.
    NoData(u32),
    /// The name does not exist; for how many seconds that may be kept.
    NoName(u32),
    /// The chain leaves the reply: ask for its end.
    AskOn,
}

/// The way along aliases from the name that was asked for.
pub(crate) struct Chain {
    names: Vec<Name>,
    ttl: u32,
}

impl Chain {
    pub(crate) fn new(asked: Name) -> Self {
        Self { names: vec![asked], ttl: u32::MAX }
    }

    /// The name at the end.
    pub(crate) fn end(&self) -> &Name {
        self.names.last().expect("a chain begins with the name asked for")
    }

    fn follow(&mut self, target: &Name, ttl: u32) -> Result<(), Failure> {
        if self.names.len() > ALIAS_STEPS_MAX || self.names.contains(target) {
            return Err(Failure::AliasLoop);
        }
        self.names.push(target.clone());
        self.ttl = self.ttl.min(ttl);
        Ok(())
    }
}

/// Whether a reply is one to this question, and usable.
///
/// # Errors
/// The failure that the reply is or amounts to.
pub(crate) fn check(reply: &Message, name: &Name, record_type: WireType) -> Result<(), Failure> {
    let metadata = &reply.metadata;
    let [query] = &reply.queries[..] else { return Err(Failure::Malformed) };
    if metadata.message_type != MessageType::Response
        || query.name != *name
        || query.query_type != record_type
        || query.query_class != DNSClass::IN
    {
        return Err(Failure::Malformed);
    }
    match metadata.response_code {
        ResponseCode::NoError if is_referral(reply) => Err(Failure::Refused),
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(()),
        ResponseCode::ServFail => Err(Failure::ServerFailure),
        _ => Err(Failure::Refused),
    }
}

/// What a usable reply says; `chain` goes on from its end through the aliases of the reply.
///
/// # Errors
/// The chain loops or is too long.
pub(crate) fn read<'a>(
    reply: &'a Message,
    record_type: WireType,
    chain: &mut Chain,
) -> Result<Said<'a>, Failure> {
    let asked = chain.names.len();
    loop {
        let (records, ttl) = record_set(reply, chain.end(), record_type);
        if !records.is_empty() {
            return Ok(Said::Records(records, chain.ttl.min(ttl)));
        }
        let alias = match record_type {
            WireType::CNAME => None,
            _ => alias(reply, chain.end()),
        };
        match alias {
            Some((target, ttl)) => chain.follow(target, ttl)?,
            None => break,
        }
    }
    let soa_ttl = negative_ttl(reply, chain.end());
    // RFC 2308 section 5: what no SOA record bounds is not kept.
    let ttl = chain.ttl.min(soa_ttl.unwrap_or(0));
    Ok(match reply.metadata.response_code {
        ResponseCode::NXDomain => Said::NoName(ttl),
        _ if chain.names.len() == asked || soa_ttl.is_some() => Said::NoData(ttl),
        _ => Said::AskOn,
    })
}

/// A server that neither knows nor asks others sends its clients on.
fn is_referral(reply: &Message) -> bool {
    !reply.metadata.authoritative
        && !reply.metadata.recursion_available
        && reply.answers.is_empty()
        && reply.authorities.iter().any(|record| record.record_type() == WireType::NS)
        && !reply.authorities.iter().any(|record| record.record_type() == WireType::SOA)
}

fn record_set<'a>(reply: &'a Message, owner: &Name, wanted: WireType) -> (Vec<&'a RData>, u32) {
    let set = answers(reply, owner).filter(|record| record.record_type() == wanted);
    let mut ttl = u32::MAX;
    let records = set.inspect(|record| ttl = ttl.min(record.ttl)).map(|record| &record.data);
    (records.collect(), ttl)
}

fn alias<'a>(reply: &'a Message, owner: &Name) -> Option<(&'a Name, u32)> {
    answers(reply, owner).find_map(|record| match &record.data {
        RData::CNAME(target) => Some((&target.0, record.ttl)),
        _ => None,
    })
}

fn answers<'a>(reply: &'a Message, owner: &Name) -> impl Iterator<Item = &'a Record> {
    reply
        .answers
        .iter()
        .filter(move |record| record.dns_class == DNSClass::IN && record.name == *owner)
}

/// The lower of the SOA record's TTL and its MINIMUM field (RFC 2308 section 5).
fn negative_ttl(reply: &Message, name: &Name) -> Option<u32> {
    reply.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) if record.name.zone_of(name) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    })
}

impl RecordData for &RData {
    fn ipv4(&self) -> Option<Ipv4Addr> {
        match self {
            RData::A(address) => Some(address.0),
            _ => None,
        }
    }

    fn ipv6(&self) -> Option<Ipv6Addr> {
        match self {
            RData::AAAA(address) => Some(address.0),
            _ => None,
        }
    }

    fn mx(&self) -> Option<Mx> {
        match self {
            RData::MX(mx) => {
                Some(Mx { preference: mx.preference, exchange: domain_name(mx.exchange.iter()) })
            }
            _ => None,
        }
    }

    fn ptr(&self) -> Option<DomainName> {
        match self {
            RData::PTR(target) => Some(domain_name(target.0.iter())),
            _ => None,
        }
    }

    fn txt(&self) -> Option<Octets> {
        match self {
            RData::TXT(txt) => Some(Octets(txt.txt_data.concat().into())),
            // RDATA without octets: no character-string at all.
            RData::Update0(_) => Some(Octets::from("")),
            _ => None,
        }
    }

    fn raw(&self) -> Option<Octets> {
        match self {
            RData::Unknown { rdata, .. } => Some(Octets(rdata.anything.clone().into())),
            RData::Update0(_) => Some(Octets::from("")),
            known => {
                let mut octets = Vec::new();
                let mut encoder = BinEncoder::new(&mut octets);
                encoder.set_name_encoding(NameEncoding::Uncompressed);
                known.emit(&mut encoder).ok()?;
                Some(Octets(octets.into()))
            }
        }
    }
}
