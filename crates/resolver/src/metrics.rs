use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a resolver did since it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// One for each name server, in the order in which they were given.
    pub servers: Vec<ServerMetrics>,
    /// Questions answered from the cache.
    pub cache_hits: u64,
    /// Questions that the cache had no answer to.
    pub cache_misses: u64,
    /// How many answers the cache holds.
    pub cache_entries: u64,
    /// Questions that joined an equal one on its way.
    pub joined_flights: u64,
    /// Questions on their way now.
    pub flights: u64,
}

/// What became of the questions to one name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMetrics {
    /// The name server.
    pub address: SocketAddr,
    /// Tries: questions sent, a retry over TCP not counted.
    pub questions: u64,
    /// Replies with records, NODATA or NXDOMAIN.
    pub answers: u64,
    /// Tries that ran out of time.
    pub timeouts: u64,
    /// SERVFAIL replies.
    pub servfails: u64,
    /// REFUSED, other error codes, malformed replies, unreachable.
    pub other_failures: u64,
    /// Replies that were truncated and asked for again over TCP.
    pub truncated: u64,
    /// Microseconds from question to reply, summed over all tries with one.
    pub micros: u64,
}

#[derive(Default)]
pub(crate) struct ServerCounters {
    pub(crate) questions: Counter,
    pub(crate) answers: Counter,
    pub(crate) timeouts: Counter,
    pub(crate) servfails: Counter,
    pub(crate) other_failures: Counter,
    pub(crate) truncated: Counter,
    pub(crate) micros: Counter,
}

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl ServerCounters {
    pub(crate) fn read(&self, address: SocketAddr) -> ServerMetrics {
        ServerMetrics {
            address,
            questions: self.questions.get(),
            answers: self.answers.get(),
            timeouts: self.timeouts.get(),
            servfails: self.servfails.get(),
            other_failures: self.other_failures.get(),
            truncated: self.truncated.get(),
            micros: self.micros.get(),
        }
    }
}

/// Whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
