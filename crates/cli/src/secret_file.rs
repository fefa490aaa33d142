//! A file of secrets, one a line: read, checked for who else may read it, and changed.
//!
//! Several machines and programs may share it, PostSRSd among them: so nothing but secrets is in
//! it, and a change replaces it as a whole.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use quivive_srs::{SECRETS_OCTETS_MAX, Secrets, SecretsError};
use tempfile::NamedTempFile;

/// What a file of secrets may not let others do: its group may read it, and nobody else anything.
const UNSAFE: u32 = 0o027;

/// The mode of a new file of secrets.
const NEW_MODE: u32 = 0o600;

/// Why a file of secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretFileError {
    /// It cannot be read.
    #[error("cannot read the secrets in {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// Others may read it, or change it.
    #[error(
        "the secrets in {path} are open to others (mode {mode:03o}); say: chmod {cure:03o} {path}",
        path = path.display(), cure = mode & !UNSAFE
    )]
    Open { path: PathBuf, mode: u32 },
    /// It holds no secrets.
    #[error("the secrets in {} cannot be used: {error}", path.display())]
    Unusable { path: PathBuf, error: SecretsError },
    /// It holds no password.
    #[error("there is no password in the first line of {}", path.display())]
    NoPassword { path: PathBuf },
    /// It cannot be changed.
    #[error("cannot change {}: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

/// The secrets of a file that only its owner and group may read.
pub(crate) fn read(path: &Path) -> Result<Secrets, SecretFileError> {
    let (text, mode) = read_text(path).map_err(unreadable(path))?;
    if mode & UNSAFE != 0 {
        return Err(SecretFileError::Open { path: path.to_owned(), mode });
    }
    parse(path, &text)
}

/// The password in a file that only its owner and group may read: its first line.
pub(crate) fn read_password(path: &Path) -> Result<String, SecretFileError> {
    let (text, mode) = read_text(path).map_err(unreadable(path))?;
    if mode & UNSAFE != 0 {
        return Err(SecretFileError::Open { path: path.to_owned(), mode });
    }
    let line = text.split(|octet| matches!(octet, b'\n' | b'\r')).next().unwrap_or_default();
    let password = str::from_utf8(line).ok().filter(|line| !line.is_empty());
    let none = || SecretFileError::NoPassword { path: path.to_owned() };
    password.map(str::to_owned).ok_or_else(none)
}

/// As [`read`], whoever else may read the file.
pub(crate) fn read_any(path: &Path) -> Result<Secrets, SecretFileError> {
    let (text, _) = read_text(path).map_err(unreadable(path))?;
    parse(path, &text)
}

/// When the file was changed last, in seconds since 1970.
pub(crate) fn changed_at(path: &Path) -> Result<u64, SecretFileError> {
    let data = fs::metadata(path).map_err(unreadable(path))?;
    Ok(u64::try_from(data.mtime()).unwrap_or(0))
}

/// Puts other secrets into the file, or makes it. `change` sees those that are there; no other
/// change comes between.
pub(crate) fn change<T, E: From<SecretFileError>>(
    path: &Path,
    change: impl FnOnce(Option<Secrets>) -> Result<(Secrets, T), E>,
) -> Result<T, E> {
    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let unwritable = |source| SecretFileError::Unwritable { path: path.clone(), source };
    let file = open_locked(&path).map_err(unwritable)?;
    let (text, _) = read_text(&path).map_err(unwritable)?;
    let known = if text.is_empty() { None } else { Some(parse(&path, &text)?) };
    let (secrets, result) = change(known)?;
    replace(&path, &file, &secrets).map_err(unwritable)?;
    Ok(result)
}

/// The file, which is made if need be, locked until it is dropped. Whoever held the lock before may
/// have put another file into its place.
fn open_locked(path: &Path) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(NEW_MODE);
        let file = options.open(path)?;
        file.lock()?;
        let (held, there) = (file.metadata()?, fs::metadata(path)?);
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
    }
}

/// Renamed last: whoever reads it finds the old secrets or the new ones, also after a crash.
fn replace(path: &Path, old: &File, secrets: &Secrets) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let data = old.metadata()?;
    let mut new = NamedTempFile::with_prefix_in(".secrets", folder)?;
    for secret in secrets.iter() {
        new.write_all(secret.key())?;
        new.write_all(b"\n")?;
    }
    std::os::unix::fs::fchown(new.as_file(), Some(data.uid()), Some(data.gid()))?;
    new.as_file().set_permissions(Permissions::from_mode(data.mode() & 0o777 & !UNSAFE))?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    File::open(folder)?.sync_all()
}

fn read_text(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    let file = File::open(path)?;
    let mode = file.metadata()?.mode() & 0o777;
    let mut text = Vec::new();
    // One octet more than there may be tells that there are too many.
    file.take(SECRETS_OCTETS_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok((text, mode))
}

fn parse(path: &Path, text: &[u8]) -> Result<Secrets, SecretFileError> {
    let unusable = |error| SecretFileError::Unusable { path: path.to_owned(), error };
    Secrets::parse(text).map_err(unusable)
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> SecretFileError {
    let path = path.to_owned();
    move |source| SecretFileError::Unreadable { path, source }
}
