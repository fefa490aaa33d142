use std::fmt::Write;

use quivive_evidence::{Failure, RecordType};

use super::rdata::Rdata;
use super::{FailingTypes, Zone};
use crate::name::{Labels, WireName, decimal_escape};
use crate::records::RecordData;

/// The types that a failure for all types but some is written out for.
const COMMON_TYPES: [RecordType; 5] =
    [RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Ptr, RecordType::Txt];

impl Zone {
    /// The zone as a master file that [`Zone::parse`] and name servers read: full names, one record
    /// a line, sorted by owner.
    ///
    /// Failures become comments, those of time-outs and server failures alone; a failure for all
    /// types but some is written out for the common types.
    pub fn to_master_text(&self) -> String {
        let mut owners: Vec<_> = self.nodes.iter().collect();
        owners.sort_by(|a, b| a.0.cmp(b.0));
        let mut text = String::new();
        for (owner, node) in owners {
            let owner = master_name(owner);
            for set in &node.sets {
                for rdata in &set.records {
                    let data = data(set.record_type, rdata);
                    line(&mut text, format_args!("{owner} {} IN {data}", set.ttl));
                }
            }
            for failing in &node.failures {
                let word = match failing.failure {
                    Failure::Timeout => "timeout",
                    _ => "servfail",
                };
                match &failing.types {
                    FailingTypes::Only(only) => {
                        line(&mut text, format_args!(";!{word} {owner} {only}"));
                    }
                    FailingTypes::AllBut(spared) if spared.is_empty() => {
                        line(&mut text, format_args!(";!{word} {owner}"));
                    }
                    FailingTypes::AllBut(spared) => {
                        for only in COMMON_TYPES.iter().filter(|common| !spared.contains(common)) {
                            line(&mut text, format_args!(";!{word} {owner} {only}"));
                        }
                    }
                }
            }
        }
        text
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a String takes all text");
}

/// The type and the data: as RFC 1035 has it for the common types, the rest as RFC 3597 says.
fn data(record_type: RecordType, rdata: &Rdata) -> String {
    let generic = || {
        let hex: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
        format!(r"TYPE{} \# {} {hex}", record_type.number(), rdata.len())
    };
    let name = |octets| WireName::read(octets).map(|(name, _)| master_name(name.as_octets()));
    match record_type {
        RecordType::A => rdata.ipv4().map(|address| format!("A {address}")),
        RecordType::Aaaa => rdata.ipv6().map(|address| format!("AAAA {address}")),
        RecordType::Txt => strings(rdata).map(|strings| format!("TXT{strings}")),
        RecordType::Ptr => name(rdata).map(|name| format!("PTR {name}")),
        super::CNAME => name(rdata).map(|name| format!("CNAME {name}")),
        RecordType::Mx => rdata.split_first_chunk().and_then(|(preference, exchange)| {
            Some(format!("MX {} {}", u16::from_be_bytes(*preference), name(exchange)?))
        }),
        _ => None,
    }
    .unwrap_or_else(generic)
}

fn strings(mut rdata: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(rdata.len() + 8);
    while let Some((&length, rest)) = rdata.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(length))?;
        text.push_str(" \"");
        for octet in string {
            match octet {
                b'"' | b'\\' | 0..b' ' | 0x7f.. => text.push_str(&decimal_escape(*octet)),
                octet => text.push((*octet).into()),
            }
        }
        text.push('"');
        rdata = rest;
    }
    Some(text)
}

/// A full name with everything escaped that has a meaning in master files.
fn master_name(octets: &[u8]) -> String {
    let mut text = String::new();
    for label in Labels::of(octets) {
        for octet in label {
            match octet {
                b'0'..=b'9'
                | b'a'..=b'z'
                | b'A'..=b'Z'
                | b'-'
                | b'_'
                | b'*'
                | b'/'
                | b'='
                | b'+' => {
                    text.push((*octet).into());
                }
                octet => text.push_str(&decimal_escape(*octet)),
            }
        }
        text.push('.');
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}
