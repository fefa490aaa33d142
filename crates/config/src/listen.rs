use std::path::Path;

use ipnet::IpNet;

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::settings;
use crate::value::{Word, choose};
use crate::{Address, Built, Domain, NextHop, Problem, Tls};

/// How many listeners there may be.
pub const LISTENERS_MAX: usize = 64;

settings! {
    /// A listener: one door of Quivive.
    pub struct Listen {
        /// What is spoken here. "gateway" is SMTP, with the mail handed on.
        door: Door, example "\"gateway\""; Live, Now;
        /// ADDRESS:PORT or "unix:/PATH"; port 0 is a free one.
        address: Address; Restart, Now;
        /// The domains that mail is taken for. A gateway needs them unless it delivers to a Maildir
        /// on a loopback address.
        recipient_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Where mail goes: "smtp:HOST:PORT", "lmtp:HOST:PORT", "lmtp:unix:/PATH", or
        /// "maildir:PATH", one Maildir for all.
        next_hop: NextHop, example "\"maildir:Maildir\""; Live, Now;
        /// Networks whose clients must speak the PROXY protocol.
        proxy_from: Vec<IpNet> = Vec::new(); Live, Now;
        /// Networks whose clients may say XCLIENT.
        xclient_from: Vec<IpNet> = Vec::new(); Live, Now;
        /// Whether the next hop is told the client by XCLIENT.
        xclient_to_next_hop: bool = false; Live, Now;
        /// How many octets a message may have.
        size_max: usize = 52_428_800, in 1024..=2_147_483_648; Live, Now;
        /// How many connections one client address may hold; loopback and listed peers may more.
        connections_per_address: usize = 50, in 1..=100_000; Live, Now;
        /// Certificate, key and mode ("starttls" or "implicit") of TLS.
        tls: Option<Tls> = None; Live, Now;
    }
    check keeps_its_promises
}

/// What is spoken at a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// SMTP, with the mail handed on.
    Gateway,
    /// SMTP for logged-in users.
    Submission,
    /// The milter protocol.
    Milter,
    /// Postfix's policy delegation.
    Policy,
    /// Postfix's socketmap.
    Socketmap,
    /// Postfix's tcp_table.
    TcpTable,
    /// The HTTP interface.
    Http,
    /// The operator's pages.
    Console,
    /// The strangers' pages.
    Public,
    /// The RMX++ authority.
    Authority,
}

impl Door {
    /// All doors, with whether this version has them.
    pub(crate) const ALL: &[(Self, Built)] = &[
        (Self::Gateway, Built::Now),
        (Self::Submission, Built::Later),
        (Self::Milter, Built::Later),
        (Self::Policy, Built::Later),
        (Self::Socketmap, Built::Later),
        (Self::TcpTable, Built::Later),
        (Self::Http, Built::Later),
        (Self::Console, Built::Later),
        (Self::Public, Built::Later),
        (Self::Authority, Built::Later),
    ];

    /// The word used in configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Submission => "submission",
            Self::Milter => "milter",
            Self::Policy => "policy",
            Self::Socketmap => "socketmap",
            Self::TcpTable => "tcp-table",
            Self::Http => "http",
            Self::Console => "console",
            Self::Public => "public",
            Self::Authority => "authority",
        }
    }

    /// Whether it answers before there is a message, and so cannot keep or lose one.
    pub fn is_without_message(self) -> bool {
        matches!(self, Self::Policy | Self::Socketmap | Self::TcpTable | Self::Http)
    }
}

impl Word for Door {
    const KIND: &'static str = "a door";
    const EXAMPLE: &'static str = "gateway";

    fn parse(text: &str, _: &Path) -> Result<Self, Problem> {
        choose("door", text, Self::ALL.iter().map(|(door, _)| (door.word(), *door)))
    }

    fn text(&self) -> String {
        self.word().to_owned()
    }

    fn built(&self) -> Result<(), Problem> {
        let now = || Self::ALL.iter().filter(|(_, built)| *built == Built::Now);
        if now().any(|(door, _)| door == self) {
            return Ok(());
        }
        let words: Vec<_> = now().map(|(door, _)| door.word()).collect();
        let cure = format!("there are: {}", words.join(", "));
        Err(Problem::NotInThisVersion { what: "door", word: self.text(), cure })
    }
}

fn keeps_its_promises(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    never_an_open_relay(listen, section, reading);
    if listen.xclient_to_next_hop && matches!(listen.next_hop, NextHop::Maildir(_)) {
        let problem = Problem::Conflict("a Maildir hears no XCLIENT; leave it out");
        reading.error(&section.key_span(&["xclient_to_next_hop"]), problem);
    }
}

fn never_an_open_relay(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    let stays_here = matches!(listen.next_hop, NextHop::Maildir(_)) && listen.address.is_loopback();
    if listen.door == Door::Gateway && listen.recipient_domains.is_empty() && !stays_here {
        let problem = Problem::Conflict(
            "this gateway would relay for everybody; name its `recipient_domains`, or let it \
             deliver to a Maildir on a loopback address",
        );
        reading.error(&section.key_span(&["recipient_domains"]), problem);
    }
}
