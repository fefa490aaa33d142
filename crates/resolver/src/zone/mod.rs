//! A zone file's worth of DNS: answers without a network.

mod apl;
mod build;
mod prepare;
mod rdata;
mod read;
mod text;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::SystemTime;

use quivive_evidence::{DnsAnswer, DnsQuestion, Failure, Outcome, RecordType, Source};

use crate::name::WireName;
use crate::records;
use rdata::Rdata;

pub use build::NameError;
pub use read::{ZONE_OCTETS_MAX, ZoneError};

/// The TTL of records for which neither the entry nor `$TTL` gives one, in seconds.
pub const ZONE_TTL: u32 = 3_600;

/// How many aliases a resolver follows for one question; one more is [`Failure::AliasLoop`].
pub const ALIAS_STEPS_MAX: usize = 16;

pub(crate) const CNAME: RecordType = RecordType::Other(5);
const SOA: RecordType = RecordType::Other(6);

/// The DNS as one master file knows it.
///
/// Several origins may stand side by side. Whatever is not in it does not exist; wildcards and
/// empty non-terminals follow RFC 4592. Names may be made to fail.
#[derive(Clone, Default)]
pub struct Zone {
    nodes: HashMap<Box<[u8]>, Node>,
    noted_at: u64,
}

/// What a zone has for a name and a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookUp<'a> {
    /// Records, as uncompressed RDATA.
    Records {
        /// In seconds.
        ttl: u32,
        /// At least one.
        rdata: &'a [Box<[u8]>],
    },
    /// The name is an alias.
    Alias {
        /// In seconds.
        ttl: u32,
        /// In the form of the wire.
        target: &'a [u8],
    },
    /// The name exists, such records do not.
    NoData,
    /// The name does not exist.
    NoName,
    /// The zone was told to fail here.
    Failing(Failure),
}

