use std::path::Path;

use super::{UserError, Users};
use crate::secret_file::{Contents, FileError, Followed, Kind, change_contents, read_contents};

/// Octets of the file.
pub const FILE_OCTETS_MAX: usize = 64 << 20;

/// The users of a file, followed while it changes.
pub(crate) type UserFile = Followed<Users>;

/// Why users cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file is not there, not to be trusted, or not to be understood; or it cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The change cannot be made.
    #[error(transparent)]
    User(#[from] UserError),
}

impl Contents for Users {
    const KIND: Kind = Kind {
        name: "file of users",
        octets_max: FILE_OCTETS_MAX,
        cure: "`quivive user passwd NAME --file FILE` makes one",
    };

    const HEAD: &'static str =
        "# Who may log in. `quivive user` writes it; passwords stand here as hashes.\n";

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        Self::parse(text)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn count(&self) -> usize {
        self.iter().count()
    }
}

/// Reads a file of users.
///
/// # Errors
/// It is not there, not to be trusted, or not to be understood.
pub fn read(path: &Path) -> Result<Users, UsersError> {
    Ok(read_contents(path)?.0)
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
    change_contents(path, edit)
}
