//! Master files (RFC 1035 section 5), read with the `domain` crate.

use std::io::Read;
use std::path::{Path, PathBuf};

use domain::base::iana::{Class, Rtype};
use domain::base::name::{Name, ToLabelIter};
use domain::base::rdata::ComposeRecordData;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, ScannedRecord, Zonefile};
use quivive_evidence::{DnsAnswer, Failure, RecordType, Source};
use thiserror::Error;

use super::Zone;
use super::prepare::{Prepared, prepare};
use super::rdata::Rdata;
use crate::name::WireName;
use crate::records;

/// How many octets a master file may have.
pub const ZONE_OCTETS_MAX: u64 = 64 * 1024 * 1024;

/// Why a master file cannot be used.
#[derive(Debug, Error)]
pub enum ZoneError {
    /// The file cannot be read.
    #[error("cannot read the zone file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has more octets than [`ZONE_OCTETS_MAX`].
    #[error(
        "the zone file {} has more than {ZONE_OCTETS_MAX} octets; serve it by a name server",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The text is no master file, or one with something that Quivive does not take.
    #[error("line {line}, column {column}: {problem}; {cure}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong.
        problem: String,
        /// What to write instead.
        cure: &'static str,
    },
}

impl Zone {
    /// Reads a master file.
    ///
    /// # Errors
    /// The file cannot be read, or as [`Zone::parse`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ZoneError> {
        let path = path.as_ref();
        let unreadable = |source| ZoneError::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = Vec::new();
        file.take(ZONE_OCTETS_MAX + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > ZONE_OCTETS_MAX {
            return Err(ZoneError::TooLarge { path: path.to_owned() });
        }
        Self::parse(&text)
    }

    /// Reads the text of a master file: RFC 1035, with RFC 3597 types and APL (RFC 3123).
    ///
    /// There may be several origins or none (then every name is a full one), and no SOA record. The
    /// class is IN. A comment `;!servfail NAME [TYPE]` or `;!timeout NAME [TYPE]` makes questions
    /// for the name fail; it stands under `$ORIGIN` as owner names do, but a name that ends in the
    /// origin already is a full one.
    ///
    /// # Errors
    /// The place of the first entry that cannot be used.
    pub fn parse(text: &[u8]) -> Result<Self, ZoneError> {
        let prepared = prepare(text)?;
        let mut file = Zonefile::from(&prepared.text[..]);
        file.set_origin(Name::root_bytes());
        file.set_default_class(Class::IN);
        let mut zone = Self::new();
        while let Some(entry) =
            file.next_entry().map_err(|error| located(&prepared, &error.to_string()))?
        {
            let refused = match entry {
                Entry::Record(record) => zone.insert_scanned(record),
                Entry::Include { .. } => {
                    Err(("$INCLUDE is not supported".into(), "put the records of that file here"))
                }
            };
            if let Err((problem, cure)) = refused {
                // The reader stands behind the entry.
                let (line, column) =
                    prepared.entry_before(line_at(&prepared.text, file.current_offset()) + 1, 1);
                return Err(ZoneError::Syntax { line, column, problem, cure });
            }
        }
        for (name, failing) in prepared.failures {
            zone.insert_failing(&name, failing);
        }
        Ok(zone)
    }

    /// Fails with what is wrong and its cure.
    fn insert_scanned(&mut self, record: ScannedRecord) -> Result<(), (String, &'static str)> {
        let owner = record.owner().iter_labels().map(|label| label.as_slice());
        let owner = WireName::from_labels(owner.filter(|label| !label.is_empty()))
            .expect("the reader takes names of at most 255 octets");
        let mut rdata = Vec::new();
        let record_type = RecordType::from_number(record.rtype().to_int());
        record.data().compose_rdata(&mut rdata).expect("a Vec takes all octets");
        let rdata: Rdata = rdata.into();
        if matches!(record.data(), ZoneRecordData::Unknown(_)) && !fits(record_type, &rdata) {
            let problem = format!("the data is no {record_type} data");
            return Err((problem, "write the data as the type wants it"));
        }
        self.insert(&owner, record_type, record.ttl().as_secs(), rdata);
        Ok(())
    }
}

/// Whether RDATA in the form of RFC 3597 can be read as its type.
fn fits(record_type: RecordType, rdata: &Rdata) -> bool {
    let answer: DnsAnswer = records::answer(record_type, std::iter::once(rdata), Source::default());
    answer.failure() != Some(Failure::Malformed)
}

/// The reader says `line:column: message`; it stands at the start of the next line where the
/// entry's last word was wrong.
fn located(prepared: &Prepared, message: &str) -> ZoneError {
    let mut parts = message.splitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.trim().parse().ok()).unwrap_or(1);
    let (mut line, mut column) = (number(), number());
    if column <= 1 {
        (line, column) = prepared.entry_before(line, column);
    }
    let problem = parts.next().unwrap_or(message).trim();
    ZoneError::Syntax { line, column, problem: problem.to_owned(), cure: cure(problem) }
}

fn cure(problem: &str) -> &'static str {
    match problem.split(':').next().unwrap_or_default() {
        "expected rtype" => {
            "write NAME [TTL in seconds] [IN] TYPE DATA, with a type such as A or TXT, or TYPE65280"
        }
        "expected decimal number" => "write a plain number; times are in seconds",
        "expected IPv4 address" => "write an address such as 192.0.2.1",
        "expected IPv6 address" => "write an address such as 2001:db8::1",
        "missing last owner" => "begin the first record with its owner name",
        "different class" => "write IN or leave the class out",
        "unknown record type with concrete data" => r"write the data as `\# LENGTH HEX` (RFC 3597)",
        "unknown control" => "only $ORIGIN and $TTL are understood",
        "unexpected end of entry" => "write all the data of the record",
        "trailing tokens" => "quote text with spaces; several lines need parentheses",
        _ => "write it as RFC 1035 section 5.1 says",
    }
}

fn line_at(text: &[u8], offset: usize) -> usize {
    let before = &text[..offset.min(text.len())];
    before.trim_ascii_end().iter().filter(|octet| **octet == b'\n').count() + 1
}

/// The type that a word of a master file names.
pub(super) fn record_type(word: &str) -> Option<RecordType> {
    word.parse::<Rtype>().ok().map(|rtype| RecordType::from_number(rtype.to_int()))
}
