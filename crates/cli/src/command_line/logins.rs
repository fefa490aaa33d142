//! Who may come in: `user` for those who submit mail, `token` for programs.

use std::path::PathBuf;

use clap::{Args, Subcommand, value_parser};
use quivive_server::http::tokens::Scope;

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user with a password read from standard input, who must not be there yet
    Add(UserName),
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
    /// What it may be used for: check, cases, probe (have a check ask others than DNS), srs
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
