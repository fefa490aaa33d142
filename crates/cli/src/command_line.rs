//! Every command and flag of the program, in one place.

mod cases;
mod domains;
mod logins;
mod srs;

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use quivive_evidence::{Identity, Method};

pub(crate) use self::cases::*;
pub(crate) use self::domains::*;
pub(crate) use self::logins::*;
pub(crate) use self::srs::*;
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
    /// By filter
    Opensmtpd,
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
    /// Run these methods only; all for every one that asks DNS
    #[arg(long, value_name = "M,..|all", value_delimiter = ',')]
    #[arg(value_parser = domains::method_or_all)]
    pub(crate) methods: Option<Vec<MethodOrAll>>,
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

impl Check {
    /// The methods that are named. What is granted to whom logged in is no question for DNS, and
    /// has to be named.
    pub(crate) fn methods(&self) -> Option<Vec<Method>> {
        let asks_dns = || quivive_verdict::methods().filter(|method| *method != Method::Binding);
        let named = |method: &MethodOrAll| match method {
            MethodOrAll::One(method) => vec![*method],
            MethodOrAll::All => asks_dns().collect(),
        };
        Some(self.methods.as_ref()?.iter().flat_map(named).collect())
    }
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
    Check(CheckedFile),
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
pub(crate) struct CheckedFile {
    /// The file [default: that of --config]
    pub(crate) file: Option<PathBuf>,
    /// End with 1 on warnings, too, and where `serve` cannot use the files that are named
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The file [default: that of --config]
    pub(crate) file: Option<PathBuf>,
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
