use std::path::PathBuf;
use std::process::ExitCode;
use std::{fmt, io};

use quivive_contract::SelectionError;
use quivive_server::secret_file::FileError;

use crate::secret_file::SecretFileError;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Flags that cannot hold together.
    #[error("{0}")]
    Usage(&'static str),
    /// A part of the contract that is not built yet.
    #[error("{what} `{word}` is not in this version")]
    NotInThisVersion {
        /// What it is: "command", "method".
        what: &'static str,
        /// Its name.
        word: &'static str,
    },
    /// The configuration cannot be used.
    #[error("{}", Lines(.0))]
    Config(Vec<quivive_config::Error>),
    /// The zone file cannot be used.
    #[error("{}{error}", ZonePlace(path, error))]
    Zone {
        /// The file.
        path: PathBuf,
        /// Why.
        error: quivive_resolver::ZoneError,
    },
    /// There is nobody to ask.
    #[error("{0}")]
    Resolver(#[from] quivive_resolver::Error),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A message is longer than Quivive takes.
    #[error("{} is longer than {octets_max} octets", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        octets_max: u64,
    },
    /// Some lines of a batch were no question; each has its own error in the output.
    #[error("{0} of the lines could not be used; see their \"error\"")]
    Lines(u64),
    /// The configuration keeps no cases.
    #[error("this configuration has no store; name one with --config or --store")]
    NoStore,
    /// The store cannot answer.
    #[error("{0}")]
    Store(#[from] quivive_store::Error),
    /// There is no such case.
    #[error("there is no case `{0}`; `quivive case list` shows those that are kept")]
    NoCase(String),
    /// A time, a record or a case that cannot be read.
    #[error("{0}")]
    Unclear(String),
    /// An address cannot be rewritten, or its original is not found.
    #[error("{address}: {reason}")]
    Srs {
        /// The address, printable.
        address: String,
        /// Why.
        reason: String,
    },
    /// The secrets cannot be used.
    #[error(transparent)]
    Secrets(#[from] SecretFileError),
    /// The tokens of the HTTP interface cannot be had or changed.
    #[error("{0}")]
    Tokens(#[from] quivive_server::http::tokens::TokensError),
    /// The users cannot be had or changed.
    #[error("{0}")]
    Users(#[from] quivive_server::logins::users::UsersError),
    /// The daemon cannot run.
    #[error("{0}")]
    Serve(String),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// The operating system gives us nothing.
    #[error("no random numbers from the system: {0}")]
    Random(#[from] getrandom::Error),
}

impl Error {
    /// 1 for what could not be done, 2 for what was asked wrongly or is not in this version.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::NotInThisVersion { .. } => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }

    /// The reader of our output has gone, which is nothing to tell.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<SelectionError> for Error {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::NotInThisVersion { what, word } => {
                Self::NotInThisVersion { what, word }
            }
            SelectionError::Nothing(text) => Self::Usage(text),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self::Secrets(error.into())
    }
}

struct Lines<'a>(&'a [quivive_config::Error]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let end = if index + 1 < self.0.len() { "\n" } else { "" };
            write!(f, "{error}{end}")?;
        }
        Ok(())
    }
}

/// The file, where the error does not name it itself.
struct ZonePlace<'a>(&'a PathBuf, &'a quivive_resolver::ZoneError);

impl fmt::Display for ZonePlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            quivive_resolver::ZoneError::Syntax { .. } => write!(f, "{}: ", self.0.display()),
            _ => Ok(()),
        }
    }
}
