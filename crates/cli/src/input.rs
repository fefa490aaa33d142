use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::Error;
use crate::examiner::named;

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// It cannot be read, or is longer than `octets_max`.
pub(crate) fn read_bounded(path: &Path, octets_max: u64) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Unreadable { path: named(path), source };
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut octets = Vec::new();
    source.take(octets_max + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() as u64 > octets_max {
        return Err(Error::TooLarge { path: named(path), octets_max });
    }
    Ok(octets)
}
