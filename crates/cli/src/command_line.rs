//! Every command and flag of the program, in one place.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use ipnet::IpNet;
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_server::http::tokens::Scope;
use quivive_srs::{Dialect, Separator};
use quivive_verdict::Action;

use crate::opensmtpd_filter::Place;

/// The port on which name servers answer.
const DNS_PORT: u16 = 53;

/// Tells a mail server whether a sender is who it says it is.
#[derive(Debug, Parser)]
#[command(name = "quivive", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Ask this name server instead of the system's: 192.0.2.1, 192.0.2.1:53 or `[::1]:53`
    #[arg(long, global = true, value_name = "ADDR[:PORT]", value_parser = name_server)]
    pub(crate) resolver: Option<SocketAddr>,
    /// Answer DNS questions from a master file, without any network
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) zone: Option<PathBuf>,
    /// Read the configuration from here
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write one compact JSON object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge a message by what is known of its client, and show why
    Check(Box<Check>),
    /// Run the daemon
    Serve,
    /// Show everything on loopback: a zone, clients, mail of every kind, the gateway
    Demo(Demo),
    /// Check, show or sample a configuration
    #[command(subcommand)]
    Config(Config),
    /// Print the lines that lead a mail server of this machine to Quivive, and what to check
    Setup(Setup),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page, or write those of all commands into a folder
    Man(Man),
    /// Say what is wrong or doubtful about a published record, and how it is mended
    Lint(Box<Lint>),
    /// Print the zone records that say who sends for a domain
    Publish(Box<Publish>),
    /// What if a domain published another record? Its senders' results, today beside tomorrow
    Simulate(Box<Simulate>),
    /// Rewrite addresses for forwarding (Sender Rewriting Scheme), and keep its secrets
    #[command(subcommand)]
    Srs(Box<Srs>),
    /// Probe an address
    #[command(hide = true)]
    Callback(Later),
    /// List, show and replay recorded messages
    #[command(subcommand)]
    Case(Box<Case>),
    /// Filter mail for OpenSMTPD, which runs this: a running daemon decides
    OpensmtpdFilter(OpensmtpdFilter),
    /// Make, list and revoke the tokens of the HTTP interface
    #[command(subcommand)]
    Token(Token),
    /// Set passwords of users, list and remove users
    #[command(subcommand)]
    User(User),
    /// List, show, release and discard held messages
    #[command(hide = true)]
    Held(Later),
}

#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// The mail server
    pub(crate) mail_server: MailServer,
}

/// A mail server that can ask Quivive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MailServer {
    /// By policy service, milter, socketmap or tcp_table; or behind the gateway
    Postfix,
    /// By policy service
    Exim,
    /// By milter
    Sendmail,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// A folder that is there
    pub(crate) folder: Option<PathBuf>,
}

