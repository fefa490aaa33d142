use std::io;
use std::path::Path;

use super::{FileError, Kind, Stamp, Trust, change, read_with_data};

/// What a file of lines holds, remarks and all.
pub(crate) trait Contents: Sized {
    /// What such a file is.
    const KIND: Kind;

    /// What a new file begins with: remarks.
    const HEAD: &'static str;

    /// Reads the text of a file. The error names the first line that cannot be used, from 1, and
    /// what is wrong with it.
    fn parse(text: &str) -> Result<Self, (usize, String)>;

    /// The text that the file is to have.
    fn text(&self) -> String;

    /// How many entries there are.
    fn count(&self) -> usize;
}

/// What a file holds, and the state that it was read in.
pub(crate) fn read_contents<C: Contents>(path: &Path) -> Result<(C, Stamp), FileError> {
    let (octets, data) = read_with_data(C::KIND, path, Trust::IfClosed)?;
    Ok((parse(path, &octets)?, Stamp::of(&data)))
}

/// As [`change`], of what the file holds.
pub(crate) fn change_contents<C: Contents, T, E, R: From<FileError> + From<E>>(
    path: &Path,
    edit: impl FnOnce(&mut C) -> Result<T, E>,
) -> Result<T, R> {
    change(C::KIND, path, Trust::IfClosed, |octets| {
        let mut contents: C = parse(path, octets.unwrap_or(C::HEAD.as_bytes()))?;
        let done = edit(&mut contents)?;
        Ok((contents.text().into_bytes(), done))
    })
}

fn parse<C: Contents>(path: &Path, octets: &[u8]) -> Result<C, FileError> {
    let named = || path.to_owned();
    let text = str::from_utf8(octets).map_err(|error| FileError::Unreadable {
        kind: C::KIND,
        path: named(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })?;
    C::parse(text).map_err(|(line, problem)| FileError::Line { path: named(), line, problem })
}
