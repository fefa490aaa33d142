//! What waits to be written.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::pack::Pack;
use crate::packed::Packing;

/// How many cases wait at most; more are dropped, and counted. As many as there is memory for.
pub const CASES_WAITING_MAX: usize = 32_768;

/// How many octets waiting cases have at most.
pub const OCTETS_WAITING_MAX: usize = 64 * 1024 * 1024;

/// About how many cases a transaction writes at most, for it takes whole packs: what a batch has in
/// common is written once.
pub(crate) const BATCH_MAX: usize = 2048;

/// About how many packed octets a transaction writes at most.
pub(crate) const BATCH_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// A bounded queue of cases.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    cases_max: usize,
    octets_max: usize,
    /// Told with the first case that waits, and when there are [`BATCH_MAX`].
    pub(crate) filled: Notify,
    /// Told when cases were taken.
    drained: Notify,
}

#[derive(Default)]
struct Waiting {
    full: VecDeque<Pack>,
    /// The one that is being filled.
    last: Pack,
    cases: usize,
    octets: usize,
}

impl Queue {
    pub(crate) fn new(cases_max: usize, octets_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            cases_max,
            octets_max,
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Puts a case at the end; `false` if there is no room.
    pub(crate) fn push(&self, case: &Packing<'_>) -> bool {
        let length = case.packed(|octets| {
            let mut waiting = self.lock();
            let fits = waiting.cases < self.cases_max
                && waiting.octets.saturating_add(octets.len()) <= self.octets_max;
            fits.then(|| waiting.add(case, octets))
        });
        let Some(length) = length else { return false };
        if length == 1 || length == BATCH_MAX {
            self.filled.notify_one();
        }
        true
    }

    /// Takes the first cases: about `max`, and not more than go into a batch.
    pub(crate) fn take(&self, max: usize) -> Vec<Pack> {
        let mut waiting = self.lock();
        let max = max.min(BATCH_MAX);
        let mut taken: Vec<Pack> = Vec::new();
        let (mut cases, mut octets) = (0, 0);
        while cases < max && octets < BATCH_OCTETS_MAX {
            let Some(pack) = waiting.next() else { break };
            cases += pack.cases;
            octets += pack.octets.len();
            taken.push(pack);
        }
        drop(waiting);
        self.drained.notify_waiters();
        taken
    }

    /// Gives up all that waits, and says how many cases that were.
    pub(crate) fn give_up(&self) -> usize {
        std::mem::take(&mut *self.lock()).cases
    }

    /// Whether no case finds room.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.lock();
        waiting.cases >= self.cases_max || waiting.octets >= self.octets_max
    }

    /// Whether half of it is free.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.cases <= self.cases_max / 2 && waiting.octets <= self.octets_max / 2
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
        self.lock().cases
    }

    pub(crate) fn capacity(&self) -> usize {
        self.cases_max
    }

    /// Nobody panics with the lock held, so that it cannot be poisoned.
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Waiting {
    /// Adds a case that was packed into these octets, and says how many there are.
    fn add(&mut self, case: &Packing<'_>, octets: &[u8]) -> usize {
        if !self.last.has_room(octets.len()) {
            self.full.push_back(std::mem::take(&mut self.last));
        }
        self.octets += octets.len();
        self.cases += 1;
        self.last.add(case, octets);
        self.cases
    }

    fn next(&mut self) -> Option<Pack> {
        let pack = self.full.pop_front().unwrap_or_else(|| std::mem::take(&mut self.last));
        self.cases -= pack.cases;
        self.octets -= pack.octets.len() - pack.cases * size_of::<u32>();
        Some(pack).filter(|pack| pack.cases > 0)
    }
}
