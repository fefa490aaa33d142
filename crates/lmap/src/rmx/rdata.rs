//! Records of their own type (draft-danisch-dns-rr-smtp-04 section 6).
//!
//! An entry begins with an octet: the highest bit negates, the others are the entry type. Of names
//! the drafts say that they follow at once, and show a length before them: both are read, the one
//! with a length first.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::record::Builder;
use super::{Entry, FaultKind, Record, Rule};
use crate::wire_name;

impl Record {
    /// Reads RDATA as far as it can be read.
    pub fn parse_rdata(octets: &[u8]) -> Self {
        let mut record = Builder::new("");
        let mut rest = octets;
        while !rest.is_empty() {
            match read(rest) {
                Ok((entry, behind)) => {
                    record.append(entry);
                    rest = behind;
                }
                Err(kind) => {
                    let fault = record.append_fault(kind, rest);
                    return record.finish(octets, Some(fault));
                }
            }
        }
        record.finish(octets, None)
    }

    /// The record as RDATA; none if it has a fault, or a name that is none on the wire.
    pub fn to_rdata(&self) -> Option<Vec<u8>> {
        let mut rdata = Vec::new();
        let written = self.entries().iter().all(|placed| placed.entry.write_rdata(&mut rdata));
        (written && self.fault().is_none()).then_some(rdata)
    }
}

/// The first entry, and what follows it.
fn read(octets: &[u8]) -> Result<(Entry, &[u8]), FaultKind> {
    let (&head, rest) = octets.split_first().ok_or(FaultKind::Truncated)?;
    let (rule, rest) = match head & 0x7f {
        1 => {
            let (address, prefix, rest) = network::<4>(rest)?;
            (Rule::Ipv4(Ipv4Addr::from(address), prefix), rest)
        }
        2 => {
            let (address, prefix, rest) = network::<16>(rest)?;
            (Rule::Ipv6(Ipv6Addr::from(address), prefix), rest)
        }
        3 => name(rest).map(|(name, rest)| (Rule::Host(name), rest))?,
        4 => name(rest).map(|(name, rest)| (Rule::Apl(name), rest))?,
        5 => name(rest).map(|(name, rest)| (Rule::Domain(name), rest))?,
        6 => (Rule::Unused, rest),
        7 => (Rule::Full, rest),
        8 => (Rule::Mx { numbered: true }, rest),
        _ => return Err(FaultKind::UnknownType),
    };
    // A host or list cannot be the root of DNS.
    if matches!(&rule, Rule::Host(name) | Rule::Apl(name) if name.is_empty()) {
        return Err(FaultKind::Name);
    }
    let negated = head & 0x80 != 0;
    if negated && !rule.may_be_negated() {
        return Err(FaultKind::Negated);
    }
    Ok((Entry { negated, rule }, rest))
}

/// The number of bits, and so many octets as hold them.
fn network<const N: usize>(octets: &[u8]) -> Result<([u8; N], u8, &[u8]), FaultKind> {
    let (&prefix, rest) = octets.split_first().ok_or(FaultKind::Truncated)?;
    if usize::from(prefix) > N * 8 {
        return Err(FaultKind::Prefix);
    }
    let length = usize::from(prefix).div_ceil(8);
    let (bits, rest) = rest.split_at_checked(length).ok_or(FaultKind::Truncated)?;
    let mut address = [0; N];
    address[..length].copy_from_slice(bits);
    Ok((address, prefix, rest))
}