/// Whatever is said to a command that this version does not have.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The client's address
    #[arg(long, value_name = "ADDR", required_unless_present = "batch")]
    pub(crate) ip: Option<IpAddr>,
    /// What the client said in HELO or EHLO
    #[arg(long, value_name = "NAME", required_unless_present = "batch")]
    #[arg(allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) helo: Option<String>,
    /// The reverse-path; empty for the null sender
    #[arg(long, value_name = "ADDR", required_unless_present = "batch")]
    #[arg(allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) mail_from: Option<String>,
    /// A recipient; may be given several times
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) rcpt: Vec<String>,
    /// The name under which the client logged in
    #[arg(long, value_name = "U", allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) auth_user: Option<String>,
    /// The responsible address that the client announced by SUBMITTER (RFC 4405)
    #[arg(long, value_name = "ADDR", allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) submitter: Option<String>,
    /// The message; - for standard input
    #[arg(long, value_name = "FILE|-")]
    pub(crate) message: Option<PathBuf>,
    /// Run these methods only
    #[arg(long, value_name = "M,..", value_delimiter = ',')]
    pub(crate) methods: Option<Vec<Method>>,
    /// Judge these identities only
    #[arg(long, value_name = "I,..", value_delimiter = ',')]
    pub(crate) identities: Option<Vec<Identity>>,
    /// Our own name [default: the configuration's, or the system's]
    #[arg(long, value_name = "NAME")]
    pub(crate) receiver: Option<String>,
    /// When the message came, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX")]
    pub(crate) now: Option<u64>,
    /// Read one JSON object a line, write one a line, in order; - for standard input
    #[arg(long, value_name = "FILE|-")]
    #[arg(conflicts_with_all = ["ip", "helo", "mail_from", "rcpt", "auth_user", "submitter"])]
    #[arg(conflicts_with = "message")]
    pub(crate) batch: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// The domains whose records are looked over
    #[arg(value_name = "DOMAIN", required_unless_present_any = ["record", "file"])]
    pub(crate) domains: Vec<String>,
    /// Look this text over instead, without asking DNS unless --zone or --resolver is given
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) record: Option<String>,
    /// Look over the domains in a file, one a line; - for standard input
    #[arg(long, value_name = "FILE|-", conflicts_with_all = ["domains", "record"])]
    pub(crate) file: Option<PathBuf>,
    /// The method whose records are looked over
    #[arg(long, value_name = "M", default_value_t = Method::Spf)]
    pub(crate) method: Method,
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The domain
    pub(crate) domain: String,
    /// A host that sends, or a network; may be given several times
    #[arg(long, value_name = "ADDR|NAME")]
    pub(crate) host: Vec<String>,
    /// The domain's own mail exchangers send
    #[arg(long)]
    pub(crate) mx: bool,
    /// A provider that sends: what it says to include; may be given several times
    #[arg(long, value_name = "D")]
    pub(crate) include: Vec<String>,
    /// What is said about everybody else
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Stated::Fail)]
    pub(crate) policy: Stated,
    /// The domain sends no mail
    #[arg(long)]
    pub(crate) no_mail: bool,
    /// Replace names by the addresses that they have now
    #[arg(long)]
    pub(crate) flatten: bool,
    /// Ask DNS whether the names exist, and what they cost
    #[arg(long)]
    pub(crate) ask: bool,
    /// The method whose records are printed; all for every one
    #[arg(long, value_name = "M|all", default_value = "spf", value_parser = method_or_all)]
    pub(crate) method: MethodOrAll,
}

/// What is said about hosts that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Stated {
    /// Their mail is not the domain's
    Fail,
    /// It is probably not
    Softfail,
    /// Nothing is said
    Neutral,
}

/// One method, or every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MethodOrAll {
    One(Method),
    All,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The domain
    pub(crate) domain: String,
    /// What it would publish: an SPF record, or NAME TYPE TEXT; may be given several times
    #[arg(long, value_name = "TEXT", required = true, value_parser = as_said())]
    pub(crate) with_record: Vec<String>,
    /// Who sends: a file of lines ADDRESS, or ADDRESS COUNT; - for standard input
    #[arg(long, value_name = "FILE|-", required_unless_present = "cases")]
    pub(crate) traffic: Option<PathBuf>,
    /// Who sends: the clients of recorded messages
    #[arg(long, conflicts_with = "traffic")]
    pub(crate) cases: bool,
    #[command(flatten)]
    pub(crate) store: StoreFile,
    /// Of recorded messages, those from then on: as for case list
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// End with 1 if mail that passes today would not pass
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the messages: 0 if each was judged as the table says, or else 1
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Say what is wrong with a configuration, with line and column
    Check(ConfigFile),
    /// Print every setting with the value that holds
    Show(ConfigFile),
    /// Print a configuration to begin with, or write it into a new file
    Sample(SampleFile),
    /// Read a password from standard input and print its hash, for the console's password_file
    Password,
}

