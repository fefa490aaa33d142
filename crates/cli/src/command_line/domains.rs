//! What is for those who publish: `lint`, `publish`, `simulate`.

use std::path::PathBuf;

use clap::Args;
use quivive_evidence::Method;

use super::{StoreFile, as_said};

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
    /// The method whose records are looked over; without it those of SPF, and of every other
    /// method that a domain publishes for
    #[arg(long, value_name = "M", conflicts_with = "methods")]
    pub(crate) method: Option<Method>,
    /// As --method, for several; what is published for them is compared
    #[arg(long, value_name = "M,..", value_delimiter = ',')]
    pub(crate) methods: Vec<Method>,
}

impl Lint {
    /// No method is named.
    pub(crate) fn all_methods(&self) -> bool {
        self.method.is_none() && self.methods.is_empty()
    }
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

pub(super) fn method_or_all(text: &str) -> Result<MethodOrAll, String> {
    match text {
        "all" => Ok(MethodOrAll::All),
        text => text.parse().map(MethodOrAll::One).map_err(|error| format!("{error}, all")),
    }
}
