//! `case` and its filters.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ipnet::IpNet;
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::Action;

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

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "write 192.0.2.1 or 192.0.2.0/24".to_owned())
}

fn action(text: &str) -> Result<Action, String> {
    let known = Action::ALL.iter().copied().find(|action| action.word() == text);
    known.ok_or_else(|| "there are: accept, reject, defer, hold, discard".to_owned())
}