#[derive(Debug, Args)]
pub(crate) struct SampleFile {
    /// A file that is not there yet [default: standard output]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The file [default: that of --config]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Case {
    /// List recorded messages, the newest first
    List(CaseList),
    /// Show a message with everything that its verdict rests on
    Show(CaseId),
    /// Judge messages again by their recorded evidence, and say what differs
    Replay(CaseReplay),
    /// Print every case of an address or a domain, one JSON object a line
    Export(CaseSubject),
    /// Forget every case of an address or a domain
    Erase(CaseSubject),
}

/// Which store is meant.
#[derive(Debug, Args)]
pub(crate) struct StoreFile {
    /// The store [default: the configuration's]
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
}

/// Which cases are meant.
#[derive(Debug, Args)]
pub(crate) struct CaseFilter {
    /// From then on: seconds since 1970, 2026-01-31, 2026-01-31T12:00:00Z, or 30m, 2h, 7d ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Before then
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The domain of the sender, of HELO, of a recipient or of a finding, or one above it
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    /// The sender or a recipient
    #[arg(long, value_name = "ADDR")]
    pub(crate) address: Option<String>,
    /// The client's address, or its network
    #[arg(long, value_name = "ADDR[/LENGTH]", value_parser = network)]
    pub(crate) client: Option<IpNet>,
    /// A finding's method
    #[arg(long, value_name = "M")]
    pub(crate) method: Option<Method>,
    /// A finding's identity
    #[arg(long, value_name = "I")]
    pub(crate) identity: Option<Identity>,
    /// A finding's result
    #[arg(long, value_name = "RESULT")]
    pub(crate) result: Option<FindingResult>,
    /// What was done: accept, reject, defer, hold or discard
    #[arg(long, value_name = "ACTION", value_parser = action)]
    pub(crate) action: Option<Action>,
}

impl CaseFilter {
    /// Whether anything is asked for.
    pub(crate) fn chooses(&self) -> bool {
        let Self { since, until, domain, address, client, method, identity, result, action } = self;
        [since, until, domain, address].iter().any(|text| text.is_some())
            || client.is_some()
            || (method.is_some() || identity.is_some() || result.is_some() || action.is_some())
    }
}

#[derive(Debug, Args)]
pub(crate) struct CaseList {
    #[command(flatten)]
    pub(crate) store: StoreFile,
    #[command(flatten)]
    pub(crate) filter: CaseFilter,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Words in the id, the client, HELO, the sender, a recipient or a finding's domain
    #[arg(value_name = "WORDS")]
    pub(crate) text: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CaseId {
    #[command(flatten)]
    pub(crate) store: StoreFile,
    /// The case's id, as the log and the message have it
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct CaseReplay {
    #[command(flatten)]
    pub(crate) store: StoreFile,
    /// The case's id, as the log and the message have it
    #[arg(required_unless_present = "all")]
    pub(crate) id: Option<String>,
    /// Judge all cases again, or those that the following choose, and say which differ
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) filter: CaseFilter,
    /// What if DNS had this record? May be given several times; without TEXT: had none
    #[arg(long, value_name = "NAME TYPE TEXT")]
    pub(crate) with_record: Vec<String>,
    /// What if the message had come then, in seconds since 1970?
    #[arg(long, value_name = "UNIX")]
    pub(crate) now: Option<u64>,
    /// Ask DNS what the evidence does not hold
    #[arg(long)]
    pub(crate) ask: bool,
}

#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct CaseSubject {
    #[command(flatten)]
    pub(crate) store: StoreFile,
    /// The sender or a recipient
    #[arg(long, value_name = "ADDR", required_unless_present = "domain")]
    pub(crate) address: Option<String>,
    /// The domain of the sender, of HELO, of a recipient or of a finding, or one above it
    #[arg(long, value_name = "NAME", conflicts_with = "address")]
    pub(crate) domain: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OpensmtpdFilter {
    /// Where the daemon listens for it [default: the configuration's listener]
    #[arg(long, value_name = "unix:/PATH|ADDR:PORT")]
    pub(crate) socket: Option<Place>,
    /// What becomes of mail while the daemon does not answer
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = WhenDown::Defer)]
    pub(crate) when_down: WhenDown,
}

