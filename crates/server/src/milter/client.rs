use std::net::IpAddr;

use quivive_milter::{self as protocol, Macros, Peer};

/// The client of the mail server.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// None: the mail server does not say, because the mail was made on its own host.
    pub(super) address: Option<IpAddr>,
    pub(super) helo: String,
    pub(super) tls: bool,
}

impl Client {
    pub(super) fn new(client: &protocol::Client<'_>) -> Self {
        let address = match client.peer {
            Peer::Network(address) => Some(address.ip().to_canonical()),
            Peer::Unix(_) | Peer::Unknown => None,
        };
        Self { address, ..Self::default() }
    }

    /// Takes what macros say beyond the events.
    pub(super) fn read(&mut self, macros: &Macros) {
        if self.address.is_none() {
            let stated = macro_text(macros, "client_addr");
            self.address = stated.and_then(|address| address.parse().ok());
        }
        self.tls |= macro_text(macros, "tls_version").is_some();
    }
}

/// The name in the client's certificate, if it was verified. Sendmail says by `{verify}` whether it
/// was, and has the whole subject in `{cert_subject}`; Postfix has a name, and only there, for one
/// that was.
pub(super) fn verified_certificate(macros: &Macros) -> Option<String> {
    let is_verified = match macro_text(macros, "verify") {
        Some(word) => word == "OK",
        None => macro_text(macros, "v").is_some_and(|version| version.starts_with("Postfix ")),
    };
    let name = macro_text(macros, "cn_subject").or_else(|| macro_text(macros, "cert_subject"));
    name.filter(|_| is_verified)
}

/// The value of a macro, unless it is empty.
pub(super) fn macro_text(macros: &Macros, name: &str) -> Option<String> {
    macros.value(name).map(text).filter(|value| !value.is_empty())
}

/// What an MTA says, as text.
pub(super) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
