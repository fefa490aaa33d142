//! The file: read only where nobody else could have changed it, followed while it changes, written
//! whole.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{UserError, Users};

/// Octets of the file.
pub const FILE_OCTETS_MAX: u64 = 64 << 20;

/// What nobody but the owner may do with the file; its group may only read it.
const FORBIDDEN_MODE: u32 = 0o027;

/// What the owner alone may do with a new file: read and write it.
const NEW_MODE: u32 = 0o600;

/// How long a change of the file may go unnoticed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a new file begins with.
const HEAD: &str = "# Who may log in. `quivive user` writes it; passwords stand here as hashes.\n";

/// Why users cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// There is no file.
    #[error("there is no file of users {0}; `quivive user passwd NAME --file {0}` makes one")]
    Absent(PathBuf),
    /// It cannot be read.
    #[error("cannot read the users in {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read it, or could have put users into it.
    #[error(
        "the users in {path} are open to others (mode {mode:03o}); say: chmod {cure:03o} {path}",
        cure = mode & !FORBIDDEN_MODE
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no file, or too long for one.
    #[error("{0} is no file of users: it has more than {FILE_OCTETS_MAX} octets, or is no file")]
    NoFile(PathBuf),
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
    #[error("cannot write the users to {path}: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The change cannot be made.
    #[error(transparent)]
    User(#[from] UserError),
}

/// Reads a file of users.
///
/// # Errors
/// It is not there, not to be trusted, or not to be understood.
pub fn read(path: &Path) -> Result<Users, UsersError> {
    read_stamped(path).map(|(users, _)| users)
}

/// Changes a file of users, or makes it. What others change at the same time is not lost, and
/// whoever reads it sees it as it was or as it is.
///
/// # Errors
/// The file cannot be read or written, or `edit` says that the change cannot be made; then it is as
/// it was.
pub fn change<T>(
    path: &Path,
    edit: impl FnOnce(&mut Users) -> Result<T, UserError>,
) -> Result<T, UsersError> {
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let unwritable = |source| UsersError::Unwritable { path: path.clone(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The file itself is replaced: so its folder is what two of us take in turn.
    let turn = File::open(folder).map_err(unwritable)?;
    turn.lock().map_err(unwritable)?;
    let (mut users, before) = match read_stamped(&path) {
        Ok((users, data)) => (users, Some(data)),
        Err(UsersError::Absent(_)) => (Users::parse(HEAD).unwrap_or_default(), None),
        Err(error) => return Err(error),
    };
    let done = edit(&mut users)?;
    write(&path, folder, &users.to_string(), before.as_ref()).map_err(unwritable)?;
    turn.sync_all().map_err(unwritable)?;
    Ok(done)
}

/// The users of a file, followed while it changes.
pub(crate) struct UserFile {
    path: PathBuf,
    interval: Duration,
    known: Mutex<Known>,
}

struct Known {
    users: Arc<Users>,
    stamp: Stamp,
    looked_at: Instant,
    /// What was wrong the last time: it is told once.
    told: Option<String>,
}

/// Which state of the file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

impl UserFile {
    pub(crate) fn open(path: &Path) -> Result<Self, UsersError> {
        Self::looking(path, LOOK_INTERVAL)
    }

    /// As [`UserFile::open`], and looks for changes in this interval.
    pub(crate) fn looking(path: &Path, interval: Duration) -> Result<Self, UsersError> {
        let (users, data) = read_stamped(path)?;
        let (users, stamp, looked_at) = (Arc::new(users), Stamp::of(&data), Instant::now());
        let known = Mutex::new(Known { users, stamp, looked_at, told: None });
        Ok(Self { path: path.to_owned(), interval, known })
    }

    /// The users as they were a moment ago at most. What cannot be used changes nothing, and the
    /// log says so.
    pub(crate) async fn current(&self) -> Arc<Users> {
        let stamp = {
            let mut known = self.known();
            if known.looked_at.elapsed() < self.interval {
                return known.users.clone();
            }
            known.looked_at = Instant::now();
            known.stamp
        };
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || look(&path, stamp)).await {
            Ok(Ok(None)) => self.known().told = None,
            Ok(Ok(Some((users, stamp)))) => {
                tracing::info!(users = users.iter().count(), "the users were read again");
                let mut known = self.known();
                (known.users, known.stamp, known.told) = (Arc::new(users), stamp, None);
            }
            Ok(Err(error)) => self.tell(&error.to_string()),
            Err(lost) => self.tell(&lost.to_string()),
        }
        self.known().users.clone()
    }

    fn tell(&self, error: &str) {
        let mut known = self.known();
        if known.told.as_deref() != Some(error) {
            tracing::error!("the users stay as they were: {error}");
            known.told = Some(error.to_owned());
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Nothing that holds the lock can leave it in disorder.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stamp {
    fn of(data: &Metadata) -> Self {
        Self(data.ino(), data.len(), data.mtime(), data.mtime_nsec())
    }
}

/// What the file holds now, if it is not what was read.
fn look(path: &Path, stamp: Stamp) -> Result<Option<(Users, Stamp)>, UsersError> {
    if fs::metadata(path).is_ok_and(|data| Stamp::of(&data) == stamp) {
        return Ok(None);
    }
    let (users, data) = read_stamped(path)?;
    Ok(Some((users, Stamp::of(&data))))
}

fn read_stamped(path: &Path) -> Result<(Users, Metadata), UsersError> {
    let unreadable = |source| UsersError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(UsersError::Absent(path.to_owned()));
        }
        Err(error) => return Err(unreadable(error)),
    };
    // Of what was opened, so that nobody exchanges it in between.
    let data = file.metadata().map_err(unreadable)?;
    let mode = data.mode() & 0o7777;
    if !data.is_file() {
        return Err(UsersError::NoFile(path.to_owned()));
    }
    if mode & FORBIDDEN_MODE != 0 {
        return Err(UsersError::Open { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(FILE_OCTETS_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_OCTETS_MAX {
        return Err(UsersError::NoFile(path.to_owned()));
    }
    match Users::parse(&text) {
        Ok(users) => Ok((users, data)),
        Err((line, problem)) => Err(UsersError::Line { path: path.to_owned(), line, problem }),
    }
}

/// Writes beside the file and puts it in its place, for the same owner and group, with the same
/// permissions.
fn write(path: &Path, folder: &Path, text: &str, before: Option<&Metadata>) -> io::Result<()> {
    let mode = before.map_or(NEW_MODE, |data| data.mode() & 0o7777);
    let mut file = tempfile::Builder::new().prefix(".users-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(data) = before {
        chown(file.path(), Some(data.uid()), Some(data.gid()))?;
    }
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
