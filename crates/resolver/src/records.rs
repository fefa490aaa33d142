//! Answers made of records, whether those came over the wire or out of a master file.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use quivive_evidence::{
    Answer, DnsAnswer, DomainName, Failure, Mx, Octets, Outcome, RecordType, Source,
};

/// How many records an answer may have; one with more is [`Failure::TooLarge`].
pub const RECORDS_MAX: usize = 1_024;

/// How many octets the data of an answer's records may take; more is [`Failure::TooLarge`].
pub const ANSWER_OCTETS_MAX: usize = 256 * 1024;

/// The data of one record, read as one type or another; none where it is malformed.
pub(crate) trait RecordData {
    fn ipv4(&self) -> Option<Ipv4Addr>;
    fn ipv6(&self) -> Option<Ipv6Addr>;
    fn mx(&self) -> Option<Mx>;
    fn ptr(&self) -> Option<DomainName>;
    fn txt(&self) -> Option<Octets>;
    /// The RDATA without name compression.
    fn raw(&self) -> Option<Octets>;
}

/// The answer that these records of the type asked for make. None of them means NODATA.
pub(crate) fn answer<'a, R: RecordData + 'a>(
    record_type: RecordType,
    records: impl Iterator<Item = &'a R>,
    source: Source,
) -> DnsAnswer {
    match record_type {
        RecordType::A => DnsAnswer::A(collect(records.map(R::ipv4), source)),
        RecordType::Aaaa => DnsAnswer::Aaaa(collect(records.map(R::ipv6), source)),
        RecordType::Mx => DnsAnswer::Mx(collect(records.map(R::mx), source)),
        RecordType::Ptr => DnsAnswer::Ptr(collect(records.map(R::ptr), source)),
        RecordType::Txt => DnsAnswer::Txt(collect(records.map(R::txt), source)),
        RecordType::Other(number) => DnsAnswer::Other(number, collect(records.map(R::raw), source)),
    }
}

/// An answer that is a failure.
pub(crate) fn failed(record_type: RecordType, failure: Failure, source: Source) -> DnsAnswer {
    DnsAnswer::without_records(record_type, Outcome::Failed(failure), source)
}

/// About how many octets of memory an answer takes.
pub(crate) fn weight(answer: &DnsAnswer) -> usize {
    fn of<T: Weight>(answer: &Answer<T>) -> usize {
        let records = answer.records().unwrap_or_default();
        size_of::<Answer<T>>()
            + records.iter().map(|record| size_of::<T>() + record.weight()).sum::<usize>()
    }
    match answer {
        DnsAnswer::A(answer) => of(answer),
        DnsAnswer::Aaaa(answer) => of(answer),
        DnsAnswer::Mx(answer) => of(answer),
        DnsAnswer::Ptr(answer) => of(answer),
        DnsAnswer::Txt(answer) => of(answer),
        DnsAnswer::Other(_, answer) => of(answer),
    }
}

fn collect<T: Weight + Eq + Hash + Clone>(
    records: impl Iterator<Item = Option<T>>,
    source: Source,
) -> Arc<Answer<T>> {
    match distinct(records) {
        Ok(records) => Arc::new(Answer::new(Outcome::of(records), source)),
        Err(failure) => {
            Arc::new(Answer::new(Outcome::Failed(failure), Source { ttl: 0, ..source }))
        }
    }
}

/// Equal records are one (RFC 2181 section 5).
fn distinct<T: Weight + Eq + Hash + Clone>(
    records: impl Iterator<Item = Option<T>>,
) -> Result<Vec<T>, Failure> {
    let mut kept = Vec::new();
    let mut octets = 0;
    for record in records {
        let record = record.ok_or(Failure::Malformed)?;
        octets += record.weight();
        if kept.len() == RECORDS_MAX || octets > ANSWER_OCTETS_MAX {
            return Err(Failure::TooLarge);
        }
        kept.push(record);
    }
    if kept.len() > 1 {
        let mut seen = HashSet::with_capacity(kept.len());
        kept.retain(|record| seen.insert(record.clone()));
    }
    Ok(kept)
}

/// How many octets of data a record holds.
trait Weight {
    fn weight(&self) -> usize;
}

impl Weight for Ipv4Addr {
    fn weight(&self) -> usize {
        4
    }
}

impl Weight for Ipv6Addr {
    fn weight(&self) -> usize {
        16
    }
}

impl Weight for Mx {
    fn weight(&self) -> usize {
        2 + self.exchange.len()
    }
}

impl Weight for DomainName {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weight for Octets {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txt(length: usize, index: usize) -> Option<Octets> {
        let mut octets = vec![b'a'; length];
        octets[..8].copy_from_slice(&index.to_be_bytes());
        Some(Octets(octets.into()))
    }

    #[test]
    fn equal_records_are_one() {
        let address = Ipv4Addr::LOCALHOST;
        let other = Ipv4Addr::UNSPECIFIED;
        let records = [Some(address), Some(address), Some(other), Some(address)];
        assert_eq!(distinct(records.into_iter()), Ok(vec![address, other]));
    }

    #[test]
    fn records_are_bounded() {
        let records = |count| distinct((0..count).map(|index| txt(8, index)));
        assert_eq!(records(RECORDS_MAX).unwrap().len(), RECORDS_MAX);
        assert_eq!(records(RECORDS_MAX + 1), Err(Failure::TooLarge));
    }

    #[test]
    fn octets_are_bounded() {
        let records = |count| distinct((0..count).map(|index| txt(ANSWER_OCTETS_MAX / 4, index)));
        assert_eq!(records(4).unwrap().len(), 4);
        assert_eq!(records(5), Err(Failure::TooLarge));
    }

    #[test]
    fn a_malformed_record_spoils_the_answer() {
        let records = [Some(Ipv4Addr::LOCALHOST), None];
        assert_eq!(distinct(records.into_iter()), Err(Failure::Malformed));
    }
}
