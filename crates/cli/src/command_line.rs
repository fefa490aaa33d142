//! Every command and flag of the program, in one place.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use quivive_evidence::{Identity, Method};

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
    /// Find faults in a published record
    #[command(hide = true)]
    Lint(Later),
    /// Print zone records to publish
    #[command(hide = true)]
    Publish(Later),
    /// Rewrite addresses for forwarding
    #[command(hide = true)]
    Srs(Later),
    /// Probe an address
    #[command(hide = true)]
    Callback(Later),
    /// List, show and replay recorded messages
    #[command(hide = true)]
    Case(Later),
    /// List, show, release and discard held messages
    #[command(hide = true)]
    Held(Later),
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
    #[arg(conflicts_with_all = ["ip", "helo", "mail_from", "rcpt", "auth_user", "message"])]
    pub(crate) batch: Option<PathBuf>,
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
    /// Print a configuration to begin with
    Sample,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The file [default: that of --config]
    pub(crate) file: Option<PathBuf>,
}

impl Command {
    /// The command's name, if this version does not have it.
    pub(crate) fn later(&self) -> Option<&'static str> {
        match self {
            Self::Check(_) | Self::Serve | Self::Demo(_) | Self::Config(_) => None,
            Self::Lint(_) => Some("lint"),
            Self::Publish(_) => Some("publish"),
            Self::Srs(_) => Some("srs"),
            Self::Callback(_) => Some("callback"),
            Self::Case(_) => Some("case"),
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
