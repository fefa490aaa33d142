//! The tokens of the HTTP interface: made, listed, revoked.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_config::Door;
use quivive_server::http::tokens::{self, Token, TokensError};
use serde::Serialize;

use crate::command_line::{self, Global, TokenFile, TokenList, TokenName, TokenNew};
use crate::error::Error;
use crate::style::{QUIET, STRONG};
use crate::{json, world};

/// How many seconds a day has.
const DAY: u64 = 24 * 60 * 60;

/// A token as `--json` shows it.
#[derive(Serialize)]
struct TokenJson<'a> {
    name: &'a str,
    scopes: Vec<&'static str>,
    /// RFC 3339; null: never.
    expires: Option<String>,
    valid: bool,
    /// Only when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// What `token revoke --json` says.
#[derive(Serialize)]
struct RevokedJson<'a> {
    revoked: &'a str,
}

/// Does what was asked.
pub(crate) fn run(global: &Global, command: command_line::Token) -> Result<ExitCode, Error> {
    match command {
        command_line::Token::New(new) => make(global, &new)?,
        command_line::Token::List(list) => self::list(global, &list)?,
        command_line::Token::Revoke(name) => revoke(global, &name)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The token stands alone on standard output: it is shown this once.
fn make(global: &Global, new: &TokenNew) -> Result<(), Error> {
    let path = file(global, &new.file)?;
    let expires = new.days.map(|days| now() + u64::from(days) * DAY);
    let made = Token::new(&new.name, new.scope.iter().copied(), expires);
    let (token, text) = made.map_err(TokensError::Token)?;
    tokens::change(&path, |list| list.add(token.clone()))?;
    let mut out = io::stdout().lock();
    if global.json {
        let shown = TokenJson { token: Some(&text), ..TokenJson::new(&token) };
        out.write_all(&json::line(&shown))?;
        return Ok(());
    }
    writeln!(out, "{text}")?;
    let path = path.display();
    writeln!(io::stderr(), "Keep it: {path} has its hash alone, and it is not shown again.")?;
    Ok(())
}

fn list(global: &Global, list: &TokenList) -> Result<(), Error> {
    let tokens = tokens::read(&file(global, &list.file)?)?;
    if global.json {
        let mut out = io::stdout().lock();
        for token in tokens.tokens() {
            out.write_all(&json::line(&TokenJson::new(token)))?;
        }
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    let width = tokens.tokens().map(|token| token.name.len()).max().unwrap_or(0);
    for token in tokens.tokens() {
        let scopes = TokenJson::new(token).scopes.join(",");
        let expires = match (token.expires, token.is_valid(now())) {
            (None, _) => String::new(),
            (expires, true) => format!("until {}", tokens::expiry(expires)),
            (expires, false) => format!("expired {}", tokens::expiry(expires)),
        };
        let name = &token.name;
        writeln!(out, "{STRONG}{name:<width$}{STRONG:#}  {scopes:<17}  {QUIET}{expires}{QUIET:#}")?;
    }
    Ok(())
}

fn revoke(global: &Global, which: &TokenName) -> Result<(), Error> {
    let path = file(global, &which.file)?;
    tokens::change(&path, |list| list.revoke(&which.name))?;
    if global.json {
        io::stdout().lock().write_all(&json::line(&RevokedJson { revoked: &which.name }))?;
    } else {
        writeln!(io::stderr(), "A running daemon knows it within a second.")?;
    }
    Ok(())
}

impl<'a> TokenJson<'a> {
    fn new(token: &'a Token) -> Self {
        Self {
            name: &token.name,
            scopes: token.scopes.iter().map(|scope| scope.word()).collect(),
            expires: token.expires.map(|expires| tokens::expiry(Some(expires))),
            valid: token.is_valid(now()),
            token: None,
        }
    }
}

/// The file that is named, or that of the configuration's HTTP listeners.
fn file(global: &Global, named: &TokenFile) -> Result<PathBuf, Error> {
    if let Some(file) = &named.file {
        return Ok(file.clone());
    }
    let config = world::config(global)?;
    let http = config.listen.iter().filter(|listen| listen.door == Door::Http);
    let mut files: Vec<_> = http.filter_map(|listen| listen.token_file.clone()).collect();
    files.dedup();
    match <[PathBuf; 1]>::try_from(files) {
        Ok([file]) => Ok(file),
        Err(files) if files.is_empty() => Err(Error::Usage(
            "name the token --file, or a --config with a listener whose door is \"http\"",
        )),
        Err(_) => Err(Error::Usage("the configuration has several token files; name the --file")),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
