//! Files with what others must not know or have a say in: tokens, users, secrets. Such a file is
//! read only where nobody but its owner could have changed it, nor anybody but its owner and its
//! group read it; it is followed while it changes, and written whole.

mod contents;
mod followed;
#[cfg(test)]
mod tests;

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

pub(crate) use self::contents::{Contents, change_contents, read_contents};
pub(crate) use self::followed::Followed;

/// What nobody but the owner may do with such a file; its group may only read it.
const FORBIDDEN_MODE: u32 = 0o027;

/// What the owner alone may do with a new file: read and write it.
const NEW_MODE: u32 = 0o600;

/// A kind of such files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What one is called, as in "the token file".
    pub name: &'static str,
    /// How many octets one may have.
    pub octets_max: usize,
    /// How one is made, in words.
    pub cure: &'static str,
}

/// Whether what stands in a file counts although others could have read or changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It does not.
    IfClosed,
    /// It does. A change closes the file.
    InAnyCase,
}

/// Why such a file cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no file.
    #[error("there is no {} {path}; {}", kind.name, kind.cure)]
    Absent {
        /// What it is.
        kind: Kind,
        /// Where it is not.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read the {} {path}: {source}", kind.name)]
    Unreadable {
        /// What it is.
        kind: Kind,
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read it, or could have changed it.
    #[error(
        "the {} {path} is open to others (mode {mode:03o}); say: chmod {cure:03o} {path}",
        kind.name, cure = mode & !FORBIDDEN_MODE
    )]
    Open {
        /// What it is.
        kind: Kind,
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no file, or too long for one.
    #[error(
        "{path} is no {}: it has more than {} octets, or is none at all",
        kind.name, kind.octets_max
    )]
    Other {
        /// What it is not.
        kind: Kind,
        /// Where it is.
        path: PathBuf,
    },
    /// A line cannot be used.
    #[error("{path}:{line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be written.
    #[error("cannot write the {} {path}: {source}", kind.name)]
    Unwritable {
        /// What it is.
        kind: Kind,
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Which state of a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64, u64, i64, i64);

impl Stamp {
    pub(crate) fn of(data: &Metadata) -> Self {
        Self(data.ino(), data.len(), data.mtime(), data.mtime_nsec())
    }
}

/// What a file holds.
///
/// # Errors
/// It is not there, cannot be read, or is not to be trusted.
pub fn read(kind: Kind, path: &Path, trust: Trust) -> Result<Vec<u8>, FileError> {
    read_with_data(kind, path, trust).map(|(octets, _)| octets)
}

/// Changes a file, or makes it. `edit` has what it holds, nothing where it is not there, and gives
/// what it is to hold. What others change at the same time is not lost, and whoever reads it finds
/// it as it was or as it is, also after a crash.
///
/// # Errors
/// The file cannot be read or written, or `edit` says that the change cannot be made; then it is as
/// it was.
pub fn change<T, E: From<FileError>>(
    kind: Kind,
    path: &Path,
    trust: Trust,
    edit: impl FnOnce(Option<&[u8]>) -> Result<(Vec<u8>, T), E>,
) -> Result<T, E> {
    // A link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let unwritable = |source| FileError::Unwritable { kind, path: path.clone(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The file itself is replaced: so its folder is what two of us take in turn.
    let turn = File::open(folder).map_err(unwritable)?;
    turn.lock().map_err(unwritable)?;
    let before = match read_with_data(kind, &path, trust) {
        Ok(before) => Some(before),
        Err(FileError::Absent { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let (octets, done) = edit(before.as_ref().map(|(octets, _)| octets.as_slice()))?;
    let data = before.as_ref().map(|(_, data)| data);
    replace(&path, folder, &octets, data).map_err(unwritable)?;
    turn.sync_all().map_err(unwritable)?;
    Ok(done)
}

/// Reads a file and says in which state it was.
pub(crate) fn read_with_data(
    kind: Kind,
    path: &Path,
    trust: Trust,
) -> Result<(Vec<u8>, Metadata), FileError> {
    let named = || path.to_owned();
    let unreadable = |source| FileError::Unreadable { kind, path: named(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FileError::Absent { kind, path: named() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    // Of what was opened, so that nobody exchanges it in between.
    let data = file.metadata().map_err(unreadable)?;
    if trust == Trust::IfClosed {
        if !data.is_file() {
            return Err(FileError::Other { kind, path: named() });
        }
        let mode = data.mode() & 0o7777;
        if mode & FORBIDDEN_MODE != 0 {
            return Err(FileError::Open { kind, path: named(), mode });
        }
    }
    let mut octets = Vec::new();
    // One octet more than there may be tells that there are too many.
    file.take(kind.octets_max as u64 + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() > kind.octets_max {
        return Err(FileError::Other { kind, path: named() });
    }
    Ok((octets, data))
}

/// Writes beside the file and puts it in its place, for the same owner and group, with the same
/// permissions as far as they may be.
fn replace(path: &Path, folder: &Path, octets: &[u8], before: Option<&Metadata>) -> io::Result<()> {
    let mode = before.map_or(NEW_MODE, |data| data.mode() & 0o7777 & !FORBIDDEN_MODE);
    let mut file = tempfile::Builder::new().prefix(".quivive-").tempfile_in(folder)?;
    file.write_all(octets)?;
    if let Some(data) = before {
        fchown(file.as_file(), Some(data.uid()), Some(data.gid()))?;
    }
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
