use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::{Word, choose};
use crate::{NextHop, Problem};

settings! {
    /// How probes, fetches and mail of our own go out.
    pub struct Outgoing: Default {
        /// Networks that probes and fetches may reach although they are private.
        allow_private: Vec<IpNet> = Vec::new(); Live, Later;
        /// The only way out for forwarded, challenged and released mail: an SMTP server that takes
        /// from us what is for others.
        relay: Option<NextHop> = None, example "\"smtp:127.0.0.1:587\""; Live, Now;
        /// The name for logging in at the relay.
        user: Option<String> = None; Live, Now;
        /// The file with the password for the relay. Nobody but its owner and its group may read
        /// it.
        password_file: Option<PathBuf> = None; Live, Now;
        /// How the relay is spoken to: "off" (in the clear), "starttls" (TLS after STARTTLS, or not
        /// at all) or "implicit" (TLS from the first octet).
        tls: RelayTls = RelayTls::toward(relay.as_ref()),
            shown "\"off\" on a loopback address, else \"starttls\"",
            example "\"starttls\""; Live, Now;
        /// Certificates of authorities that are trusted instead of the system's, as PEM.
        ca_file: Option<PathBuf> = None, example "\"ca.pem\""; Live, Now;
    }
    check relays_by_smtp
}

/// How a relay is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayTls {
    /// In the clear.
    Off,
    /// TLS after STARTTLS (RFC 3207); without it, not at all.
    StartTls,
    /// TLS from the first octet (RFC 8314).
    Implicit,
}

impl RelayTls {
    const ALL: [(&'static str, Self); 3] =
        [("off", Self::Off), ("starttls", Self::StartTls), ("implicit", Self::Implicit)];

    /// What holds unless it is said.
    fn toward(relay: Option<&NextHop>) -> Self {
        if relay.is_none_or(is_on_loopback) { Self::Off } else { Self::StartTls }
    }
}

impl Word for RelayTls {
    const KIND: &'static str = "\"off\", \"starttls\" or \"implicit\"";
    const EXAMPLE: &'static str = "starttls";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("manner", text, Self::ALL.into_iter())
    }

    fn text(&self) -> String {
        let word = Self::ALL.iter().find(|(_, tls)| tls == self).map(|(word, _)| *word);
        word.unwrap_or_default().to_owned()
    }
}

fn is_on_loopback(relay: &NextHop) -> bool {
    match relay {
        NextHop::Smtp { host, .. } | NextHop::LmtpTcp { host, .. } => {
            host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
        NextHop::LmtpUnix(_) | NextHop::Maildir(_) => true,
    }
}

fn relays_by_smtp(outgoing: &Outgoing, section: &Section<'_>, reading: &mut Reading<'_>) {
    let mut conflict = |key, text| {
        reading.error(&section.key_span(&[key]), Problem::Conflict(text));
    };
    if outgoing.relay.as_ref().is_some_and(|relay| !matches!(relay, NextHop::Smtp { .. })) {
        conflict("relay", "a relay takes mail for others by SMTP; write `smtp:HOST:PORT`");
    }
    if outgoing.user.is_some() != outgoing.password_file.is_some() {
        let there = if outgoing.user.is_some() { "user" } else { "password_file" };
        conflict(there, "`user` and `password_file` belong together; name both");
    }
    let far = outgoing.relay.as_ref().is_some_and(|relay| !is_on_loopback(relay));
    if outgoing.user.is_some() && outgoing.tls == RelayTls::Off && far {
        conflict("tls", "the password would cross the network in the clear; leave this out");
    }
}
