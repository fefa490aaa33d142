use std::fmt;
use std::path::{Path, PathBuf};

use crate::problem::quoted;
use crate::value::Word;
use crate::{Domain, Problem};

/// Where a gateway hands its mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextHop {
    /// An SMTP server.
    Smtp {
        /// A host name, or an address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// An LMTP server (RFC 2033) behind TCP.
    LmtpTcp {
        /// A host name, or an address without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// An LMTP server behind a UNIX socket.
    LmtpUnix(PathBuf),
    /// One Maildir for all.
    Maildir(PathBuf),
}

impl Word for NextHop {
    const KIND: &'static str = "a next hop";
    const EXAMPLE: &'static str = "smtp:127.0.0.1:2526";

    fn parse(text: &str, folder: &Path) -> Result<Self, Problem> {
        let wrong = || {
            let text = quoted(text);
            Problem::Invalid(format!(
                "`{text}` is no next hop; write `smtp:HOST:PORT`, `lmtp:HOST:PORT`, \
                 `lmtp:unix:/PATH` or `maildir:PATH`"
            ))
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(wrong)?;
        let server = || host_and_port(rest).ok_or_else(wrong);
        let path = |path| PathBuf::parse(path, folder).map_err(|_| wrong());
        match (scheme, rest.strip_prefix("unix:")) {
            ("lmtp", Some(socket)) => path(socket).map(Self::LmtpUnix),
            ("lmtp", None) => server().map(|(host, port)| Self::LmtpTcp { host, port }),
            ("smtp", _) => server().map(|(host, port)| Self::Smtp { host, port }),
            ("maildir", _) => path(rest).map(Self::Maildir),
            _ => Err(wrong()),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// As it is written in the configuration.
impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp { host, port } => write!(f, "smtp:{}:{port}", bracketed(host)),
            Self::LmtpTcp { host, port } => write!(f, "lmtp:{}:{port}", bracketed(host)),
            Self::LmtpUnix(path) => write!(f, "lmtp:unix:{}", path.display()),
            Self::Maildir(path) => write!(f, "maildir:{}", path.display()),
        }
    }
}

fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port != 0)?;
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: std::net::Ipv6Addr = address.parse().ok()?;
        return Some((address.to_string(), port));
    }
    let host = Domain::parse(host, Path::new("")).ok()?;
    Some((host.to_string(), port))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_hops_come_back_as_they_were_written() {
        for text in [
            "smtp:127.0.0.1:2526",
            "smtp:[::1]:25",
            "smtp:mx.example.test:25",
            "lmtp:localhost:24",
            "lmtp:unix:/run/lmtp",
            "maildir:/var/mail/all",
        ] {
            assert_eq!(NextHop::parse(text, Path::new("/")).unwrap().to_string(), text);
        }
    }

    #[test]
    fn paths_start_at_the_folder_and_hosts_have_no_brackets() {
        let parse = |text| NextHop::parse(text, Path::new("/etc/quivive")).unwrap();
        assert_eq!(parse("maildir:in"), NextHop::Maildir("/etc/quivive/in".into()));
        assert_eq!(parse("lmtp:unix:l"), NextHop::LmtpUnix("/etc/quivive/l".into()));
        assert_eq!(parse("smtp:[::1]:25"), NextHop::Smtp { host: "::1".into(), port: 25 });
    }

    #[test]
    fn what_is_no_next_hop_is_refused() {
        for text in [
            "",
            "smtp",
            "smtp:",
            "smtp:host",
            "smtp:host:0",
            "smtp:host:99999",
            "smtp:::1:25",
            "smtp:a b:25",
            "lmtp:unix:",
            "maildir:",
            "http://x",
            "smtp:unix:/x",
            "smtp:[x]:25",
        ] {
            assert!(NextHop::parse(text, Path::new("/")).is_err(), "{text}");
        }
    }
}
