use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::reading::Reading;
use crate::section::Section;
use crate::settings::{Settings, settings};
use crate::value::{Word, choose};
use crate::{
    Address, Built, Domain, Doubt, FieldPrefix, Map, MilterSrs, NextHop, Prepend, Problem,
    SocketMode, Tls, Url,
};

/// How many listeners there may be.
pub const LISTENERS_MAX: usize = 64;

settings! {
    /// A listener: one door of Quivive.
    pub struct Listen {
        /// What is spoken here. "gateway" is SMTP, with the mail handed on; "console" are the
        /// operator's pages and /metrics; "public" are the pages that tell strangers why their mail
        /// was refused; "submission" is SMTP for users who log in; "milter" is asked by Postfix and
        /// Sendmail; "policy" answers the policy questions of Postfix and Exim; "socketmap" and
        /// "tcp-table" answer look-ups; "opensmtpd" is asked by `quivive opensmtpd-filter`; "http"
        /// is for programs that ask about messages.
        door: Door, example "\"gateway\""; Live, Now;
        /// ADDRESS:PORT or "unix:/PATH"; port 0 is a free one.
        address: Address; Restart, Now;
        /// Who may use a UNIX socket, as an octal mode: those who may write. Unless it is set, the
        /// umask of the process says so.
        socket_mode: Option<SocketMode> = None, example "\"0660\""; Restart, Now;
        /// The account that a UNIX socket belongs to, by name or number. To give it away the
        /// process must be root.
        socket_owner: Option<String> = None, example "\"postfix\""; Restart, Now;
        /// The group that a UNIX socket belongs to, by name or number: one that the process is in,
        /// unless it is root.
        socket_group: Option<String> = None, example "\"postfix\""; Restart, Now;
        /// The domains that mail is taken for. A gateway needs them unless it delivers to a Maildir
        /// on a loopback address; without them users who log in send everywhere.
        recipient_domains: Vec<Domain> = Vec::new(); Live, Now;
        /// Where a gateway's mail goes: "smtp:HOST:PORT", "lmtp:HOST:PORT", "lmtp:unix:/PATH", or
        /// "maildir:PATH", one Maildir for all.
        next_hop: Option<NextHop> = None, example "\"maildir:Maildir\"" sampled; Live, Now;
        /// Networks whose clients must speak the PROXY protocol.
        proxy_from: Vec<IpNet> = Vec::new(); Live, Now;
        /// Networks whose clients may say XCLIENT.
        xclient_from: Vec<IpNet> = Vec::new(); Live, Now;
        /// Networks whose word counts for who submitted a message (AUTH= of MAIL, RFC 4954): it
        /// goes on to the next hop.
        auth_from: Vec<IpNet> = Vec::new(); Live, Now;
        /// Whether the next hop is told the client by XCLIENT.
        xclient_to_next_hop: bool = false; Live, Now;
        /// How many octets a message may have.
        size_max: usize = 52_428_800, in 1024..=2_147_483_648; Live, Now;
        /// How many connections one client address may hold; loopback and listed peers may more.
        connections_per_address: usize = 50, in 1..=100_000; Live, Now;
        /// Certificate, key and mode ("starttls" or "implicit") of TLS. Pages have no mode: with
        /// a certificate they are HTTPS.
        tls: Option<Tls> = None; Live, Now;
        /// Who may log in: the file that `quivive user` keeps. Nobody but its owner and its group
        /// may read it.
        users: Option<PathBuf> = None, example "\"users\""; Live, Now;
        /// The socket of Dovecot's auth service, which then says who may log in.
        dovecot_auth: Option<PathBuf> = None, example "\"/run/dovecot/auth-client\""; Live, Now;
        /// The authorities whose certificates clients may log in by (EXTERNAL), as PEM.
        client_ca_file: Option<PathBuf> = None, example "\"clients.pem\""; Live, Now;
        /// What opens the console: a file with the argon2 hash of a password, as `quivive config
        /// password` makes it. On an address that others can reach there must be one.
        password_file: Option<PathBuf> = None, example "\"console.password\""; Live, Now;
        /// The names under which browsers reach the console, beside those of loopback and its own
        /// address.
        hosts: Vec<Domain> = Vec::new(); Live, Now;
        /// Where strangers reach the public pages; refusals name it.
        url: Option<Url> = None; Live, Now;
        /// What a policy listener has written on top of mail that is not refused: one field for
        /// each question that the mail server asks about a message, in this order, and each field
        /// once.
        prepend: Vec<Prepend> = Prepend::ALL.to_vec(); Live, Now;
        /// What a policy listener puts before the names of such fields: a word that nobody can
        /// guess, by which the mail server tells them from forged ones and which it then takes
        /// away.
        prepend_prefix: Option<FieldPrefix> = None, example "\"X-Quivive-4f1d9a-\""; Live, Now;
        /// What a tcp-table answers from, as it has no names: "forward" or "reverse".
        map: Option<Map> = None, example "\"forward\""; Live, Now;
        /// Whether a milter rewrites the envelope of mail that is forwarded, as `[srs]` says: "off";
        /// "with-checks"; or "alone", where mail comes a second time, judged and marked already.
        /// Aliases that the mail server has not expanded yet are those of `[forwarding]`.
        srs: MilterSrs = MilterSrs::Off; Live, Now;
        /// The tokens of the HTTP interface, as hashes: `quivive token new` makes them. Without a
        /// token nobody is answered, on loopback neither.
        token_file: Option<PathBuf> = None, example "\"http.tokens\""; Live, Now;
        /// How many requests a minute one token of the HTTP interface may make, and one client
        /// address; as many may come at once.
        requests_per_minute: usize = 6_000, in 1..=1_000_000; Live, Now;
        /// How many seconds a mail server that asks the milter waits without a word while a check
        /// runs; then it is told that it still runs. Less than the mail server's own patience: that
        /// of Postfix is `milter_command_timeout`, 30 s.
        progress_seconds: usize = 10, in 1..=60; Live, Now;
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
    /// OpenSMTPD's filter.
    Opensmtpd,
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
        (Self::Submission, Built::Now),
        (Self::Milter, Built::Now),
        (Self::Policy, Built::Now),
        (Self::Socketmap, Built::Now),
        (Self::TcpTable, Built::Now),
        (Self::Opensmtpd, Built::Now),
        (Self::Http, Built::Now),
        (Self::Console, Built::Now),
        (Self::Public, Built::Now),
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
            Self::Opensmtpd => "opensmtpd",
            Self::Http => "http",
            Self::Console => "console",
            Self::Public => "public",
            Self::Authority => "authority",
        }
    }

    /// Whether it knows nobody by name or password: who reaches it is answered.
    fn trusts_whoever_reaches_it(self) -> bool {
        matches!(
            self,
            Self::Milter | Self::Policy | Self::Socketmap | Self::TcpTable | Self::Opensmtpd
        )
    }

    /// Whether it answers before there is a message, and so cannot keep or lose one.
    pub fn is_without_message(self) -> bool {
        matches!(self, Self::Policy | Self::Socketmap | Self::TcpTable | Self::Http)
    }

    /// Whether mail is judged here of which the header is seen before the last word; none for
    /// doors that judge no mail.
    pub(crate) fn sees_header(self) -> Option<bool> {
        match self {
            Self::Gateway | Self::Submission | Self::Milter | Self::Opensmtpd | Self::Http => {
                Some(true)
            }
            // Exim alone shows it.
            Self::Policy => Some(false),
            Self::Socketmap | Self::TcpTable | Self::Console | Self::Public | Self::Authority => {
                None
            }
        }
    }

    /// Whether mail is judged here that another server hands on as it has it.
    pub fn leaves_mail_as_it_is(self) -> bool {
        matches!(self, Self::Policy | Self::Opensmtpd | Self::Http)
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

const SMTP: &[Door] = &[Door::Gateway, Door::Submission];

/// The keys that are of no use to every door, and the doors that have a use for them.
const USES: &[(&str, &[Door])] = &[
    ("recipient_domains", SMTP),
    ("next_hop", SMTP),
    ("proxy_from", SMTP),
    ("xclient_from", SMTP),
    ("auth_from", SMTP),
    ("xclient_to_next_hop", SMTP),
    ("size_max", SMTP),
    ("tls", &[Door::Gateway, Door::Submission, Door::Console, Door::Public, Door::Http]),
    ("users", &[Door::Submission]),
    ("dovecot_auth", &[Door::Submission]),
    ("client_ca_file", &[Door::Submission]),
    ("password_file", &[Door::Console]),
    ("hosts", &[Door::Console]),
    ("url", &[Door::Public]),
    ("prepend", &[Door::Policy]),
    ("prepend_prefix", &[Door::Policy]),
    ("map", &[Door::TcpTable]),
    ("srs", &[Door::Milter]),
    ("token_file", &[Door::Http]),
    ("requests_per_minute", &[Door::Http]),
    ("progress_seconds", &[Door::Milter]),
];

fn keeps_its_promises(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    if listen.door.built().is_err() {
        return;
    }
    let of_no_use = USES.iter().filter(|(_, doors)| !doors.contains(&listen.door));
    for (key, _) in of_no_use.filter(|(key, _)| is_set(listen, key)) {
        let problem = Problem::Conflict("this door has no use for it; leave it out");
        reading.error(&section.key_span(&[key]), problem);
    }
    match listen.door {
        Door::Gateway => gateway_hands_on(listen, section, reading),
        Door::Submission => submission_knows_its_users(listen, section, reading),
        Door::Console => console_is_closed(listen, section, reading),
        Door::Public => needs("url", section, reading),
        Door::TcpTable => needs("map", section, reading),
        Door::Http => http_is_closed(listen, section, reading),
        _ => {}
    }
    if let Address::Tcp(_) = listen.address {
        for key in ["socket_mode", "socket_owner", "socket_group"] {
            if is_set(listen, key) {
                let problem = Problem::Conflict(
                    "only a UNIX socket has an owner and a mode; leave it out, or write an \
                     address such as `unix:/run/quivive/milter.sock`",
                );
                reading.error(&section.key_span(&[key]), problem);
            }
        }
    }
    if listen.door.trusts_whoever_reaches_it() && !listen.address.is_loopback() {
        reading.warn(&section.key_span(&["address"]), Doubt::OpenToAll);
    }
}

/// Whether a key has another value than its default: the default asks for nothing.
fn is_set(listen: &Listen, key: &str) -> bool {
    let values = listen.values().into_iter().zip(<Listen as Settings>::rows());
    let (value, row) = values.into_iter().find(|(_, row)| row.name == key).expect("it is a key");
    let default = row.default.filter(|_| row.default_is_toml);
    value.value.is_some_and(|value| default.is_none_or(|default| default != value))
}

fn gateway_hands_on(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    needs("next_hop", section, reading);
    never_an_open_relay(listen, section, reading);
    xclient_is_heard(listen, section, reading);
}

/// Who logs in sends everywhere, and so nobody else may.
fn submission_knows_its_users(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    needs("next_hop", section, reading);
    // RFC 8314 section 3.3: no password without TLS, and so no login.
    needs("tls", section, reading);
    xclient_is_heard(listen, section, reading);
    let is_there = |key| section.item(key).is_some();
    match (is_there("users"), is_there("dovecot_auth")) {
        (false, false) if !is_there("client_ca_file") => needs("users", section, reading),
        (true, true) => {
            let problem = Problem::Conflict("`users` says who may log in already; keep one");
            reading.error(&section.key_span(&["dovecot_auth"]), problem);
        }
        _ => {}
    }
}

fn xclient_is_heard(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    if listen.xclient_to_next_hop && matches!(listen.next_hop, Some(NextHop::Maildir(_))) {
        let problem = Problem::Conflict("a Maildir hears no XCLIENT; leave it out");
        reading.error(&section.key_span(&["xclient_to_next_hop"]), problem);
    }
}

/// What opens the console is a password wherever others can reach it.
fn console_is_closed(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    if !listen.address.is_loopback() && section.item("password_file").is_none() {
        let problem = Problem::Conflict(
            "everybody could look at the mail's cases; name a `password_file`, or a loopback \
             address",
        );
        reading.error(&section.key_span(&["address"]), problem);
    }
    if !listen.address.is_loopback() && listen.tls.is_none() {
        reading.warn(&section.key_span(&["address"]), Doubt::PasswordInTheClear);
    }
}

/// What opens the HTTP interface are tokens, wherever it is.
fn http_is_closed(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    needs("token_file", section, reading);
    if !listen.address.is_loopback() && listen.tls.is_none() {
        reading.warn(&section.key_span(&["address"]), Doubt::TokensInTheClear);
    }
}

/// A key that this door must have is there.
fn needs(key: &'static str, section: &Section<'_>, reading: &mut Reading<'_>) {
    if section.item(key).is_some() {
        return;
    }
    let row = <Listen as Settings>::rows().into_iter().find(|row| row.name == key);
    let (prose, example) = row.map(|row| (row.prose, row.example)).unwrap_or_default();
    reading.error(section.span(), Problem::Missing { key, prose, example });
}

fn never_an_open_relay(listen: &Listen, section: &Section<'_>, reading: &mut Reading<'_>) {
    let stays_here =
        matches!(listen.next_hop, Some(NextHop::Maildir(_))) && listen.address.is_loopback();
    if listen.next_hop.is_some() && listen.recipient_domains.is_empty() && !stays_here {
        let problem = Problem::Conflict(
            "this gateway would relay for everybody; name its `recipient_domains`, or let it \
             deliver to a Maildir on a loopback address",
        );
        reading.error(&section.key_span(&["recipient_domains"]), problem);
    }
}
