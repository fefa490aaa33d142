//! What waits to be written.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::encode::Encoded;
use crate::part::Gauge;

/// How many cases wait at most; more are dropped, and counted. As many as there is memory for.
pub const CASES_WAITING_MAX: usize = 32_768;

/// How many octets of memory waiting cases take at most, beside what they share with what is
/// remembered of earlier ones.
pub const OCTETS_WAITING_MAX: usize = 64 * 1024 * 1024;

/// How many cases a transaction writes at most: what a batch has in common is written once.
pub(crate) const BATCH_MAX: usize = 2048;

/// How many octets a transaction writes at most, if no case had anything in common with others;
/// save for one case that has more.
pub(crate) const BATCH_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// A bounded queue of cases.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    cases_max: usize,
    octets_max: usize,
    /// What parts take.
    parts: Gauge,
    /// Told with the first case that waits, and when there are [`BATCH_MAX`].
    pub(crate) filled: Notify,
    /// Told when cases were taken.
    drained: Notify,
}

#[derive(Default)]
struct Waiting {
    cases: VecDeque<(Encoded, usize)>,
    octets: usize,
}

impl Queue {
    pub(crate) fn new(cases_max: usize, octets_max: usize, parts: Gauge) -> Self {
        Self {
            waiting: Mutex::default(),
            cases_max,
            octets_max,
            parts,
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Puts a case at the end; `false` if there is no room.
    pub(crate) fn push(&self, case: Encoded) -> bool {
        let octets = case.octets();
        let length = {
            let mut waiting = self.lock();
            let fits = waiting.cases.len() < self.cases_max
                && self.octets(&waiting).saturating_add(octets) <= self.octets_max;
            if !fits {
                return false;
            }
            waiting.octets += octets;
            waiting.cases.push_back((case, octets));
            waiting.cases.len()
        };
        if length == 1 || length == BATCH_MAX {
            self.filled.notify_one();
        }
        true
    }

    /// Takes the first cases: `max` at most, and not more than go into a batch.
    pub(crate) fn take(&self, max: usize) -> Vec<Encoded> {
        let mut waiting = self.lock();
        let mut octets = 0;
        let fit = waiting.cases.iter().take(max.min(BATCH_MAX)).take_while(|(case, _)| {
            let is_first = octets == 0;
            octets += case.octets_in_file();
            is_first || octets <= BATCH_OCTETS_MAX
        });
        let count = fit.count();
        let taken: Vec<_> = waiting.cases.drain(..count).collect();
        waiting.octets -= taken.iter().map(|(_, octets)| octets).sum::<usize>();
        drop(waiting);
        self.drained.notify_waiters();
        taken.into_iter().map(|(case, _)| case).collect()
    }

    /// Gives up all that waits, and says how many cases that were.
    pub(crate) fn give_up(&self) -> usize {
        std::mem::take(&mut *self.lock()).cases.len()
    }

    /// Whether no case finds room.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.lock();
        waiting.cases.len() >= self.cases_max || self.octets(&waiting) >= self.octets_max
    }

    /// Whether half of it is free.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.cases.len() <= self.cases_max / 2 && self.octets(&waiting) <= self.octets_max / 2
    }

    /// Waits until half of it is free.
    pub(crate) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            if self.has_room() {
                return;
            }
            drained.await;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().cases.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.cases_max
    }

    /// What waits, and the parts that nothing else has.
    fn octets(&self, waiting: &Waiting) -> usize {
        waiting.octets + self.parts.waiting()
    }

    /// Nobody panics with the lock held, so that it cannot be poisoned.
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
