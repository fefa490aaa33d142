//! Address prefix lists as text (RFC 3123).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The RDATA of one item, `[!]FAMILY:ADDRESS/PREFIX`, or what is wrong with it.
pub(super) fn item(text: &str) -> Result<Vec<u8>, &'static str> {
    let (negated, text) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (family, rest) = text.split_once(':').ok_or("there is no colon behind the family")?;
    let (address, prefix) = rest.split_once('/').ok_or("there is no slash before the prefix")?;
    let (family, address) = match family {
        "1" => {
            let address: Ipv4Addr = address.parse().map_err(|_| "the IPv4 address is none")?;
            (1_u16, address.octets().to_vec())
        }
        "2" => {
            let address: Ipv6Addr = address.parse().map_err(|_| "the IPv6 address is none")?;
            (2_u16, address.octets().to_vec())
        }
        _ => return Err("the family is neither 1 nor 2"),
    };
    let digits = !prefix.is_empty() && prefix.bytes().all(|octet| octet.is_ascii_digit());
    let prefix: u8 = prefix.parse().ok().filter(|_| digits).ok_or("the prefix is no number")?;
    if usize::from(prefix) > address.len() * 8 {
        return Err("the prefix is longer than the address");
    }
    Ok(encode(family, prefix, negated, &address))
}

/// Trailing zero octets of the address are left out (RFC 3123 section 4).
fn encode(family: u16, prefix: u8, negated: bool, address: &[u8]) -> Vec<u8> {
    let length = address.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    let mut rdata = family.to_be_bytes().to_vec();
    rdata.push(prefix);
    rdata.push(u8::from(negated) << 7 | length as u8);
    rdata.extend_from_slice(&address[..length]);
    rdata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_both_families() {
        assert_eq!(item("1:192.0.2.0/24").unwrap(), [0, 1, 24, 3, 192, 0, 2]);
        assert_eq!(item("!2:2001:db8::/32").unwrap(), [0, 2, 32, 0x84, 0x20, 1, 0xd, 0xb8]);
        assert_eq!(item("1:0.0.0.0/0").unwrap(), [0, 1, 0, 0]);
    }

    #[test]
    fn what_is_no_item() {
        for text in [
            "",
            "1",
            "1:",
            "3:192.0.2.0/24",
            "1:192.0.2.0",
            "1:192.0.2.0/33",
            "1:192.0.2.0/+1",
            "1:::/0",
            "2:::/129",
            "2:192.0.2.0/24",
            "!!1:192.0.2.0/24",
            "1:192.0.2.0/",
        ] {
            assert!(item(text).is_err(), "{text}");
        }
    }
}
