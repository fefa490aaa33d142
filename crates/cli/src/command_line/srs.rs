//! `srs` and its keys.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};
use quivive_srs::{Dialect, Separator};

use super::as_said;

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
    /// A domain at which addresses of the early form without a hash still come back; may be
    /// repeated
    #[arg(long, value_name = "D")]
    pub(crate) unsigned_domain: Vec<String>,
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

fn separator(text: &str) -> Result<Separator, String> {
    let mut characters = text.chars();
    let first = characters.next().filter(|_| characters.next().is_none());
    first.and_then(Separator::of).ok_or_else(|| "write =, + or -".to_owned())
}

fn dialect(text: &str) -> Result<Dialect, String> {
    let known = Dialect::ALL.iter().copied().find(|dialect| dialect.word() == text);
    known.ok_or_else(|| "there are: mail-srs, exim, opensmtpd".to_owned())
}
