use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::problem::quoted;
use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::Word;

/// The port of name servers (RFC 1035 section 4.2).
const DNS_PORT: u16 = 53;

settings! {
    /// Where DNS answers come from.
    pub struct Resolver: Default {
        /// Name servers that are asked, as ADDRESS or ADDRESS:PORT. Empty: those of the system.
        servers: Vec<SocketAddr> = Vec::new(); Live, Now;
        /// Those of them whose AD bit is believed: servers that validate DNSSEC, on this host or on
        /// a way to it that nobody can meddle with. What others say of it is kept, and counts for
        /// nothing.
        trust_ad: Vec<SocketAddr> = Vec::new(); Live, Now;
        /// A master file (RFC 1035) that answers instead of servers; a name that is not in it does
        /// not exist.
        zone: Option<PathBuf> = None, example "\"world.zone\""; Live, Now;
    }
    check one_source
}

fn one_source(resolver: &Resolver, section: &Section<'_>, reading: &mut Reading<'_>) {
    if resolver.zone.is_some() && !resolver.servers.is_empty() {
        let problem =
            Problem::Conflict("`zone` answers instead of `servers`; leave out one of them");
        reading.error(&section.key_span(&["zone"]), problem);
    }
    let is_asked = |server: &SocketAddr| resolver.servers.contains(server);
    if !resolver.servers.is_empty() && !resolver.trust_ad.iter().all(is_asked) {
        let problem = Problem::Conflict("`trust_ad` names a server that is not among `servers`");
        reading.error(&section.key_span(&["trust_ad"]), problem);
    }
}

/// A name server.
impl Word for SocketAddr {
    const KIND: &'static str = "an address";
    const EXAMPLE: &'static str = "127.0.0.1:53";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Ok(address) = bracketed.unwrap_or(text).parse::<IpAddr>() {
            return Ok((address, DNS_PORT).into());
        }
        text.parse().ok().filter(|server: &Self| server.port() != 0).ok_or_else(|| {
            let text = quoted(text);
            Problem::Invalid(format!(
                "`{text}` is no name server; write its address, such as `127.0.0.1:53` or \
                 `[::1]:53`"
            ))
        })
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_name_server_is_53() {
        let parse = |text| SocketAddr::parse(text, Path::new("")).map(|server| server.to_string());
        assert_eq!(parse("127.0.0.1"), Ok("127.0.0.1:53".to_owned()));
        assert_eq!(parse("127.0.0.1:5300"), Ok("127.0.0.1:5300".to_owned()));
        assert_eq!(parse("::1"), Ok("[::1]:53".to_owned()));
        assert_eq!(parse("[::1]"), Ok("[::1]:53".to_owned()));
        assert_eq!(parse("[::1]:54"), Ok("[::1]:54".to_owned()));
        for text in ["", "localhost", "127.0.0.1:0", "127.0.0.1:x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
