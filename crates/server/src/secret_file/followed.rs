use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Contents, FileError, Stamp, read_contents};

/// How long a change of the file may go unnoticed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a file holds, followed while it changes.
pub(crate) struct Followed<C> {
    path: PathBuf,
    interval: Duration,
    known: Mutex<Known<C>>,
}

struct Known<C> {
    contents: Arc<C>,
    stamp: Stamp,
    looked_at: Instant,
    /// What was wrong the last time: it is told once.
    told: Option<String>,
}

impl<C: Contents + Send + Sync + 'static> Followed<C> {
    /// Reads the file.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        Self::looking(path, LOOK_INTERVAL)
    }

    /// As [`Followed::open`], and looks for changes in this interval.
    pub(crate) fn looking(path: &Path, interval: Duration) -> Result<Self, FileError> {
        let (contents, stamp) = read_contents(path)?;
        let (contents, looked_at) = (Arc::new(contents), Instant::now());
        let known = Mutex::new(Known { contents, stamp, looked_at, told: None });
        Ok(Self { path: path.to_owned(), interval, known })
    }

    /// What it held a moment ago at most.
    pub(crate) async fn current(&self) -> Arc<C> {
        {
            let known = self.known();
            if known.looked_at.elapsed() < self.interval {
                return known.contents.clone();
            }
        }
        self.newest().await
    }

    /// What it holds. What cannot be used changes nothing, and the log says so.
    pub(crate) async fn newest(&self) -> Arc<C> {
        let stamp = {
            let mut known = self.known();
            known.looked_at = Instant::now();
            known.stamp
        };
        let path = self.path.clone();
        match tokio::task::spawn_blocking(move || look::<C>(&path, stamp)).await {
            Ok(Ok(None)) => self.known().told = None,
            Ok(Ok(Some((contents, stamp)))) => {
                let entries = contents.count();
                tracing::info!(entries, "the {} was read again", C::KIND.name);
                let mut known = self.known();
                (known.contents, known.stamp, known.told) = (Arc::new(contents), stamp, None);
            }
            Ok(Err(error)) => self.tell(&error.to_string()),
            Err(lost) => self.tell(&lost.to_string()),
        }
        self.known().contents.clone()
    }

    fn tell(&self, error: &str) {
        let mut known = self.known();
        if known.told.as_deref() != Some(error) {
            tracing::error!("what the {} held before still counts: {error}", C::KIND.name);
            known.told = Some(error.to_owned());
        }
    }

    fn known(&self) -> MutexGuard<'_, Known<C>> {
        // Nothing that holds the lock can leave it in disorder.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file holds now, if it is not what was read.
fn look<C: Contents>(path: &Path, stamp: Stamp) -> Result<Option<(C, Stamp)>, FileError> {
    if fs::metadata(path).is_ok_and(|data| Stamp::of(&data) == stamp) {
        return Ok(None);
    }
    read_contents(path).map(Some)
}