enum Standing<'a> {
    Set(&'a RecordSet),
    Alias(&'a RecordSet),
    NoData,
    NoName,
    Failing(Failure),
}

/// What stands at a name: nothing, for an empty non-terminal.
#[derive(Clone, Default)]
struct Node {
    sets: Vec<RecordSet>,
    failures: Vec<Failing>,
}

/// The records of one type at a name.
#[derive(Clone)]
struct RecordSet {
    record_type: RecordType,
    ttl: u32,
    records: Vec<Rdata>,
    /// Made once, so that what methods derive from it is made once too.
    answer: OnceLock<DnsAnswer>,
}

/// Types for which a name has no usable answer.
#[derive(Clone)]
struct Failing {
    failure: Failure,
    types: FailingTypes,
}

#[derive(Clone)]
enum FailingTypes {
    Only(RecordType),
    AllBut(Vec<RecordType>),
}

impl Zone {
    /// The answer to a question, at once.
    pub fn answer(&self, question: &DnsQuestion) -> DnsAnswer {
        let record_type = question.record_type;
        let Some(mut name) = WireName::from_text(&question.name) else {
            return no_such_name(record_type);
        };
        let mut ttl = u32::MAX;
        for step in 0..=ALIAS_STEPS_MAX {
            let (outcome, soa_ttl) = match self.stand(name.lineage(), record_type) {
                Standing::Set(set) if step == 0 => {
                    return set.answer.get_or_init(|| self.answer_of(set, set.ttl)).clone();
                }
                Standing::Set(set) => return self.answer_of(set, ttl.min(set.ttl)),
                Standing::Alias(alias) => {
                    let Some((target, _)) = WireName::read(&alias.records[0]) else {
                        return records::failed(record_type, Failure::Malformed, self.source(0));
                    };
                    ttl = ttl.min(alias.ttl);
                    name = target;
                    continue;
                }
                Standing::NoData => (Outcome::NoData, self.negative_ttl(&name)),
                Standing::NoName => (Outcome::NoName, self.negative_ttl(&name)),
                Standing::Failing(failure) => (Outcome::Failed(failure), 0),
            };
            let source = self.source(ttl.min(soa_ttl));
            return DnsAnswer::without_records(record_type, outcome, source);
        }
        records::failed(record_type, Failure::AliasLoop, self.source(0))
    }

    /// What a name server with this zone would find for a name and a type, following no alias.
    ///
    /// `name` is in the form of the wire: uncompressed, in lower case, with the root label.
    pub fn look_up(&self, name: &[u8], record_type: RecordType) -> LookUp<'_> {
        let Some((name, _)) = WireName::read(name) else { return LookUp::NoName };
        match self.stand(name.lineage(), record_type) {
            Standing::Set(set) => LookUp::Records { ttl: set.ttl, rdata: &set.records },
            Standing::Alias(set) => LookUp::Alias { ttl: set.ttl, target: &set.records[0] },
            Standing::NoData => LookUp::NoData,
            Standing::NoName => LookUp::NoName,
            Standing::Failing(failure) => LookUp::Failing(failure),
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sets().map(|(_, set)| set.records.len()).sum()
    }

    /// There are no records. Names that fail do not count.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn stand<'a>(
        &self,
        lineage: impl Iterator<Item = &'a [u8]>,
        record_type: RecordType,
    ) -> Standing<'_> {
        let Some(node) = self.find(lineage) else { return Standing::NoName };
        if let Some(failure) = node.failure(record_type) {
            return Standing::Failing(failure);
        }
        match (node.set(record_type), node.set(CNAME)) {
            (Some(set), _) => Standing::Set(set),
            (None, Some(alias)) => Standing::Alias(alias),
            (None, None) => Standing::NoData,
        }
    }

    /// What stands at a name or at the wildcard that speaks for it (RFC 4592 section 3.3.1).
    fn find<'a>(&self, mut lineage: impl Iterator<Item = &'a [u8]>) -> Option<&Node> {
        if let Some(node) = self.nodes.get(lineage.next()?) {
            return Some(node);
        }
        let closest_encloser = lineage.find(|ancestor| self.nodes.contains_key(*ancestor))?;
        self.nodes.get(&*[b"\x01*", closest_encloser].concat())
    }

    fn answer_of(&self, set: &RecordSet, ttl: u32) -> DnsAnswer {
        records::answer(set.record_type, set.records.iter(), self.source(ttl))
    }

    /// A negative answer is kept as long as the SOA record above says (RFC 2308 section 5).
    fn negative_ttl(&self, name: &WireName) -> u32 {
        let soa = name.lineage().find_map(|ancestor| self.nodes.get(ancestor)?.set(SOA));
        soa.map_or(ZONE_TTL, |set| {
            let minimum = set.records[0].last_chunk();
            set.ttl.min(minimum.map_or(0, |octets| u32::from_be_bytes(*octets)))
        })
    }

    fn source(&self, ttl: u32) -> Source {
        Source { ttl, noted_at: self.noted_at, ..Source::default() }
    }

    fn sets(&self) -> impl Iterator<Item = (&[u8], &RecordSet)> {
        self.nodes.iter().flat_map(|(name, node)| node.sets.iter().map(move |set| (&**name, set)))
    }
}

impl Node {
    fn set(&self, record_type: RecordType) -> Option<&RecordSet> {
        self.sets.iter().find(|set| set.record_type == record_type)
    }

    fn failure(&self, record_type: RecordType) -> Option<Failure> {
        self.failures.iter().find(|failing| failing.types.hold(record_type)).map(|f| f.failure)
    }
}

impl FailingTypes {
    fn hold(&self, record_type: RecordType) -> bool {
        match self {
            Self::Only(only) => *only == record_type,
            Self::AllBut(spared) => !spared.contains(&record_type),
        }
    }
}

/// The answer to a question whose name is none, which nobody needs to be asked.
pub(crate) fn no_such_name(record_type: RecordType) -> DnsAnswer {
    let source = Source { noted_at: unix_now(), ..Source::default() };
    DnsAnswer::without_records(record_type, Outcome::NoName, source)
}

/// Seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Zone({} records)", self.len())
    }
}

#[cfg(test)]
mod tests;
