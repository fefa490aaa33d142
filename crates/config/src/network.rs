use std::net::IpAddr;
use std::path::Path;

use ipnet::{IpNet, Ipv4Net};

use crate::Problem;
use crate::problem::quoted;
use crate::value::Word;

/// The length of the prefix below which IPv6 holds IPv4 (RFC 4291 section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// A network, or one address. IPv4-mapped IPv6 is held as IPv4, as clients' addresses are.
impl Word for IpNet {
    const KIND: &'static str = "a network";
    const EXAMPLE: &'static str = "192.0.2.0/24";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(address.to_canonical().into());
        }
        let network: Self = text.parse().map_err(|_| {
            let text = quoted(text);
            Problem::Invalid(format!("`{text}` is no network, such as `192.0.2.0/24`"))
        })?;
        if network != network.trunc() {
            let cure = network.trunc();
            return Err(Problem::Invalid(format!(
                "`{text}` has bits behind its prefix; write `{cure}`"
            )));
        }
        Ok(unmapped(network))
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let prefix = v6.prefix_len().checked_sub(MAPPED_PREFIX);
    let v4 = v6.network().to_ipv4_mapped().zip(prefix);
    v4.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_canonical() {
        let parse = |text| {
            let network = IpNet::parse(text, Path::new(""));
            network.map(|network| network.to_string()).map_err(|problem| problem.to_string())
        };
        assert_eq!(parse("192.0.2.0/24"), Ok("192.0.2.0/24".to_owned()));
        assert_eq!(parse("192.0.2.1"), Ok("192.0.2.1/32".to_owned()));
        assert_eq!(parse("::1"), Ok("::1/128".to_owned()));
        assert_eq!(parse("::ffff:10.0.0.0/104"), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(parse("::ffff:10.0.0.1"), Ok("10.0.0.1/32".to_owned()));
        assert_eq!(parse("::/0"), Ok("::/0".to_owned()));
        assert_eq!(
            parse("10.0.0.1/8"),
            Err("`10.0.0.1/8` has bits behind its prefix; write `10.0.0.0/8`".to_owned())
        );
        assert_eq!(parse("x"), Err("`x` is no network, such as `192.0.2.0/24`".to_owned()));
        assert!(parse("10.0.0.0/33").is_err());
    }
}
