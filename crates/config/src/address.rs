use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::Problem;
use crate::problem::quoted;
use crate::value::Word;

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address and a port; port 0 is a free one.
    Tcp(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

impl Address {
    /// Whether only this host can reach it.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    /// Whether two listeners cannot have these at once. Every free port is another one.
    pub(crate) fn collides_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp(a), Self::Tcp(b)) => {
                let any = a.ip().is_unspecified() || b.ip().is_unspecified();
                let same = a.ip() == b.ip() || (any && a.is_ipv4() == b.is_ipv4());
                same && a.port() == b.port() && a.port() != 0
            }
            (Self::Unix(a), Self::Unix(b)) => a == b,
            _ => false,
        }
    }
}

impl Word for Address {
    const KIND: &'static str = "an address with a port, or a UNIX socket";
    const EXAMPLE: &'static str = "127.0.0.1:2525";

    fn parse(text: &str, folder: &Path) -> Result<Self, Problem> {
        if let Some(path) = text.strip_prefix("unix:") {
            return PathBuf::parse(path, folder).map(Self::Unix);
        }
        text.parse().map(Self::Tcp).map_err(|_| {
            let text = quoted(text);
            Problem::Invalid(format!(
                "`{text}` is no address to listen on; write `127.0.0.1:2525`, `[::1]:0` or \
                 `unix:/run/quivive/m.sock`"
            ))
        })
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// As it is written in the configuration.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text, Path::new("/etc/quivive")).unwrap()
    }

    #[test]
    fn addresses_are_tcp_or_unix() {
        assert_eq!(address("127.0.0.1:2525"), Address::Tcp(([127, 0, 0, 1], 2525).into()));
        assert_eq!(address("[::1]:0").to_string(), "[::1]:0");
        assert_eq!(address("unix:/run/m.sock"), Address::Unix("/run/m.sock".into()));
        assert_eq!(address("unix:m.sock").to_string(), "unix:/etc/quivive/m.sock");
        for text in ["", "127.0.0.1", "localhost:25", ":25", "unix:", "[::1]:65536"] {
            assert!(Address::parse(text, Path::new("/")).is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_is_what_only_this_host_reaches() {
        for text in ["127.0.0.1:0", "[::1]:0", "[::ffff:127.0.0.2]:0", "unix:/m"] {
            assert!(address(text).is_loopback(), "{text}");
        }
        for text in ["0.0.0.0:25", "[::]:25", "192.0.2.1:25"] {
            assert!(!address(text).is_loopback(), "{text}");
        }
    }

    #[test]
    fn addresses_collide() {
        let collide = |a, b| address(a).collides_with(&address(b));
        assert!(collide("127.0.0.1:25", "127.0.0.1:25"));
        assert!(collide("0.0.0.0:25", "127.0.0.1:25"));
        assert!(collide("unix:/a", "unix:/a"));
        assert!(!collide("127.0.0.1:0", "127.0.0.1:0"));
        assert!(!collide("127.0.0.1:25", "127.0.0.2:25"));
        assert!(!collide("127.0.0.1:25", "127.0.0.1:26"));
        assert!(!collide("0.0.0.0:25", "[::1]:25"));
        assert!(!collide("unix:/a", "127.0.0.1:25"));
    }
}
