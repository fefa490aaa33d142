use std::net::IpAddr;
use std::time::Duration;

use quivive_console::{Throttle, network};

/// How often each token and each client address may ask.
pub(super) struct Limits {
    addresses: Throttle,
    tokens: Throttle<String>,
    /// How long it takes until one more request is allowed.
    interval: Duration,
}

/// There were too many requests; in so many seconds there may be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) u64);

impl Limits {
    /// So many requests at once, and so many a minute after them.
    pub(super) fn new(requests_per_minute: u32) -> Self {
        let interval = Duration::from_secs(60) / requests_per_minute.max(1);
        Self {
            addresses: Throttle::new(requests_per_minute, interval),
            tokens: Throttle::new(requests_per_minute, interval),
            interval,
        }
    }

    pub(super) fn of_address(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        self.taken(self.addresses.take(network(address)))
    }

    pub(super) fn of_token(&self, name: &str) -> Result<(), TooMany> {
        self.taken(self.tokens.take(Some(name.to_owned())))
    }

    fn taken(&self, taken: bool) -> Result<(), TooMany> {
        let seconds = self.interval.as_secs_f64().ceil() as u64;
        if taken { Ok(()) } else { Err(TooMany(seconds.max(1))) }
    }
}
