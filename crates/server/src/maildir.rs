//! Delivery into a Maildir: first a file in `tmp/`, then, when it is safe on the disk, in `new/`.
//!
//! Lines end with LF in the file, as programs that read Maildirs expect of files on their system;
//! a CR that does not stand before an LF is kept. No path is built from anything that a peer said.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use quivive_mail::{ForwardPath, ReversePath};
use thiserror::Error;
use tokio::task::spawn_blocking;

use crate::header_edit::EditedMessage;
use crate::spool::SpoolError;

/// A file in `tmp/` that has not been written to for so long was left by a process that ended.
pub const LEFTOVER_AGE: Duration = Duration::from_secs(36 * 60 * 60);
/// Octets that are gathered before they are written.
pub const PENDING_MAX: usize = 128 * 1024;

/// Deliveries of this process so far, into whatever Maildir: one folder may be opened twice.
static DELIVERIES: AtomicU64 = AtomicU64::new(0);

/// A Maildir of ours.
#[derive(Debug)]
pub struct Maildir {
    root: Arc<Path>,
    hostname: String,
}

/// What is written above a message on final delivery (RFC 5321 section 4.4).
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Becomes `Return-Path`.
    pub reverse_path: &'a ReversePath,
    /// Become one `Delivered-To` each.
    pub recipients: &'a [ForwardPath],
}

/// Why a message is not in the Maildir. All of it is on our side.
#[derive(Debug, Error)]
pub enum MaildirError {
    /// The folders are not there and cannot be made.
    #[error("the Maildir folder {path} cannot be made ready ({source}); see that it is writable")]
    Prepare {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written, synced or moved.
    #[error("{path} cannot be written ({source}); see that its folder is writable and has space")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The message cannot be read.
    #[error(transparent)]
    Message(#[from] SpoolError),
}

impl Maildir {
    /// Opens the Maildir, makes its folders where they are missing (for the owner alone), and
    /// removes what others left in `tmp/` longer than [`LEFTOVER_AGE`] ago.
    ///
    /// # Errors
    /// [`MaildirError::Prepare`].
    pub async fn open(root: impl Into<PathBuf>, hostname: &str) -> Result<Self, MaildirError> {
        let root: Arc<Path> = root.into().into();
        let prepared = Arc::clone(&root);
        blocking(move || {
            prepare(&prepared)?;
            sweep(&prepared.join("tmp"))
        })
        .await?;
        Ok(Self { root, hostname: in_file_name(hostname) })
    }

    /// Delivers one file for all recipients, and returns its name once file and folder are synced.
    /// On any error nothing of it is left, and nothing has been delivered.
    ///
    /// # Errors
    /// [`MaildirError::Write`] and [`MaildirError::Message`].
    pub async fn deliver(
        &self,
        envelope: Envelope<'_>,
        mut message: EditedMessage<'_>,
    ) -> Result<String, MaildirError> {
        let name = self.unique_name();
        let mut delivery = Delivery::new(&self.root, &name, envelope);
        loop {
            let chunk = match message.next().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    blocking(move || drop(delivery)).await;
                    return Err(error.into());
                }
            };
            delivery.line_ends.convert(chunk, &mut delivery.pending);
            if delivery.pending.len() >= PENDING_MAX {
                delivery = blocking(move || delivery.write()).await?;
            }
        }
        blocking(move || delivery.complete()).await?;
        Ok(name)
    }

    /// The name that cr.yp.to/proto/maildir.html describes: no other delivery on this host has it.
    fn unique_name(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (seconds, micros, process) = (now.as_secs(), now.subsec_micros(), std::process::id());
        let delivery = DELIVERIES.fetch_add(1, Ordering::Relaxed);
        format!("{seconds}.M{micros}P{process}Q{delivery}.{}", self.hostname)
    }
}

/// A message on its way through `tmp/`. Dropped before it is complete, it takes its file along.
struct Delivery {
    root: Arc<Path>,
    tmp: PathBuf,
    new: PathBuf,
    file: Option<File>,
    pending: Vec<u8>,
    line_ends: LineEnds,
}

