//! The database's file: who may read it, whether it is still the one that was opened, moving it
//! aside.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Readable and writable by the owner, and by nobody else.
const OWNER_ALONE: u32 = 0o600;

/// What SQLite puts beside a file.
const SIDES: &[&str] = &["-wal", "-shm", "-journal"];

/// What a database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A file that SQLite has open.
pub(crate) struct Opened {
    path: PathBuf,
    file: File,
}

/// What became of an opened file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Here,
    /// The path leads nowhere, or to another file.
    Gone,
    /// It has fewer pages than it says.
    Truncated,
}

/// Makes the file if there is none, and takes it away from everybody but its owner.
pub(crate) fn prepare(path: &Path) -> io::Result<()> {
    let open = OpenOptions::new().write(true).create_new(true).mode(OWNER_ALONE).open(path);
    match open {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    if fs::metadata(path)?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    for path in [path.to_owned()].into_iter().chain(sides(path)) {
        let Ok(found) = fs::metadata(&path) else { continue };
        let mode = found.permissions().mode() & 0o777;
        if mode & !OWNER_ALONE != 0 {
            tracing::warn!(
                path = %path.display(),
                "others could use the store's file (mode {mode:o}); now its owner alone can"
            );
            fs::set_permissions(&path, fs::Permissions::from_mode(mode & OWNER_ALONE))?;
        }
    }
    Ok(())
}

impl Opened {
    /// Opens the file for looking. This must come before SQLite opens it, and end after SQLite has
    /// closed it: whoever closes a file gives up all locks that the process has on it (POSIX,
    /// fcntl), also those of SQLite.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: File::open(path)? })
    }

    /// What became of it.
    pub(crate) fn fate(&self) -> Fate {
        let same = |here: &fs::Metadata, opened: &fs::Metadata| {
            here.dev() == opened.dev() && here.ino() == opened.ino()
        };
        match (fs::metadata(&self.path), self.file.metadata()) {
            (Ok(here), Ok(opened)) if same(&here, &opened) => {}
            (Ok(_), Ok(_)) => return Fate::Gone,
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => return Fate::Gone,
            // That nobody may look is no reason to take it for lost.
            _ => return Fate::Here,
        }
        match self.is_whole() {
            Ok(false) => Fate::Truncated,
            Ok(true) | Err(_) => Fate::Here,
        }
    }

    /// Whether all pages are there that the header speaks of (SQLite file format, section 1.3).
    fn is_whole(&self) -> io::Result<bool> {
        let mut header = [0; 32];
        if self.file.read_exact_at(&mut header, 0).is_err() || !header.starts_with(MAGIC) {
            return Ok(false);
        }
        let page = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            octets => u64::from(octets),
        };
        let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
        Ok(self.file.metadata()?.len() >= page * u64::from(pages))
    }
}

/// How many octets the file has.
pub(crate) fn octets(path: &Path) -> u64 {
    let beside = sides(path).filter_map(|path| fs::metadata(path).ok());
    fs::metadata(path).ok().into_iter().chain(beside).map(|metadata| metadata.len()).sum()
}

/// Moves the file aside with what belongs to it, and says where to.
pub(crate) fn move_aside(path: &Path, now: u64) -> io::Result<PathBuf> {
    let to = (0..).map(|number| match number {
        0 => beside(path, &format!(".damaged-{now}")),
        number => beside(path, &format!(".damaged-{now}-{number}")),
    });
    let mut to = to;
    let to = to.find(|to| !to.exists()).expect("numbers do not end");
    fs::rename(path, &to)?;
    for side in SIDES {
        match fs::rename(beside(path, side), beside(&to, side)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(to)
}

fn sides(path: &Path) -> impl Iterator<Item = PathBuf> {
    SIDES.iter().map(|side| beside(path, side))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
