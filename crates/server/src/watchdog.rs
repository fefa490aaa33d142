//! Deadlines that cost nothing while they are kept.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Further away than any deadline.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The deadlines of one peer, one after the other. Its timer is moved only when it must ring
/// earlier; when it rings too early it is set again. A timer for each read would cost more than
/// the read.
#[derive(Debug)]
pub(crate) struct Watchdog(Pin<Box<Sleep>>);

impl Watchdog {
    pub(crate) fn new() -> Self {
        Self(Box::pin(sleep(NEVER)))
    }

    /// What the action comes to, or nothing if it does not by the deadline.
    pub(crate) async fn until<F: Future>(
        &mut self,
        deadline: Instant,
        action: F,
    ) -> Option<F::Output> {
        let mut action = pin!(action);
        poll_fn(|context| {
            if let Poll::Ready(output) = action.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            if deadline < self.0.deadline() {
                self.0.as_mut().reset(deadline);
            }
            loop {
                ready!(self.0.as_mut().poll(context));
                if Instant::now() >= deadline {
                    return Poll::Ready(None);
                }
                self.0.as_mut().reset(deadline);
            }
        })
        .await
    }

    /// As [`Watchdog::until`], from now on.
    pub(crate) async fn within<F: Future>(
        &mut self,
        patience: Duration,
        action: F,
    ) -> Option<F::Output> {
        self.until(Instant::now() + patience, action).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_deadline_holds_whatever_came_before_it() {
        let mut watchdog = Watchdog::new();
        for seconds in [5, 9, 2, 2, 30, 0, 1] {
            let start = Instant::now();
            assert_eq!(watchdog.within(Duration::from_secs(60), async { 1 }).await, Some(1));
            let late = watchdog.within(Duration::from_secs(seconds), pending::<()>()).await;
            assert_eq!((late, start.elapsed().as_secs()), (None, seconds));
            let slow = sleep(Duration::from_secs(seconds));
            assert!(watchdog.within(Duration::from_secs(seconds + 1), slow).await.is_some());
        }
    }
}
