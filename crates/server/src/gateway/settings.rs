use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::destination::Forwarding;
use crate::next_hop::{self, NextHop};

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name: in the greeting, in EHLO to the next hop, and in `Received`.
    pub hostname: String,
    /// The domains that mail is taken for, as A-labels. Empty: any, which only a Maildir allows.
    pub recipient_domains: Vec<String>,
    /// Where mail goes.
    pub next_hop: NextHop,
    /// Networks whose connections begin with a PROXY header.
    pub proxy_from: Vec<IpNet>,
    /// Networks that may state a client by XCLIENT.
    pub xclient_from: Vec<IpNet>,
    /// Networks whose word counts for who submitted a message (AUTH of MAIL, RFC 4954 section 5).
    pub auth_from: Vec<IpNet>,
    /// Whether the next hop is told the client by XCLIENT, where it offers that.
    pub xclient_to_next_hop: bool,
    /// Certificate and key.
    pub tls: Option<Tls>,
    /// How many octets a message may have.
    pub size_max: u64,
    /// How many connections one client address may hold.
    pub connections_per_address: usize,
    /// How many connections there may be at all; more are told 421 and closed.
    pub connections_max: usize,
    /// How long the greeting waits for clients that talk before it. Zero: it does not.
    pub greeting_delay: Duration,
    /// Where messages wait that are too long for memory.
    pub spool_folder: PathBuf,
    /// How long peers are waited for.
    pub patience: Patience,
    /// How mail is forwarded.
    pub forwarding: Forwarding,
}

/// Certificate, key, and when they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// From the first octet or after STARTTLS.
    pub mode: TlsMode,
    /// The authorities from which clients may have certificates, PEM; none: clients are not asked.
    pub client_authorities: Option<PathBuf>,
}

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// When the client asks for it (RFC 3207).
    StartTls,
    /// At once.
    Implicit,
}

/// How long peers are waited for. The defaults are the bounds; tests have others.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a whole PROXY header, and for a whole TLS handshake.
    pub preface: Duration,
    /// From one whole command to the next (RFC 5321 section 4.5.3.2.7), however slowly its octets
    /// come.
    pub command: Duration,
    /// Without a single octet of a message (RFC 5321 section 4.5.3.2.5).
    pub block: Duration,
    /// For a whole message.
    pub message: Duration,
    /// Until the client takes what we say.
    pub write: Duration,
    /// Without a message, whatever else is said.
    pub quiet: Duration,
    /// For the last word to reach a client that did not expect it.
    pub linger: Duration,
    /// For the next hop.
    pub next_hop: next_hop::Patience,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            preface: Duration::from_secs(30),
            command: Duration::from_secs(300),
            block: Duration::from_secs(180),
            message: Duration::from_secs(1800),
            write: Duration::from_secs(60),
            quiet: Duration::from_secs(3600),
            linger: Duration::from_secs(2),
            next_hop: next_hop::Patience::default(),
        }
    }
}

impl Settings {
    /// How many octets a message may have unless it is said.
    pub const SIZE_MAX: u64 = 50 * 1024 * 1024;

    /// How many connections an address may hold unless it is said.
    pub const CONNECTIONS_PER_ADDRESS: usize = 50;

    /// How many connections a listener has at most, unless it is said.
    pub const CONNECTIONS_MAX: usize = 1000;

    /// A gateway of this name, with this next hop and the defaults.
    pub fn new(hostname: &str, next_hop: NextHop) -> Self {
        Self {
            hostname: hostname.to_owned(),
            recipient_domains: Vec::new(),
            next_hop,
            proxy_from: Vec::new(),
            xclient_from: Vec::new(),
            auth_from: Vec::new(),
            xclient_to_next_hop: false,
            tls: None,
            size_max: Self::SIZE_MAX,
            connections_per_address: Self::CONNECTIONS_PER_ADDRESS,
            connections_max: Self::CONNECTIONS_MAX,
            greeting_delay: Duration::ZERO,
            spool_folder: std::env::temp_dir(),
            patience: Patience::default(),
            forwarding: Forwarding::default(),
        }
    }
}
