//! The file of tokens: read only where nobody else could have changed it, and written whole.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::{TokenError, TokenList};

/// How long the file may be, in octets.
pub const FILE_OCTETS_MAX: u64 = 1 << 20;

/// What nobody but the owner may do with the file, and its group may only read it.
const FORBIDDEN_MODE: u32 = 0o027;

/// What the owner alone may do with a new file: read and write it.
const NEW_MODE: u32 = 0o600;

/// What a new file begins with.
const HEAD: &str =
    "# The tokens of Quivive's HTTP interface, as hashes. `quivive token` writes it.\n";

/// Why tokens cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// There is no file.
    #[error(
        "there is no token file {0}; `quivive token new NAME --scope check --file {0}` makes one"
    )]
    Absent(PathBuf),
    /// It cannot be read.
    #[error("cannot read the token file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could have put tokens into it, or can read it.
    #[error(
        "the token file {path} is open to others (mode {mode:03o}); say: chmod {cure:03o} {path}",
        cure = mode & !FORBIDDEN_MODE
    )]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no file, or too long for one.
    #[error("{0} is no token file: it has more than {FILE_OCTETS_MAX} octets, or is none at all")]
    NoTokenFile(PathBuf),
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
    #[error("cannot write the token file {path}: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The change cannot be made.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Which state of the file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64, u64, i64, i64);

impl Stamp {
    pub(super) fn of(data: &Metadata) -> Self {
        Self(data.ino(), data.len(), data.mtime(), data.mtime_nsec())
    }
}

/// Reads a file of tokens.
///
/// # Errors
/// It is not there, not to be trusted, or not to be understood.
pub fn read(path: &Path) -> Result<TokenList, TokensError> {
    read_stamped(path).map(|(list, _)| list)
}

pub(super) fn read_stamped(path: &Path) -> Result<(TokenList, Metadata), TokensError> {
    let unreadable = |source| TokensError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(TokensError::Absent(path.to_owned()));
        }
        Err(error) => return Err(unreadable(error)),
    };
    // Of what was opened, so that nobody exchanges it in between.
    let data = file.metadata().map_err(unreadable)?;
    let mode = data.mode() & 0o7777;
    if !data.is_file() {
        return Err(TokensError::NoTokenFile(path.to_owned()));
    }
    if mode & FORBIDDEN_MODE != 0 {
        return Err(TokensError::Unsafe { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_OCTETS_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_OCTETS_MAX {
        return Err(TokensError::NoTokenFile(path.to_owned()));
    }
    match TokenList::parse(&text) {
        Ok(list) => Ok((list, data)),
        Err((line, problem)) => Err(TokensError::Line { path: path.to_owned(), line, problem }),
    }
}

/// Changes a file of tokens, or makes it. What others change at the same time is not lost, and
/// whoever reads it sees it as it was or as it is.
///
/// # Errors
/// The file cannot be read or written, or `edit` says that the change cannot be made; then it is as
/// it was.
pub fn change<T>(
    path: &Path,
    edit: impl FnOnce(&mut TokenList) -> Result<T, TokenError>,
) -> Result<T, TokensError> {
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let unwritable = |source| TokensError::Unwritable { path: path.clone(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The file itself is replaced: so its folder is what two of us take in turn.
    let turn = File::open(folder).map_err(unwritable)?;
    turn.lock().map_err(unwritable)?;
    let (mut list, before) = match read_stamped(&path) {
        Ok((list, data)) => (list, Some(data)),
        Err(TokensError::Absent(_)) => (TokenList::parse(HEAD).unwrap_or_default(), None),
        Err(error) => return Err(error),
    };
    let done = edit(&mut list)?;
    write(&path, folder, &list.to_string(), before.as_ref()).map_err(unwritable)?;
    turn.sync_all().map_err(unwritable)?;
    Ok(done)
}

/// Writes beside the file and puts it in its place, for the same owner and group, with the same
/// permissions.
fn write(path: &Path, folder: &Path, text: &str, before: Option<&Metadata>) -> io::Result<()> {
    let mode = before.map_or(NEW_MODE, |data| data.mode() & 0o7777);
    let mut file = tempfile::Builder::new().prefix(".tokens-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(data) = before {
        chown(file.path(), Some(data.uid()), Some(data.gid()))?;
    }
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
