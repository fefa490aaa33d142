//! What every linter says of networks and hosts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{LookUps, Remark, Severity};

/// A network with a shorter prefix is wide: more than one organisation sends from it.
const WIDE_IPV4: u8 = 16;
const WIDE_IPV6: u8 = 32;

/// What is to be said about a network whose hosts may send, if anything.
pub fn permitted_network(network: IpNet, span: &Range<usize>) -> Option<Remark> {
    let is_ipv4 = matches!(network, IpNet::V4(_));
    let (code, message, help) = match not_public_network(network) {
        None => {
            let (message, help) = wide_network(network.prefix_len(), is_ipv4)?;
            ("wide-network", message, help)
        }
        Some(what) => {
            let message =
                format!("the addresses are {what}, and no mail comes from them over the internet");
            let help = "remove it, and name the address that other hosts see".to_owned();
            ("no-public-address", message, help)
        }
    };
    Some(Remark::new(Severity::Warning, code, span.clone(), message, help))
}

/// Why no mail comes from any address of a network over the internet, in words.
pub fn not_public_network(network: IpNet) -> Option<&'static str> {
    let what = is_not_public(network.network())?;
    (is_not_public(network.broadcast()) == Some(what)).then_some(what)
}

/// What is to be said about a network of this prefix length whose hosts may send, and the cure, if
/// it is wide.
pub fn wide_network(prefix: u8, is_ipv4: bool) -> Option<(String, String)> {
    let (family, most) = if is_ipv4 { ("IPv4", WIDE_IPV4) } else { ("IPv6", WIDE_IPV6) };
    let help = "name the networks that your mail comes from".to_owned();
    match prefix {
        0 => {
            Some((format!("`/0` lets every {family} host in the world send for this domain"), help))
        }
        _ if prefix >= most => None,
        _ if is_ipv4 => {
            let count = 1_u64 << (32 - prefix);
            Some((
                format!(
                    "`/{prefix}` lets {} hosts send for this domain, which are hardly all yours",
                    grouped(count)
                ),
                help,
            ))
        }
        _ => Some((
            format!(
                "`/{prefix}` is wider than what an organisation is given (a /{most} at most), \
                 so that strangers may send for this domain"
            ),
            help,
        )),
    }
}

/// The addresses of a host that may send, as networks. What is to be said about the host is added
/// to the remarks.
pub fn permitted_host(
    name: &str,
    span: &Range<usize>,
    look_ups: &LookUps<'_>,
    remarks: &mut Vec<Remark>,
) -> Vec<IpNet> {
    let mut warn = |code, message: String, help: &str| {
        remarks.push(Remark::new(Severity::Warning, code, span.clone(), message, help));
    };
    match look_ups.addresses(name) {
        None => Vec::new(),
        Some(Err(failure)) => {
            warn(
                "dns-failure",
                format!("DNS gives no answer about {name}: {}", failure.token()),
                "see to the name servers of that name",
            );
            Vec::new()
        }
        Some(Ok(addresses)) if addresses.is_empty() => {
            warn(
                "no-address",
                format!("{name} has no address, so that no mail can come from it"),
                "name a host that exists, or remove it",
            );
            Vec::new()
        }
        Some(Ok(addresses)) => {
            if let Some(what) = addresses.iter().find_map(|address| is_not_public(*address)) {
                warn(
                    "no-public-address",
                    format!(
                        "{name} has an address that is {what}, from which no mail comes over the \
                         internet"
                    ),
                    "give the host the address that others see",
                );
            }
            addresses.into_iter().map(IpNet::from).collect()
        }
    }
}

/// A number as people read it: `4,294,967,296`.
pub fn grouped(count: impl Into<u128>) -> String {
    let digits = count.into().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Why no mail comes from an address over the internet, in words (RFC 6890). The blocks for
/// documentation are left alone: whoever writes them knows it.
pub fn is_not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => not_public_ipv4(address),
        IpAddr::V6(address) => not_public_ipv6(address),
    }
}

fn not_public_ipv4(address: Ipv4Addr) -> Option<&'static str> {
    const NOT_PUBLIC: &[(Ipv4Addr, u8, &str)] = &[
        (Ipv4Addr::new(0, 0, 0, 0), 8, "of the network itself"),
        (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
        (Ipv4Addr::new(100, 64, 0, 0), 10, "shared behind a provider's gateway"),
        (Ipv4Addr::new(127, 0, 0, 0), 8, "a host's own"),
        (Ipv4Addr::new(169, 254, 0, 0), 16, "of one link"),
        (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
        (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
        (Ipv4Addr::new(224, 0, 0, 0), 4, "of groups, not hosts"),
        (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
    ];
    let within = |(network, prefix, _): &&(Ipv4Addr, u8, &str)| {
        Ipv4Net::new(*network, *prefix).is_ok_and(|network| network.contains(&address))
    };
    NOT_PUBLIC.iter().find(within).map(|(_, _, words)| *words)
}

fn not_public_ipv6(address: Ipv6Addr) -> Option<&'static str> {
    const NOT_PUBLIC: &[(Ipv6Addr, u8, &str)] = &[
        (Ipv6Addr::UNSPECIFIED, 127, "a host's own"),
        (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, "IPv4 in disguise, and never matched"),
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "of one link"),
        (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "of groups, not hosts"),
    ];
    let within = |(network, prefix, _): &&(Ipv6Addr, u8, &str)| {
        Ipv6Net::new(*network, *prefix).is_ok_and(|network| network.contains(&address))
    };
    NOT_PUBLIC.iter().find(within).map(|(_, _, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_mail_comes_from() {
        let of = |text: &str| is_not_public(text.parse().unwrap());
        assert_eq!(of("192.168.1.1"), Some("private"));
        assert_eq!(of("::1"), Some("a host's own"));
        assert_eq!(of("fd00::1"), Some("private"));
        for public in ["192.0.2.1", "8.8.8.8", "2001:db8::1", "172.32.0.1", "100.128.0.0"] {
            assert_eq!(of(public), None, "{public}");
        }
    }

    #[test]
    fn networks_that_may_send() {
        let code = |network: &str| {
            permitted_network(network.parse().unwrap(), &(0..1)).map(|remark| remark.code)
        };
        assert_eq!(code("0.0.0.0/0"), Some("wide-network"));
        assert_eq!(code("128.0.0.0/1"), Some("wide-network"));
        assert_eq!(code("10.1.0.0/16"), Some("no-public-address"));
        assert_eq!(code("10.0.0.0/8"), Some("no-public-address"));
        assert_eq!(code("2001:db8::/31"), Some("wide-network"));
        assert_eq!(code("192.0.2.0/24"), None);
        assert_eq!(code("2001:db8::/32"), None);
    }
}
