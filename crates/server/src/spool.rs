//! Where a message waits until it is complete: in memory while it is small, then in a file that has
//! no name, so that nothing is left of it whatever happens.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tokio::task::spawn_blocking;

/// Octets of a message that are held in memory; a longer one goes to a file.
pub const MEMORY_MAX: usize = 256 * 1024;
/// Octets of the chunks in which a spool is written to its file and read back.
pub const CHUNK_MAX: usize = 64 * 1024;

/// Takes a message, chunk by chunk.
#[derive(Debug)]
pub struct SpoolWriter {
    folder: PathBuf,
    limit: u64,
    length: u64,
    /// The octets that are not in the file yet.
    pending: Vec<u8>,
    file: Option<File>,
    /// A write failed or was given up: what the file holds is not known.
    broken: bool,
}

/// A whole message, to be read as often as needed.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    length: u64,
    octets: Octets,
}

#[derive(Debug)]
enum Octets {
    Memory(Vec<u8>),
    File(Arc<File>),
}

/// Whether the message is still within its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Taken.
    Kept,
    /// The message is longer than the limit. Nothing of it is kept any more.
    TooLarge,
}

/// What went wrong with a spool. All of it is on our side.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// No file could be made.
    #[error("no spool file can be made in {folder} ({source}); see that it exists and is writable")]
    Create {
        /// The spool folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written.
    #[error("a spool file in {folder} cannot be written ({source}); see that there is space")]
    Write {
        /// The spool folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be read.
    #[error("a spool file in {folder} cannot be read back ({source}); see to its disk")]
    Read {
        /// The spool folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl SpoolWriter {
    /// A writer for a message of at most `limit` octets. No file is made in `folder` before the
    /// message outgrows [`MEMORY_MAX`].
    pub fn new(folder: impl Into<PathBuf>, limit: u64) -> Self {
        Self {
            folder: folder.into(),
            limit,
            length: 0,
            pending: Vec::new(),
            file: None,
            broken: false,
        }
    }

    /// Takes the next octets. Also those beyond the limit are counted.
    ///
    /// # Errors
    /// The file cannot be made or written. After that, and after a call that was given up half-way,
    /// every further write is refused.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<Fit, SpoolError> {
        self.length = self.length.saturating_add(chunk.len() as u64);
        if self.length > self.limit {
            self.pending = Vec::new();
            self.file = None;
            return Ok(Fit::TooLarge);
        }
        self.pending.extend_from_slice(chunk);
        let pending_max = if self.file.is_some() { CHUNK_MAX } else { MEMORY_MAX };
        if self.pending.len() > pending_max || self.broken {
            self.flush().await?;
        }
        Ok(Fit::Kept)
    }

    /// Octets that came, those beyond the limit included.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The message, now complete; none if it was longer than the limit.
    ///
    /// # Errors
    /// The rest of the message cannot be written.
    pub async fn finish(mut self) -> Result<Option<Spool>, SpoolError> {
        if self.length > self.limit {
            return Ok(None);
        }
        if self.file.is_some() || self.broken {
            self.flush().await?;
        }
        let octets = match self.file {
            Some(file) => Octets::File(Arc::new(file)),
            None => Octets::Memory(self.pending),
        };
        Ok(Some(Spool { folder: self.folder, length: self.length, octets }))
    }

    async fn flush(&mut self) -> Result<(), SpoolError> {
        if self.broken {
            let source = io::Error::other("an earlier write failed");
            return Err(SpoolError::Write { folder: self.folder.clone(), source });
        }
        // Until the file is back: what becomes of this call if it is dropped is not known.
        self.broken = true;
        let (folder, file) = (self.folder.clone(), self.file.take());
        let mut pending = std::mem::take(&mut self.pending);
        let written = spawn_blocking(move || {
            let mut file = match file {
                Some(file) => file,
                None => match tempfile::tempfile_in(&folder) {
                    Ok(file) => file,
                    Err(source) => return Err(SpoolError::Create { folder, source }),
                },
            };
            file.write_all(&pending).map_err(|source| SpoolError::Write { folder, source })?;
            pending.clear();
            pending.shrink_to(2 * CHUNK_MAX);
            Ok((file, pending))
        });
        let (file, pending) = written.await.expect("writing does not panic")?;
        (self.file, self.pending, self.broken) = (Some(file), pending, false);
        Ok(())
    }
}

impl Spool {
    /// Octets of the message.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether the message lies in a file.
    pub fn is_in_file(&self) -> bool {
        matches!(self.octets, Octets::File(_))
    }

    /// Cuts off the file behind the spool's back.
    #[cfg(test)]
    pub(crate) fn cut_for_test(&self, length: u64) {
        match &self.octets {
            Octets::File(file) => file.set_len(length).unwrap(),
            Octets::Memory(_) => panic!("the message is not in a file"),
        }
    }

    /// The message from its beginning. Several readers do not disturb each other.
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks { spool: self, at: 0, buffer: Vec::new() }
    }
}

/// A message in chunks of [`CHUNK_MAX`] octets; the last one may be shorter.
#[derive(Debug)]
pub struct Chunks<'a> {
    spool: &'a Spool,
    at: u64,
    buffer: Vec<u8>,
}

impl Chunks<'_> {
    /// The next chunk, never an empty one; none after the last.
    ///
    /// # Errors
    /// The file cannot be read, or is shorter than what was written.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, SpoolError> {
        let length = (self.spool.length - self.at).min(CHUNK_MAX as u64);
        if length == 0 {
            return Ok(None);
        }
        let start = self.at;
        self.at += length;
        match &self.spool.octets {
            Octets::Memory(octets) => Ok(Some(&octets[start as usize..self.at as usize])),
            Octets::File(file) => {
                self.buffer.resize(length as usize, 0);
                self.read(file, start).await?;
                Ok(Some(&self.buffer))
            }
        }
    }

    async fn read(&mut self, file: &Arc<File>, start: u64) -> Result<(), SpoolError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let file = Arc::clone(file);
        let read = spawn_blocking(move || file.read_exact_at(&mut buffer, start).map(|()| buffer));
        match read.await.expect("reading does not panic") {
            Ok(buffer) => {
                self.buffer = buffer;
                Ok(())
            }
            Err(source) => Err(SpoolError::Read { folder: self.spool.folder.clone(), source }),
        }
    }
}

#[cfg(test)]
mod tests;
