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

/// The value of a macro, unless it is empty.
pub(super) fn macro_text(macros: &Macros, name: &str) -> Option<String> {
    macros.value(name).map(text).filter(|value| !value.is_empty())
}

/// What an MTA says, as text.
pub(super) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
