use std::path::Path;

use super::{TokenError, TokenList};
use crate::secret_file::{Contents, FileError, Followed, Kind, change_contents, read_contents};

/// How long the file may be, in octets.
pub const FILE_OCTETS_MAX: usize = 1 << 20;

/// The tokens of a file, followed while it changes.
pub(in crate::http) type Tokens = Followed<TokenList>;

/// Why tokens cannot be had or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file is not there, not to be trusted, or not to be understood; or it cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The change cannot be made.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Contents for TokenList {
    const KIND: Kind = Kind {
        name: "token file",
        octets_max: FILE_OCTETS_MAX,
        cure: "`quivive token new NAME --scope check --file FILE` makes one",
    };

    const HEAD: &'static str =
        "# The tokens of Quivive's HTTP interface, as hashes. `quivive token` writes it.\n";

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        Self::parse(text)
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn count(&self) -> usize {
        self.tokens().count()
    }
}

/// Reads a file of tokens.
///
/// # Errors
/// It is not there, not to be trusted, or not to be understood.
pub fn read(path: &Path) -> Result<TokenList, TokensError> {
    Ok(read_contents(path)?.0)
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
    change_contents(path, edit)
}
