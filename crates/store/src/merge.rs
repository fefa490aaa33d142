//! The index of words, rewritten so that words which were taken out are gone: SQLite's own.
//!
//! It merges its segments by itself, and what was taken out goes with that, some time. Whoever is
//! forgotten does not wait for it.

use sqlx::sqlite::SqliteConnection;

use crate::retention::Progress;

/// How many pages are rewritten at a time.
const PAGES_STEP: i64 = 500;

/// A merge that goes on in steps.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    has_begun: bool,
}

impl Merge {
    /// One step.
    pub(crate) async fn step(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Progress, sqlx::Error> {
        let changes = "SELECT total_changes()";
        let before: i64 = sqlx::query_scalar(changes).fetch_one(&mut *connection).await?;
        // The documentation of FTS5: a negative number begins a merge of all segments.
        let pages = if self.has_begun { PAGES_STEP } else { -PAGES_STEP };
        let sql = "INSERT INTO case_word (case_word, rank) VALUES ('merge', $1)";
        sqlx::query(sql).bind(pages).execute(&mut *connection).await?;
        self.has_begun = true;
        // And: fewer than two changes is nothing left to do.
        let after: i64 = sqlx::query_scalar(changes).fetch_one(connection).await?;
        Ok(if after - before < 2 { Progress::Done } else { Progress::More })
    }
}
