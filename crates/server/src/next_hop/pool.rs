use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Connection;

/// How many idle connections to a next hop are kept.
pub(crate) const IDLE_MAX: usize = 16;

/// How long an idle connection is kept.
pub(crate) const IDLE_TIME: Duration = Duration::from_secs(20);

/// Idle connections, the last used on top.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    connections: Vec<(Connection, Instant)>,
    sweeping: bool,
}

impl Pool {
    /// A connection that is still good, as far as that can be told.
    pub(crate) async fn take(&self) -> Option<Connection> {
        loop {
            let (mut connection, _) = self.idle().connections.pop()?;
            if connection.is_quiet().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection that has no transaction open.
    pub(crate) fn put(self: &Arc<Self>, mut connection: Connection) {
        connection.idle = true;
        let mut idle = self.idle();
        if idle.connections.len() < IDLE_MAX {
            idle.connections.push((connection, Instant::now() + IDLE_TIME));
            if !std::mem::replace(&mut idle.sweeping, true) {
                let pool = self.clone();
                tokio::spawn(async move { pool.sweep().await });
            }
        }
    }

    /// Closes what has been idle too long, until nothing is left.
    async fn sweep(&self) {
        loop {
            sleep(IDLE_TIME / 2).await;
            let expired: Vec<_> = {
                let mut idle = self.idle();
                let now = Instant::now();
                let expired = idle.connections.extract_if(.., |(_, end)| *end <= now).collect();
                idle.sweeping = !idle.connections.is_empty();
                expired
            };
            for (connection, _) in expired {
                connection.quit().await;
            }
            if !self.idle().sweeping {
                return;
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        // Nothing that holds the lock can leave it in disorder.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
