use std::fmt::Write;

use quivive_evidence::{Answer, Octets, Txt, span};
use thiserror::Error;

use super::Entry;

/// A record, whether it was published as TXT or under a type of its own.
///
/// Entries stand one behind the other, and nothing tells where an unknown one ends: what follows a
/// fault cannot be read, while what stands before it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// As it was published.
    octets: Box<[u8]>,
    /// Its text form.
    text: Box<str>,
    entries: Box<[PlacedEntry]>,
    fault: Option<Fault>,
}

/// An entry with its place in the text of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEntry {
    /// The entry.
    pub entry: Entry,
    /// Where it stands, in octets: start and end.
    pub span: (u32, u32),
    /// A network has bits behind its prefix, which do not count.
    pub has_host_bits: bool,
}

/// Where a record cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong there.
    pub kind: FaultKind,
    /// Which part of the text, in octets: start and end.
    pub span: (u32, u32),
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum FaultKind {
    /// An entry type that no draft has: the rest cannot be skipped.
    #[error("an entry type that no draft has")]
    UnknownType,
    /// RDATA that ends inside an entry, or lies about a length.
    #[error("an entry that ends too soon")]
    Truncated,
    /// A prefix that is longer than the address.
    #[error("a prefix length that is longer than the address, or none at all")]
    Prefix,
    /// No address of the family.
    #[error("not an address of this family")]
    Address,
    /// No domain name; on the wire also one that is compressed.
    #[error("not a domain name")]
    Name,
    /// `unused` and `full` cannot be negated.
    #[error("a `!` before an entry that cannot be negated")]
    Negated,
    /// `unused`, `full` and `mx` have nothing behind their colon.
    #[error("something behind the colon of an entry that takes nothing")]
    Argument,
}

impl FaultKind {
    /// The stable word of findings.
    pub fn cause(self) -> &'static str {
        match self {
            Self::UnknownType => "unknown-entry-type",
            Self::Truncated => "truncated-entry",
            Self::Prefix => "bad-prefix",
            Self::Address => "bad-address",
            Self::Name => "bad-name",
            Self::Negated => "bad-negation",
            Self::Argument => "bad-argument",
        }
    }
}

impl Record {
    /// The record as text, entries with blanks between them. What cannot be read of RDATA is its
    /// octets in hexadecimal digits behind `\#`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A part of the text.
    pub fn slice(&self, (start, end): (u32, u32)) -> &str {
        &self.text[start as usize..end as usize]
    }

    /// The entries up to the first that cannot be read.
    pub fn entries(&self) -> &[PlacedEntry] {
        &self.entries
    }

    /// What cannot be read behind them.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The RMX records among a name's TXT records, read once and kept beside the answer.
    pub(super) fn of_txt(answer: &Answer<Txt>) -> &[Self] {
        struct OfTxt(Vec<Record>);
        &answer
            .memo()
            .get_or_make(|| {
                let records = answer.records().unwrap_or_default().iter();
                OfTxt(records.filter_map(|record| Self::parse_text(&record.0)).collect())
            })
            .0
    }

    /// The records of their own type, read once and kept beside the answer.
    pub(super) fn of_rdata(answer: &Answer<Octets>) -> &[Self] {
        struct OfRdata(Vec<Record>);
        &answer
            .memo()
            .get_or_make(|| {
                let records = answer.records().unwrap_or_default().iter();
                OfRdata(records.map(|record| Self::parse_rdata(&record.0)).collect())
            })
            .0
    }

    /// Brings records into the order in which they are evaluated. DNS has none: those with a
    /// negated entry come first, then the order of their octets. Of records that say the same one
    /// is left, since a domain may publish both forms.
    pub(crate) fn in_order<'r>(records: impl Iterator<Item = &'r Self>) -> Vec<&'r Self> {
        let mut records: Vec<&Self> = records.collect();
        let negated = |record: &Self| record.entries.iter().any(|placed| placed.entry.negated);
        records.sort_by_key(|record| (!negated(record), &record.octets));
        let mut kept: Vec<&Self> = Vec::with_capacity(records.len());
        for record in records {
            if !kept.iter().any(|known| known.says_the_same_as(record)) {
                kept.push(record);
            }
        }
        kept
    }

    fn says_the_same_as(&self, other: &Self) -> bool {
        self.fault.is_none()
            && other.fault.is_none()
            && self.entries.len() == other.entries.len()
            && self.entries.iter().zip(&other.entries).all(|(one, two)| one.entry == two.entry)
    }
}

/// Puts a record together while it is read.
pub(super) struct Builder {
    text: String,
    entries: Vec<PlacedEntry>,
}

impl Builder {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), entries: Vec::new() }
    }

    /// An entry that stands there in the text.
    pub(super) fn entry_at(&mut self, entry: Entry, start: usize, end: usize) {
        let has_host_bits = entry.has_host_bits();
        self.entries.push(PlacedEntry { entry, span: span(start, end), has_host_bits });
    }

    /// An entry whose text is appended.
    pub(super) fn append(&mut self, entry: Entry) {
        let start = self.separate();
        write!(self.text, "{entry}").expect("a String takes all text");
        let end = self.text.len();
        self.entry_at(entry, start, end);
    }

    /// Octets that cannot be read, appended.
    pub(super) fn append_fault(&mut self, kind: FaultKind, octets: &[u8]) -> Fault {
        let start = self.separate();
        self.text.push_str("\\#");
        for octet in octets {
            write!(self.text, "{octet:02x}").expect("a String takes all text");
        }
        Fault { kind, span: span(start, self.text.len()) }
    }

    pub(super) fn finish(self, octets: &[u8], fault: Option<Fault>) -> Record {
        Record {
            octets: octets.into(),
            text: self.text.into(),
            entries: self.entries.into(),
            fault,
        }
    }

    fn separate(&mut self) -> usize {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.len()
    }
}
