//! The database's file: who may read it, whether it is still the one that was opened, moving it
//! aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Readable and writable by the owner, and by nobody else.
const OWNER_ALONE: u32 = 0o600;

/// What SQLite puts beside a file.
const SIDES: &[&str] = &["-wal", "-shm", "-journal"];

/// Which file a path led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
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

/// The file that the path leads to.
pub(crate) fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = fs::metadata(path)?;
    Ok(Identity { device: metadata.dev(), inode: metadata.ino() })
}

/// What became of the file that was opened as `identity`.
pub(crate) fn fate(path: &Path, opened: Identity) -> Fate {
    match identity(path) {
        Ok(identity) if identity == opened => {}
        // That nobody may look is no reason to take it for lost.
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Fate::Here,
        Ok(_) | Err(_) => return Fate::Gone,
    }
    match is_whole(path) {
        Ok(false) => Fate::Truncated,
        Ok(true) | Err(_) => Fate::Here,
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

/// Whether all pages are there that the header speaks of (SQLite file format, section 1.3).
fn is_whole(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut header = [0; 32];
    if file.read_exact(&mut header).is_err() {
        return Ok(false);
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        octets => u64::from(octets),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    Ok(file.metadata()?.len() >= page * u64::from(pages))
}

fn sides(path: &Path) -> impl Iterator<Item = PathBuf> {
    SIDES.iter().map(|side| beside(path, side))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
