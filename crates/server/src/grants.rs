//! Where grants come from: a table in memory, a database, a service; and the counter of what
//! identities use.

mod database;
mod recall;
mod service;
#[cfg(test)]
mod tests;
mod usage;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use quivive_binding::{Grant, GrantTable, Query, Rules};
use quivive_evidence::{Answer, Failure, Octets, Outcome, Source};

pub use self::database::{DatabaseError, DatabaseGrants, HOLDERS_MAX};
pub use self::recall::{RECALLED_MAX, recall};
pub use self::service::{
    ANSWER_OCTETS_MAX, CACHED_MAX, PATIENCE, ServiceError, ServiceGrants, ServiceSettings,
};
pub use self::usage::{IDENTITIES_MAX, Usage};
use crate::tables::{Entries, Lookup, Table};

/// Grants that are in memory.
pub struct TableGrants {
    table: GrantTable,
    rules: Arc<Rules>,
}

impl TableGrants {
    /// The grants of a table that was read by these rules.
    pub fn new(table: GrantTable, rules: Arc<Rules>) -> Self {
        Self { table, rules }
    }
}

impl Table for TableGrants {
    fn at_hand(&self, key: &str) -> Option<Entries> {
        let entries = Query::parse(key, &self.rules).map_err(|_| Failure::Malformed);
        Some(answer(entries.map(|query| self.table.look_up(&query, &self.rules)), 0))
    }

    fn look_up(&self, key: &str) -> Lookup {
        let entries = self.at_hand(key).expect("a table is always at hand");
        Box::pin(std::future::ready(entries))
    }
}

/// What a source that has the grants of several patterns says to a query: those of the first
/// pattern that has any.
fn entries(query: &Query, rules: &Rules, grants: &[Grant]) -> Vec<String> {
    let patterns = query.subject.patterns(rules);
    let of_pattern = |pattern: &String| {
        let found: Vec<Grant> =
            grants.iter().filter(|grant| grant.pattern == *pattern).cloned().collect();
        (!found.is_empty()).then(|| query.entries(pattern, &found))
    };
    patterns.iter().find_map(of_pattern).unwrap_or_default()
}

/// An answer, noted now, that took so many microseconds.
fn answer(entries: Result<Vec<String>, Failure>, micros: u32) -> Entries {
    let outcome = match entries {
        Ok(entries) => Outcome::of(entries.iter().map(|entry| Octets::from(&**entry)).collect()),
        Err(failure) => Outcome::Failed(failure),
    };
    let source = Source { noted_at: unix_now(), micros, ..Source::default() };
    Arc::new(Answer::new(outcome, source))
}

/// The time, in seconds since 1970.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
