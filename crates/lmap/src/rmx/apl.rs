//! Lists of address prefixes (RFC 3123), as an `apl` entry names them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The type of such records.
pub(super) const APL: u16 = 42;

/// An item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AplItem {
    /// Excludes the prefix.
    pub negated: bool,
    /// The prefix's address.
    pub address: IpAddr,
    /// How many bits of it count.
    pub prefix: u8,
}

/// The items of RDATA in order; those of other families than IPv4 and IPv6 are left out. None if
/// it is malformed.
pub fn read_apl(rdata: &[u8]) -> Option<Vec<AplItem>> {
    let mut items = Vec::new();
    let mut rest = rdata;
    while !rest.is_empty() {
        let (head, behind) = rest.split_first_chunk::<4>()?;
        let [high, low, prefix, length] = *head;
        let (part, behind) = behind.split_at_checked(usize::from(length & 0x7f))?;
        rest = behind;
        let address = match u16::from_be_bytes([high, low]) {
            1 => IpAddr::V4(Ipv4Addr::from(filled::<4>(part)?)),
            2 => IpAddr::V6(Ipv6Addr::from(filled::<16>(part)?)),
            _ => continue,
        };
        if prefix > if address.is_ipv4() { 32 } else { 128 } {
            return None;
        }
        items.push(AplItem { negated: length & 0x80 != 0, address, prefix });
    }
    Some(items)
}

/// The address whose closing zero octets were left out.
fn filled<const N: usize>(part: &[u8]) -> Option<[u8; N]> {
    let mut address = [0; N];
    address.get_mut(..part.len())?.copy_from_slice(part);
    Some(address)
}

impl AplItem {
    /// Whether the prefix covers an address.
    pub fn covers(&self, client: IpAddr) -> bool {
        covers(self.address, self.prefix, client)
    }
}

/// Whether a network covers an address: of its bits the first `prefix` count.
pub(super) fn covers(network: IpAddr, prefix: u8, client: IpAddr) -> bool {
    IpNet::new(network, prefix).is_ok_and(|network| network.contains(&client))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str, prefix: u8, negated: bool) -> AplItem {
        AplItem { negated, address: text.parse().unwrap(), prefix }
    }

    /// `APL 1:213.133.101.23/32 1:1.2.3.0/24`, the example of the sheet rmx.md, section 9.
    #[test]
    fn section_9_apl() {
        let rdata = b"\x00\x01\x20\x04\xd5\x85\x65\x17\x00\x01\x18\x03\x01\x02\x03";
        let expected = [item("213.133.101.23", 32, false), item("1.2.3.0", 24, false)];
        assert_eq!(read_apl(rdata).unwrap(), expected);
    }

    #[test]
    fn families_negation_and_lengths() {
        let rdata = b"\x00\x02\x20\x84\x20\x01\x0d\xb8\x00\x09\x08\x01\xff\x00\x01\x00\x00";
        let expected = [item("2001:db8::", 32, true), item("0.0.0.0", 0, false)];
        assert_eq!(read_apl(rdata).unwrap(), expected);
        assert_eq!(read_apl(b""), Some(Vec::new()));
        for malformed in [
            &b"\x00"[..],
            b"\x00\x01\x20\x04\xd5\x85\x65",
            b"\x00\x01\x21\x00",
            b"\x00\x01\x20\x05\x01\x02\x03\x04\x05",
            b"\x00\x02\x81\x00",
        ] {
            assert_eq!(read_apl(malformed), None, "{malformed:?}");
        }
    }

    #[test]
    fn prefixes_cover() {
        assert!(item("192.0.2.0", 24, false).covers([192, 0, 2, 7].into()));
        assert!(!item("192.0.2.0", 32, false).covers([192, 0, 2, 7].into()));
        assert!(item("0.0.0.0", 0, false).covers([192, 0, 2, 7].into()));
        assert!(!item("::", 0, false).covers([192, 0, 2, 7].into()));
        assert!(item("2001:db8::", 32, false).covers("2001:db8::1".parse().unwrap()));
    }
}
