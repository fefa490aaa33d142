//! What is stored elsewhere than in DNS: tables, and who looks into them.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use quivive_evidence::{Answer, Failure, Octets, Outcome, Source, StoredQuestion};

/// The entries under one key.
pub type Entries = Arc<Answer<Octets>>;

/// Somebody's answer on its way.
pub type Lookup = Pin<Box<dyn Future<Output = Entries> + Send>>;

/// A table of stored entries.
pub trait Table: Send + Sync {
    /// The entries under a key, where nobody has to be waited for.
    fn at_hand(&self, key: &str) -> Option<Entries>;

    /// Asks for the entries under a key. What cannot be had is an answer that says so.
    fn look_up(&self, key: &str) -> Lookup;
}

/// The tables that methods may ask, by name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tables(Arc<BTreeMap<&'static str, Arc<dyn Table>>>);

impl Tables {
    /// These tables and the others that were there before.
    #[must_use]
    pub fn with(&self, name: &'static str, table: Arc<dyn Table>) -> Self {
        let mut tables = BTreeMap::clone(&self.0);
        tables.insert(name, table);
        Self(Arc::new(tables))
    }

    /// The answer where nobody has to be waited for, or the look-up. What is in a table that there
    /// is not cannot be had.
    pub(crate) fn ask(&self, question: &StoredQuestion) -> Result<Entries, Lookup> {
        let Some(table) = self.0.get(&*question.table) else {
            let outcome = Outcome::Failed(Failure::Unreachable);
            return Ok(Arc::new(Answer::new(outcome, Source::default())));
        };
        table.at_hand(&question.key).ok_or_else(|| table.look_up(&question.key))
    }
}
