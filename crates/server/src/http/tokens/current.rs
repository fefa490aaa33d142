use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::file::{Stamp, read_stamped};
use super::{TokenList, TokensError};

/// How long a change of the file may go unnoticed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The tokens of a file, followed while it changes.
pub(in crate::http) struct Tokens {
    path: PathBuf,
    interval: Duration,
    known: Mutex<Known>,
}

struct Known {
    list: Arc<TokenList>,
    stamp: Stamp,
    looked_at: Instant,
    /// What was wrong the last time: it is told once.
    told: Option<String>,
}

impl Tokens {
    /// Reads the file.
    pub(in crate::http) fn read(path: &Path) -> Result<Self, TokensError> {
        Self::looking(path, LOOK_INTERVAL)
    }

    /// As [`Tokens::read`], and looks for changes in this interval.
    pub(super) fn looking(path: &Path, interval: Duration) -> Result<Self, TokensError> {
        let (list, data) = read_stamped(path)?;
        let (list, stamp, looked_at) = (Arc::new(list), Stamp::of(&data), Instant::now());
        let known = Mutex::new(Known { list, stamp, looked_at, told: None });
        Ok(Self { path: path.to_owned(), interval, known })
    }

    /// The tokens as they were a moment ago at most.
    pub(in crate::http) async fn current(&self) -> Arc<TokenList> {
        {
            let known = self.known();
            if known.looked_at.elapsed() < self.interval {
                return known.list.clone();
            }
        }
        self.newest().await
    }

    /// The tokens as they are. What cannot be used changes nothing, and the log says so.
    pub(in crate::http) async fn newest(&self) -> Arc<TokenList> {
        let stamp = {
            let mut known = self.known();
            known.looked_at = Instant::now();
            known.stamp
        };
        let path = self.path.clone();
        let looked = tokio::task::spawn_blocking(move || look(&path, stamp)).await;
        match looked {
            Ok(Ok(None)) => self.known().told = None,
            Ok(Ok(Some((list, stamp)))) => {
                tracing::info!(tokens = list.tokens().count(), "the tokens were read again");
                let mut known = self.known();
                (known.list, known.stamp, known.told) = (Arc::new(list), stamp, None);
            }
            Ok(Err(error)) => self.tell(&error.to_string()),
            Err(lost) => self.tell(&lost.to_string()),
        }
        self.known().list.clone()
    }

    fn tell(&self, error: &str) {
        let mut known = self.known();
        if known.told.as_deref() != Some(error) {
            tracing::error!("the tokens stay as they were: {error}");
            known.told = Some(error.to_owned());
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Nothing that holds the lock can leave it in disorder.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file holds now, if it is not what was read.
fn look(path: &Path, stamp: Stamp) -> Result<Option<(TokenList, Stamp)>, TokensError> {
    if fs::metadata(path).is_ok_and(|data| Stamp::of(&data) == stamp) {
        return Ok(None);
    }
    let (list, data) = read_stamped(path)?;
    Ok(Some((list, Stamp::of(&data))))
}
