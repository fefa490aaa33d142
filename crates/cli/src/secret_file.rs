//! Files of secrets, one a line, and of passwords.
//!
//! Several machines and programs may share a file of secrets, PostSRSd among them: so nothing but
//! secrets is in it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use quivive_server::secret_file::{self, FileError, Kind, Trust};
use quivive_srs::{SECRETS_OCTETS_MAX, Secrets, SecretsError};

use crate::error::Error;

const SECRETS: Kind = Kind {
    name: "secrets file",
    octets_max: SECRETS_OCTETS_MAX,
    cure: "`quivive srs key new` makes one",
};

const PASSWORD: Kind = Kind {
    name: "password file",
    octets_max: 64 * 1024,
    cure: "write the password into its first line, for its owner alone to read",
};

/// Why a file of secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
    /// It cannot be had or changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// It holds no secrets.
    #[error("the secrets in {} cannot be used: {error}", path.display())]
    Unusable { path: PathBuf, error: SecretsError },
    /// It holds no password.
    #[error("there is no password in the first line of {}", path.display())]
    NoPassword { path: PathBuf },
}

/// The secrets of a file that only its owner and group may read.
pub(crate) fn read(path: &Path) -> Result<Secrets, SecretFileError> {
    parse(path, &secret_file::read(SECRETS, path, Trust::IfClosed)?)
}

/// The password in a file that only its owner and group may read: its first line.
pub(crate) fn read_password(path: &Path) -> Result<String, SecretFileError> {
    let text = secret_file::read(PASSWORD, path, Trust::IfClosed)?;
    let line = text.split(|octet| matches!(octet, b'\n' | b'\r')).next().unwrap_or_default();
    let password = str::from_utf8(line).ok().filter(|line| !line.is_empty());
    let none = || SecretFileError::NoPassword { path: path.to_owned() };
    password.map(str::to_owned).ok_or_else(none)
}

/// As [`read`], whoever else may read the file.
pub(crate) fn read_any(path: &Path) -> Result<Secrets, SecretFileError> {
    parse(path, &secret_file::read(SECRETS, path, Trust::InAnyCase)?)
}

/// When the file was changed last, in seconds since 1970.
pub(crate) fn changed_at(path: &Path) -> Result<u64, SecretFileError> {
    let unreadable =
        |source: io::Error| FileError::Unreadable { kind: SECRETS, path: path.to_owned(), source };
    let data = fs::metadata(path).map_err(unreadable)?;
    Ok(u64::try_from(data.mtime()).unwrap_or(0))
}

/// Puts other secrets into the file, or makes it. `change` sees those that are there; no other
/// change comes between.
pub(crate) fn change<T>(
    path: &Path,
    change: impl FnOnce(Option<Secrets>) -> Result<(Secrets, T), Error>,
) -> Result<T, Error> {
    secret_file::change(SECRETS, path, Trust::InAnyCase, |octets| {
        let octets = octets.filter(|octets| !octets.is_empty());
        let known = octets.map(|octets| parse(path, octets)).transpose()?;
        let (secrets, result) = change(known)?;
        let lines = secrets.iter().flat_map(|secret| [secret.key(), b"\n"]);
        Ok((lines.collect::<Vec<_>>().concat(), result))
    })
}

fn parse(path: &Path, text: &[u8]) -> Result<Secrets, SecretFileError> {
    let unusable = |error| SecretFileError::Unusable { path: path.to_owned(), error };
    Secrets::parse(text).map_err(unusable)
}
