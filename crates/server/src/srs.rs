//! SRS at work: what rewrites addresses, with its clock and its counters, and the maps in which
//! mail servers look them up.

mod maps;
mod returns;
mod rewrites;
#[cfg(test)]
pub(crate) mod sample;

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_console::{Metrics, SrsResult};
use quivive_srs::{Forwarder, Kept, ReturnRefusal, Returned, Written};

pub use self::maps::{Manner, forward_map, reverse_map};
#[cfg(test)]
pub(crate) use self::returns::FORGERIES_MAX;
pub(crate) use self::returns::{Incoming, Returns};
pub(crate) use self::rewrites::Rewrites;

/// Rewrites addresses as of today, and counts what it did. Cheap to clone.
#[derive(Clone)]
pub struct Rewriter {
    forwarder: Arc<Forwarder>,
    metrics: Arc<Metrics>,
}

impl Rewriter {
    /// Rewrites by these rules, and counts there.
    pub fn new(forwarder: Forwarder, metrics: Arc<Metrics>) -> Self {
        Self { forwarder: Arc::new(forwarder), metrics }
    }

    /// Its rules.
    pub fn forwarder(&self) -> &Forwarder {
        &self.forwarder
    }

    /// Whether an address is tagged as one that we rewrote, truly or not.
    pub fn is_tagged(&self, recipient: &str) -> bool {
        self.forwarder.is_tagged(recipient)
    }

    /// Under which reverse-path mail from `sender` is handed on to others.
    pub fn forward(&self, sender: &str) -> Written {
        let written = self.forwarder.forward(sender, unix_now());
        self.metrics.srs(match &written {
            Written::Rewritten(_) => SrsResult::Rewritten,
            Written::Kept(_) => SrsResult::Kept,
        });
        if let Written::Kept(reason @ (Kept::TooLong | Kept::Unusable(_) | Kept::Fault(_))) =
            written
        {
            tracing::warn!(?sender, "a sender is not rewritten: {reason}");
        }
        written
    }

    /// Where mail for `recipient` belongs if that is an address that we rewrote; `sender` is the
    /// mail's reverse-path, where it is known.
    pub fn reverse(&self, recipient: &str, sender: Option<&str>) -> Returned {
        let returned = self.forwarder.reverse(recipient, sender, unix_now());
        self.metrics.srs(match &returned {
            Returned::Original(_) | Returned::Unsigned(_) => SrsResult::Pass,
            // Tags of mailing lists look like those of the early form.
            Returned::NotOurs | Returned::Refused(ReturnRefusal::Unsigned(_)) => SrsResult::None,
            Returned::Refused(refusal) if refusal.word() == "expired" => SrsResult::Expired,
            Returned::Refused(_) => SrsResult::Fail,
        });
        match &returned {
            Returned::Refused(ReturnRefusal::Unsigned(_)) | Returned::NotOurs => {}
            Returned::Refused(refusal) => {
                tracing::info!(?recipient, "an address does not come back: {refusal}");
            }
            Returned::Unsigned(_) => {
                tracing::info!(?recipient, "an unsigned forwarding address comes back");
            }
            Returned::Original(_) => {}
        }
        returned
    }
}

/// Shows the rules.
impl fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.forwarder.fmt(f)
    }
}

/// The time, in seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