/// A name behind its length in octets, or a name alone.
fn name(octets: &[u8]) -> Result<(Box<str>, &[u8]), FaultKind> {
    let (&length, rest) = octets.split_first().ok_or(FaultKind::Truncated)?;
    if let Some((bounded, rest)) = rest.split_at_checked(length.into())
        && let Some((name, [])) = wire_name::read(bounded)
    {
        return Ok((name.into(), rest));
    }
    let (name, rest) = wire_name::read(octets).ok_or(FaultKind::Name)?;
    Ok((name.into(), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
        let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// The table of the sheet rmx.md, section 9.
    #[test]
    fn section_9_wire() {
        for (text, hex) in [
            ("ipv4:10.0.0.0/8", "01 08 0a"),
            ("ipv4:213.133.101.23", "01 20 d5856517"),
            ("!ipv4:1.2.3.4", "81 20 01020304"),
            ("ipv4:192.0.32.0/20", "01 14 c00020"),
            ("ipv4:0.0.0.0/0", "01 00"),
            ("ipv6:fec0::/16", "02 10 fec0"),
            ("host:relay.provider.de", "03 13 0572656c6179 0870726f7669646572 026465 00"),
            ("apl:relays.rackland.de", "04 14 0672656c617973 087261636b6c616e64 026465 00"),
            ("unused:", "06"),
            ("full:", "07"),
        ] {
            let record = Record::parse_text(text.as_bytes()).unwrap();
            assert_eq!(record.to_rdata().as_deref(), Some(&*octets(hex)), "{text}");
            let read = Record::parse_rdata(&octets(hex));
            assert_eq!((read.text(), read.fault()), (text, None), "{hex}");
        }
        let without_length = octets("04 0672656c617973 087261636b6c616e64 026465 00");
        assert_eq!(Record::parse_rdata(&without_length).text(), "apl:relays.rackland.de");
        assert_eq!(Record::parse_rdata(&octets("05 0100 05 00 08")).text(), "domain: domain: 8:");
    }

    #[test]
    fn entries_follow_each_other() {
        let hex = "81 20 01020305 01 18 010203 03 03 0161 00 03 0162 00 06";
        let record = Record::parse_rdata(&octets(hex));
        assert_eq!(record.text(), "!ipv4:1.2.3.5 ipv4:1.2.3.0/24 host:a host:b unused:");
        assert_eq!(record.slice(record.entries()[2].span), "host:a");
    }

    /// "Every truncated and over-long RMX RDATA": whatever is cut off is seen.
    #[test]
    fn lengths_that_lie() {
        use FaultKind::*;
        for (hex, kind, text) in [
            ("01", Truncated, "\\#01"),
            ("01 20 010203", Truncated, "\\#0120010203"),
            ("01 21 0102030405", Prefix, "\\#01210102030405"),
            ("02 81 00", Prefix, "\\#028100"),
            ("02 80 20010db8", Truncated, "\\#028020010db8"),
            ("03", Truncated, "\\#03"),
            ("03 05 0161", Name, "\\#03050161"),
            ("03 02 c00c", Name, "\\#0302c00c"),
            ("03 c00c", Name, "\\#03c00c"),
            ("03 01 00", Name, "\\#030100"),
            ("04 00", Name, "\\#0400"),
            ("06 86", Negated, "unused: \\#86"),
            ("87", Negated, "\\#87"),
            ("00", UnknownType, "\\#00"),
            ("01 00 09 1234", UnknownType, "ipv4:0.0.0.0/0 \\#091234"),
            ("7f", UnknownType, "\\#7f"),
        ] {
            let record = Record::parse_rdata(&octets(hex));
            let kind_read = record.fault().map(|fault| fault.kind);
            assert_eq!((kind_read, record.text()), (Some(kind), text), "{hex}");
            assert_eq!(record.to_rdata(), None, "{hex}");
        }
        // Behind a length that lies by one, the name alone makes sense or nothing does.
        let record = Record::parse_rdata(&octets("03 04 0161 00 00"));
        assert_eq!(record.fault().unwrap().kind, Name);
    }

    #[test]
    fn bits_behind_the_prefix_are_masked() {
        let record = Record::parse_rdata(&octets("01 09 0aff"));
        assert!(record.entries()[0].has_host_bits);
        assert_eq!(record.to_rdata().unwrap(), octets("01 09 0a80"));
        assert!(!Record::parse_rdata(&octets("01 09 0a80")).entries()[0].has_host_bits);
    }

    proptest! {
        #[test]
        fn what_is_read_is_written(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            let record = Record::parse_rdata(&octets);
            if let Some(rdata) = record.to_rdata() {
                let again = Record::parse_rdata(&rdata);
                prop_assert_eq!(again.fault(), None);
                prop_assert_eq!(again.to_rdata().unwrap(), rdata);
            }
        }

        #[test]
        fn what_is_cut_is_a_fault_or_ends_between_entries(
            count in 1..6_usize,
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = octets("81 20 01020305").repeat(count);
            let cut = cut.index(whole.len());
            let record = Record::parse_rdata(&whole[..cut]);
            prop_assert_eq!(record.fault().is_some(), !cut.is_multiple_of(6));
            prop_assert_eq!(record.entries().len(), cut / 6);
        }
    }
}
