use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use crate::Problem;
use crate::problem::quoted;
use crate::value::Word;

/// How long the URL of a service may be, in octets.
const URL_OCTETS_MAX: usize = 1000;

/// Where a service is asked: `https://accounts.example.test/grants`. Without TLS on loopback alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Word for ServiceUrl {
    const KIND: &'static str = "the URL of a service";
    const EXAMPLE: &'static str = "https://accounts.example.test/grants";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        let host = |rest: &str| {
            let authority = rest.split(['/', '?']).next().unwrap_or_default();
            let host = match authority.strip_prefix('[') {
                Some(rest) => rest.split(']').next().unwrap_or_default(),
                None => authority.split(':').next().unwrap_or_default(),
            };
            host.to_owned()
        };
        let is_loopback = |host: &str| {
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        };
        let fits = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => !host(rest).is_empty(),
            (_, Some(rest)) => is_loopback(&host(rest)),
            _ => false,
        };
        let plain = |octet: u8| octet.is_ascii_graphic() && !b"#\"<>\\^`{|}@".contains(&octet);
        if !fits || text.len() > URL_OCTETS_MAX || !text.bytes().all(plain) {
            let text = quoted(text);
            return Err(Problem::Invalid(format!(
                "`{text}` is no URL of a service; write `https://HOST/PATH`, or `http://` on a \
                 loopback address"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_can_listen_to() {
        let parse = |text| ServiceUrl::parse(text, Path::new(""));
        for text in [
            "https://a.test/grants",
            "https://a.test",
            "https://a.test:8443/g?tenant=1",
            "http://127.0.0.1:8080/",
            "http://[::1]/x",
            "http://localhost/x",
        ] {
            assert_eq!(parse(text).map(|url| url.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "https://",
            "http://a.test/",
            "http://127.0.0.1.a.test/",
            "http://127.0.0.1@a.test/",
            "ftp://127.0.0.1/",
            "https://a.test/#x",
            "https://a b.test/",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
