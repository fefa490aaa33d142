//! Addresses rewritten and found again on the command line, as Mail::SRS does it, and the secrets
//! for that.

mod forwarder;
mod key;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_contract::SrsJson;
use quivive_srs::{Forwarded, LOCAL_PART_OCTETS, PATH_OCTETS, Reversed, Rules, Srs, is_overlong};

pub(crate) use self::forwarder::forwarder;
use crate::command_line::{self, Global, SrsAddress, SrsSecretFile};
use crate::error::Error;
use crate::style::excerpt;
use crate::{json, secret_file, world};

/// How much of an address is repeated in an error, in characters.
const ADDRESS_CHARACTERS_MAX: usize = 320;

/// Does what was asked; the address stands alone on standard output.
pub(crate) fn run(global: &Global, command: command_line::Srs) -> Result<ExitCode, Error> {
    match command {
        command_line::Srs::Forward(address) => {
            let domain = match &address.domain {
                Some(domain) => domain.clone(),
                None => configured(global)?.domain.map(|domain| domain.to_string()).ok_or(
                    Error::Usage("name the forwarder's --domain, or a --config that has one"),
                )?,
            };
            // The address for which mail is forwarded does as well as its domain.
            let domain = domain.rsplit_once('@').map_or(&*domain, |(_, domain)| domain);
            if !quivive_mail::domain::is_host_name(domain) {
                return Err(failed(domain, "this is no domain"));
            }
            forward(global, &address, domain)
        }
        command_line::Srs::Reverse(address) => reverse(global, &address),
        command_line::Srs::Key(command) => key::run(global, command),
    }
}

fn forward(global: &Global, asked: &SrsAddress, domain: &str) -> Result<ExitCode, Error> {
    let forwarded = srs(global, asked)?.forward(&asked.address, domain, now(asked));
    let forwarded = forwarded.map_err(|fault| failed(&asked.address, fault))?;
    if let Forwarded::Unusable(reason) = forwarded {
        return Err(failed(&asked.address, reason));
    }
    print(global, SrsJson::forwarded(forwarded, &asked.address))
}

fn reverse(global: &Global, asked: &SrsAddress) -> Result<ExitCode, Error> {
    let reversed = srs(global, asked)?.reverse(&asked.address, now(asked));
    let reversed = reversed.map_err(|fault| failed(&asked.address, fault))?;
    match reversed {
        Reversed::Original(original) => print(global, SrsJson::original(original)),
        Reversed::NotSrs => Err(failed(&asked.address, "Not an SRS address.")),
        Reversed::Unsigned(unsigned) if is_migrating(asked) => {
            let reason = "the early form without a hash, still taken at this domain";
            print(global, SrsJson::new("pass", Some(unsigned.address)).because(reason))
        }
        Reversed::Unsigned(_) => Err(failed(
            &asked.address,
            "Not an SRS address. It looks like one of the early form without a hash, which \
             anybody could have written; --unsigned-domain takes it at a domain that migrates.",
        )),
        Reversed::Refused(refusal) => Err(failed(&asked.address, refusal)),
    }
}

/// Whether the address is at a domain that was named for the early form.
fn is_migrating(asked: &SrsAddress) -> bool {
    let domain = asked.address.rsplit_once('@').map(|(_, domain)| domain);
    let is_same = |named: &String| domain.is_some_and(|domain| named.eq_ignore_ascii_case(domain));
    asked.unsigned_domain.iter().any(is_same)
}

fn srs(global: &Global, asked: &SrsAddress) -> Result<Srs, Error> {
    let secrets = secret_file::read_any(&secret_path(global, &asked.secrets)?)?;
    let hash_length = usize::from(asked.hash_length);
    let rules = Rules {
        separator: asked.separator,
        hash_length,
        hash_length_min: hash_length,
        max_age_days: asked.max_age_days,
        signs: asked.dialect,
        ..Rules::default()
    };
    Ok(Srs::new(&secrets, rules))
}

/// The file that the flag names, or the configuration.
fn secret_path(global: &Global, file: &SrsSecretFile) -> Result<PathBuf, Error> {
    match &file.secret_file {
        Some(path) => Ok(path.clone()),
        None => configured(global)?
            .secret_file
            .ok_or(Error::Usage("name the --secret-file, or a --config that has one in [srs]")),
    }
}

fn configured(global: &Global) -> Result<quivive_config::Srs, Error> {
    Ok(world::config(global)?.srs)
}

fn now(asked: &SrsAddress) -> u64 {
    let today = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    asked.now.unwrap_or_else(today)
}

fn print(global: &Global, answer: SrsJson) -> Result<ExitCode, Error> {
    let mut out = std::io::stdout().lock();
    let address = answer.address.as_deref().unwrap_or_default();
    if is_overlong(address) {
        let mut errors = std::io::stderr();
        writeln!(
            errors,
            "quivive: warning: this address is longer than every server takes: {LOCAL_PART_OCTETS} \
             octets before the @, {} in all",
            PATH_OCTETS - 2
        )?;
    }
    match global.json {
        true => out.write_all(&json::line(&answer))?,
        false => writeln!(out, "{address}")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(address: &str, reason: impl ToString) -> Error {
    let address = excerpt(address, ADDRESS_CHARACTERS_MAX);
    Error::Srs { address, reason: reason.to_string() }
}
