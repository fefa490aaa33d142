use std::io;
use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path is no place for a database: the settings are wrong.
    #[error("the store {path} cannot be used ({source}); see that its folder exists and is ours")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such file, and none is to be made.
    #[error("there is no store {path}; name the configuration of the daemon that keeps it")]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of the program has written the file.
    #[error(
        "the store {path} was written by a newer version ({source}); use that one, or another path"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// What is wrong with its schema.
        source: sqlx::migrate::MigrateError,
    },
    /// The system gives the writer no thread.
    #[error("the store's writer cannot be started: {0}")]
    Thread(#[source] io::Error),
    /// The file cannot be used now; the writer is trying to mend that.
    #[error("the store cannot be used now: {0}")]
    Trouble(String),
    /// The database gave an error.
    #[error("the store cannot answer: {0}")]
    Database(#[from] sqlx::Error),
    /// A case in the file cannot be read.
    #[error("case {id} cannot be read: {text}")]
    Unreadable {
        /// Its id.
        id: String,
        /// Why.
        text: String,
    },
}

/// Whose fault an error of the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another process is writing; wait.
    Busy,
    /// The file's surroundings: full disk, permissions, devices. Opening it again may help.
    Surroundings,
    /// The file's content is no database, or a broken one.
    Damage,
    /// What is written; trying again does not help.
    Content,
}

impl Fault {
    /// By SQLite's primary result code (PostgreSQL has its classes 53, 57, 58, XX).
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let sqlx::Error::Database(error) = error else { return Self::Surroundings };
        let code = error.code().and_then(|code| code.parse::<u32>().ok()).unwrap_or_default();
        match code & 0xff {
            5 | 6 => Self::Busy,
            11 | 26 => Self::Damage,
            // Constraint, too big, mismatch, range.
            18..=20 | 25 => Self::Content,
            _ => Self::Surroundings,
        }
    }
}
