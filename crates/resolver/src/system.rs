//! The system's list of name servers.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

/// Where the system lists its name servers.
pub(crate) const RESOLV_CONF: &str = "/etc/resolv.conf";

const DNS_PORT: u16 = 53;

/// The name servers of resolv.conf(5), in order.
pub(crate) fn name_servers() -> io::Result<Vec<SocketAddr>> {
    std::fs::read(RESOLV_CONF).map(|text| read(&String::from_utf8_lossy(&text)))
}

fn read(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        words.next().filter(|word| *word == "nameserver")?;
        server(words.next()?)
    });
    servers.collect()
}

/// An address; a link-local one with the number of its link (`fe80::1%2`).
fn server(text: &str) -> Option<SocketAddr> {
    if let Some((address, link)) = text.split_once('%') {
        let server = SocketAddrV6::new(address.parse().ok()?, DNS_PORT, 0, link.parse().ok()?);
        return Some(server.into());
    }
    text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, DNS_PORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_name_servers_count() {
        let text = "# nameserver 192.0.2.9\nsearch example.com\nnameserver 192.0.2.1\n\
            options ndots:5\n nameserver\t2001:db8::1 # second\nnameserver none\nnameserver fe80::1%3\n";
        let servers: Vec<_> = read(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%3]:53"]);
    }
}