impl Delivery {
    fn new(root: &Arc<Path>, name: &str, envelope: Envelope<'_>) -> Self {
        let mut pending = format!("Return-Path: {}\n", envelope.reverse_path).into_bytes();
        for recipient in envelope.recipients {
            pending.extend(format!("Delivered-To: {}\n", recipient.address()).into_bytes());
        }
        Self {
            root: Arc::clone(root),
            tmp: root.join("tmp").join(name),
            new: root.join("new").join(name),
            file: None,
            pending,
            line_ends: LineEnds::default(),
        }
    }

    fn write(mut self) -> Result<Self, MaildirError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut options = OpenOptions::new();
                let file = options.write(true).create_new(true).mode(0o600).open(&self.tmp);
                self.file.insert(file.map_err(|source| write_error(&self.tmp, source))?)
            }
        };
        file.write_all(&self.pending).map_err(|source| write_error(&self.tmp, source))?;
        self.pending.clear();
        Ok(self)
    }

    fn complete(mut self) -> Result<(), MaildirError> {
        self.line_ends.finish(&mut self.pending);
        let mut delivery = self.write()?;
        let synced = delivery.file.as_ref().map_or(Ok(()), File::sync_all);
        synced.map_err(|source| write_error(&delivery.tmp, source))?;
        std::fs::rename(&delivery.tmp, &delivery.new)
            .map_err(|source| write_error(&delivery.new, source))?;
        delivery.file = None;
        let folder = delivery.root.join("new");
        sync_folder(&folder).map_err(|source| {
            // It might not survive a crash: the client will be told to come again.
            let _ = std::fs::remove_file(&delivery.new);
            write_error(&folder, source)
        })
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.tmp);
        }
    }
}

/// CRLF to LF, over chunks that may part the two.
#[derive(Debug, Default)]
struct LineEnds {
    after_cr: bool,
}

impl LineEnds {
    fn convert(&mut self, chunk: &[u8], output: &mut Vec<u8>) {
        for part in chunk.split_inclusive(|octet| *octet == b'\r') {
            if self.after_cr && part.first() != Some(&b'\n') {
                output.push(b'\r');
            }
            let text = part.strip_suffix(b"\r");
            self.after_cr = text.is_some();
            output.extend_from_slice(text.unwrap_or(part));
        }
    }

    fn finish(&mut self, output: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_cr) {
            output.push(b'\r');
        }
    }
}

fn prepare(root: &Path) -> Result<(), MaildirError> {
    // What is made here is synced up to the first folder that was there before.
    let made = root.ancestors().take_while(|folder| !folder.exists()).count();
    for folder in ["tmp", "new", "cur"].map(|name| root.join(name)) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| MaildirError::Prepare { path: folder, source })?;
    }
    for folder in root.ancestors().take(made + 1) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        sync_folder(folder)
            .map_err(|source| MaildirError::Prepare { path: folder.to_owned(), source })?;
    }
    Ok(())
}

fn sweep(tmp: &Path) -> Result<(), MaildirError> {
    let error = |source| MaildirError::Prepare { path: tmp.to_owned(), source };
    for entry in std::fs::read_dir(tmp).map_err(error)? {
        let entry = entry.map_err(error)?;
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed());
        // A time in the future has no age.
        if let Ok(Ok(age)) = age
            && age > LEFTOVER_AGE
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "leftover stays");
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn write_error(path: &Path, source: io::Error) -> MaildirError {
    MaildirError::Write { path: path.to_owned(), source }
}

/// A host name as part of a file name. Beyond `/` and `:`, all that no host name holds is escaped.
fn in_file_name(hostname: &str) -> String {
    let mut name = String::new();
    for octet in hostname.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => name.push(octet.into()),
            _ => name.push_str(&format!("\\{octet:03o}")),
        }
    }
    name
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.expect("file work does not panic")
}

#[cfg(test)]
mod tests;
