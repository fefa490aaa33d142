//! Waiting for something that another process does: by looking again, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take. Generous: it bounds a hang and measures nothing.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// How often one looks.
const INTERVAL: Duration = Duration::from_millis(10);

/// What `look` finds.
///
/// # Panics
/// When there is nothing at the deadline.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(DEADLINE, look).unwrap_or_else(|| panic!("waited in vain for: {what}"))
}

/// What `look` finds, or nothing after `time`. The last look begins after it: a look may take long.
pub fn within<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + time;
    loop {
        let is_last = Instant::now() > deadline;
        let found = look();
        if found.is_some() || is_last {
            return found;
        }
        thread::sleep(INTERVAL);
    }
}
