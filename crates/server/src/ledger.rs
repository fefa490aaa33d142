//! Where what was judged is written down.

use std::sync::Arc;

use quivive_console::{Metrics, OpenSession};
use quivive_store::Store;
use quivive_verdict::{Judgement, Rewrite};

/// The store, if there is one, and the counters. Writing never waits and never fails;
/// a message may have to wait before it is judged.
#[derive(Clone, Default)]
pub struct Ledger {
    /// Where cases are kept.
    pub store: Option<Store>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Ledger {
    /// Waits while cases come faster than they can be kept, for a bounded time.
    pub(crate) async fn room(&self) {
        if let Some(store) = &self.store {
            store.room().await;
        }
    }

    /// Writes down what was judged, for whom, and what the client heard last.
    pub(crate) fn write(
        &self,
        judgement: Judgement,
        door: &str,
        recipients: impl FnOnce() -> Vec<String>,
        outcome: &str,
    ) {
        self.write_with(judgement, door, recipients, outcome, Vec::new());
    }

    /// As [`Ledger::write`], with the addresses of the envelope that were changed on the way.
    pub(crate) fn write_with(
        &self,
        mut judgement: Judgement,
        door: &str,
        recipients: impl FnOnce() -> Vec<String>,
        outcome: &str,
        rewrites: Vec<Rewrite>,
    ) {
        self.metrics.judged(&judgement);
        if let Some(store) = &self.store {
            judgement.name_recipients(recipients());
            judgement.verdict.rewrites = rewrites;
            store.record(&judgement, door, outcome);
        }
    }

    /// Counts a session for as long as what is given back exists.
    pub(crate) fn session(&self, door: &'static str) -> OpenSession {
        self.metrics.session(door)
    }
}
