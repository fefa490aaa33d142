use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How the store does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether cases are being written.
    pub state: State,
    /// Cases that wait to be written.
    pub queue_length: usize,
    /// How many can wait.
    pub queue_capacity: usize,
    /// Cases written since the start.
    pub written: u64,
    /// Cases that nobody will find: dropped for want of room, or lost with what could not be
    /// written.
    pub dropped: u64,
    /// Transactions that failed.
    pub failed_batches: u64,
    /// What went wrong last, also if it is over.
    pub last_trouble: Option<Trouble>,
    /// Octets of the file and its log.
    pub file_octets: u64,
    /// The time of the oldest case, in seconds since 1970.
    pub oldest_case: Option<u64>,
}

/// Whether cases are being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// They are.
    Working,
    /// They wait, and are dropped when the queue is full.
    Trouble,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// When, in seconds since 1970.
    pub at: u64,
    /// What.
    pub text: String,
}

/// What is counted while the store works.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) written: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) failed_batches: AtomicU64,
    pub(crate) file_octets: AtomicU64,
    /// One more than the time of the oldest case; zero for none.
    oldest_case: AtomicU64,
    trouble: Mutex<(bool, Option<Trouble>)>,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn set_oldest(&self, oldest: Option<u64>) {
        self.oldest_case.store(oldest.map_or(0, |at| at.saturating_add(1)), Ordering::Relaxed);
    }

    pub(crate) fn oldest(&self) -> Option<u64> {
        self.oldest_case.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Notes that something is wrong from now on.
    pub(crate) fn set_trouble(&self, trouble: Trouble) {
        *self.lock() = (true, Some(trouble));
    }

    /// Notes something that is over already.
    pub(crate) fn note_trouble(&self, trouble: Trouble) {
        self.lock().1 = Some(trouble);
    }

    /// Whether the file cannot be used now.
    pub(crate) fn is_troubled(&self) -> bool {
        self.lock().0
    }

    /// All is well; `true` if it was not.
    pub(crate) fn clear_trouble(&self) -> bool {
        std::mem::take(&mut self.lock().0)
    }

    pub(crate) fn health(&self, queue_length: usize, queue_capacity: usize) -> Health {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (troubled, last_trouble) = self.lock().clone();
        Health {
            state: if troubled { State::Trouble } else { State::Working },
            queue_length,
            queue_capacity,
            written: count(&self.written),
            dropped: count(&self.dropped),
            failed_batches: count(&self.failed_batches),
            last_trouble,
            file_octets: count(&self.file_octets),
            oldest_case: self.oldest(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, (bool, Option<Trouble>)> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