/// What becomes of mail while the daemon does not answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WhenDown {
    /// The client is told to come again
    Defer,
    /// It is taken without results
    Accept,
}

impl From<WhenDown> for quivive_opensmtpd::WhenDown {
    fn from(when_down: WhenDown) -> Self {
        match when_down {
            WhenDown::Defer => Self::Defer,
            WhenDown::Accept => Self::Accept,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Read a password from standard input and set it, for a user who may be new
    Passwd(UserName),
    /// List the users, and the mechanisms by which each can log in
    List(UserList),
    /// Remove a user
    Remove(UserName),
}

/// Which file of users is meant.
#[derive(Debug, Args)]
pub(crate) struct UserFile {
    /// The file of users [default: that of the configuration's submission listeners]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UserList {
    #[command(flatten)]
    pub(crate) file: UserFile,
}

#[derive(Debug, Args)]
pub(crate) struct UserName {
    #[command(flatten)]
    pub(crate) file: UserFile,
    /// The user's name, as it is typed to log in
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token and print it, this once
    New(TokenNew),
    /// List the tokens without showing them
    List(TokenList),
    /// Revoke a token
    Revoke(TokenName),
}

#[derive(Debug, Args)]
pub(crate) struct TokenFile {
    /// The file with the tokens' hashes [default: the configuration's]
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenNew {
    #[command(flatten)]
    pub(crate) file: TokenFile,
    /// Whose it is: letters, digits, `.`, `-` and `_`
    pub(crate) name: String,
    /// What it may be used for: check, cases, and probe (have a check ask others than DNS)
    #[arg(long, value_name = "S,..", value_delimiter = ',', required = true)]
    pub(crate) scope: Vec<Scope>,
    /// For how many days it is good [default: until it is revoked]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenList {
    #[command(flatten)]
    pub(crate) file: TokenFile,
}

#[derive(Debug, Args)]
pub(crate) struct TokenName {
    #[command(flatten)]
    pub(crate) file: TokenFile,
    /// Its name
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Srs {
    /// Print what a sender's address becomes when its mail is forwarded
    Forward(SrsAddress),
    /// Print the original of a rewritten address
    Reverse(SrsAddress),
    /// Make, list and retire secrets: the first of a file signs, all of them are believed
    #[command(subcommand)]
    Key(SrsKey),
}

#[derive(Debug, Args)]
pub(crate) struct SrsAddress {
    /// The address
    #[arg(value_name = "ADDR", allow_hyphen_values = true, value_parser = as_said())]
    pub(crate) address: String,
    /// The forwarder's domain; to find an original any will do [default: the configuration's]
    #[arg(long, value_name = "D")]
    pub(crate) domain: Option<String>,
    #[command(flatten)]
    pub(crate) secrets: SrsSecretFile,
    /// The day that counts, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX")]
    pub(crate) now: Option<u64>,
    /// For how many days a rewritten address is good
    #[arg(long, value_name = "N", default_value_t = 21)]
    pub(crate) max_age_days: u16,
    /// What follows SRS0 and SRS1: =, + or -
    #[arg(long, value_name = "C", default_value = "=", allow_hyphen_values = true)]
    #[arg(value_parser = separator)]
    pub(crate) separator: Separator,
    /// How many characters of the hash are written, and asked for
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u8).range(1..))]
    pub(crate) hash_length: u8,
    /// In whose manner addresses are signed: mail-srs, exim or opensmtpd
    #[arg(long, value_name = "D", default_value = "mail-srs", value_parser = dialect)]
    pub(crate) dialect: Dialect,
}

#[derive(Debug, Args)]
pub(crate) struct SrsSecretFile {
    /// The file with the secrets, one a line [default: the configuration's]
    #[arg(long, value_name = "F")]
    pub(crate) secret_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SrsKey {
    /// Make a secret that signs from now on; older ones are still believed
    New(SrsKeyNew),
    /// List the secrets without showing them
    List(SrsKeyList),
    /// Sign with this secret from now on
    Sign(SrsKeyId),
    /// Forget a secret with which nothing good is signed any more
    Retire(SrsKeyRetire),
}

#[derive(Debug, Args)]
pub(crate) struct SrsKeyNew {
    #[command(flatten)]
    pub(crate) secrets: SrsSecretFile,
    /// Only believe it: other machines get the file first, then `sign` lets it sign
    #[arg(long)]
    pub(crate) standby: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SrsKeyList {
    #[command(flatten)]
    pub(crate) secrets: SrsSecretFile,
    /// For how many days a rewritten address is good
    #[arg(long, value_name = "N", default_value_t = 21)]
    pub(crate) max_age_days: u16,
}

#[derive(Debug, Args)]
pub(crate) struct SrsKeyId {
    #[command(flatten)]
    pub(crate) secrets: SrsSecretFile,
    /// The secret's id, as `list` shows it
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct SrsKeyRetire {
    #[command(flatten)]
    pub(crate) key: SrsKeyId,
    /// For how many days a rewritten address is good
    #[arg(long, value_name = "N", default_value_t = 21)]
    pub(crate) max_age_days: u16,
    /// Also if addresses that it signed may still be in use: bounces to them are lost
    #[arg(long)]
    pub(crate) force: bool,
}

impl Command {
    /// The command's name, if this version does not have it.
    pub(crate) fn later(&self) -> Option<&'static str> {
        match self {
            Self::Check(_)
            | Self::Lint(_)
            | Self::Publish(_)
            | Self::Simulate(_)
            | Self::Serve
            | Self::Setup(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Demo(_)
            | Self::Config(_)
            | Self::OpensmtpdFilter(_)
            | Self::Token(_)
            | Self::User(_)
            | Self::Case(_)
            | Self::Srs(_) => None,
            Self::Callback(_) => Some("callback"),
            Self::Held(_) => Some("held"),
        }
    }
}

/// What a peer said is never refused for its form, and so not for its octets.
fn as_said() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|text: OsString| text.to_string_lossy().into_owned())
}

fn method_or_all(text: &str) -> Result<MethodOrAll, String> {
    match text {
        "all" => Ok(MethodOrAll::All),
        text => text.parse().map(MethodOrAll::One).map_err(|error| format!("{error}, all")),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "write 192.0.2.1 or 192.0.2.0/24".to_owned())
}

fn action(text: &str) -> Result<Action, String> {
    let known = Action::ALL.iter().copied().find(|action| action.word() == text);
    known.ok_or_else(|| "there are: accept, reject, defer, hold, discard".to_owned())
}

fn separator(text: &str) -> Result<Separator, String> {
    let mut characters = text.chars();
    let first = characters.next().filter(|_| characters.next().is_none());
    first.and_then(Separator::of).ok_or_else(|| "write =, + or -".to_owned())
}

fn dialect(text: &str) -> Result<Dialect, String> {
    let known = Dialect::ALL.iter().copied().find(|dialect| dialect.word() == text);
    known.ok_or_else(|| "there are: mail-srs, exim, opensmtpd".to_owned())
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>()
        .map(|address| SocketAddr::new(address, DNS_PORT))
        .or_else(|_| text.parse())
        .map_err(|_| "write 127.0.0.1, 127.0.0.1:5300, ::1 or [::1]:5300".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn name_servers() {
        let server = |text| name_server(text).map(|server| server.to_string());
        assert_eq!(server("127.0.0.1").as_deref(), Ok("127.0.0.1:53"));
        assert_eq!(server("127.0.0.1:5300").as_deref(), Ok("127.0.0.1:5300"));
        assert_eq!(server("::1").as_deref(), Ok("[::1]:53"));
        assert_eq!(server("[::1]").as_deref(), Ok("[::1]:53"));
        assert_eq!(server("[::1]:5300").as_deref(), Ok("[::1]:5300"));
        for text in ["", "localhost", "127.0.0.1:", "127.0.0.1:70000", ":53"] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
