use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quivive_binding::{Grant, GrantTable, Query, Rules};
use quivive_evidence::Failure;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Row};

use super::answer;
use crate::tables::{Entries, Lookup, Table};

/// How many rows a pattern may have; with more of them there is no answer.
pub const HOLDERS_MAX: usize = 10_000;

/// How many connections read at a time; more wait.
const READERS_MAX: u32 = 4;

/// How long a reader waits for its turn, and for whoever writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Grants in an SQLite database of somebody else's, which is only read.
pub struct DatabaseGrants {
    asked: Arc<Asked>,
}

struct Asked {
    pool: SqlitePool,
    query: String,
    rules: Arc<Rules>,
}

/// Why a database cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the grants in {path} cannot be asked for: {source}")]
pub struct DatabaseError {
    path: PathBuf,
    source: sqlx::Error,
}

impl DatabaseGrants {
    /// The grants that this query finds for a pattern `?1`: a holder, or several as in a table, and
    /// perhaps options in a second column. It is tried once.
    ///
    /// # Errors
    /// The database cannot be opened, or does not take the query.
    pub async fn open(path: &Path, query: &str, rules: Arc<Rules>) -> Result<Self, DatabaseError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .create_if_missing(false)
            .busy_timeout(PATIENCE);
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        // As a part of ours it is one statement that only reads, and has a bound.
        let query = query.trim().trim_end_matches(';');
        let query = format!("SELECT * FROM ({query}) LIMIT {}", HOLDERS_MAX + 1);
        let asked = Asked { pool, query, rules };
        match asked.rows("").await {
            Ok(_) => Ok(Self { asked: Arc::new(asked) }),
            Err(source) => Err(DatabaseError { path: path.to_owned(), source }),
        }
    }
}

impl Table for DatabaseGrants {
    fn at_hand(&self, _: &str) -> Option<Entries> {
        None
    }

    fn look_up(&self, key: &str) -> Lookup {
        let (asked, key) = (self.asked.clone(), key.to_owned());
        Box::pin(async move {
            let started = Instant::now();
            let entries = asked.entries(&key).await;
            answer(entries, u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX))
        })
    }
}

impl Asked {
    async fn entries(&self, key: &str) -> Result<Vec<String>, Failure> {
        let query = Query::parse(key, &self.rules).map_err(|_| Failure::Malformed)?;
        for pattern in query.subject.patterns(&self.rules) {
            let grants = self.grants(&pattern).await?;
            if !grants.is_empty() {
                return Ok(query.entries(&pattern, &grants));
            }
        }
        Ok(Vec::new())
    }

    async fn grants(&self, pattern: &str) -> Result<Vec<Grant>, Failure> {
        let rows = self.rows(pattern).await.map_err(|error| {
            tracing::warn!(%error, "the database of grants does not answer");
            Failure::Unreachable
        })?;
        if rows.len() > HOLDERS_MAX {
            tracing::warn!(pattern, "more than {HOLDERS_MAX} rows for one pattern");
            return Err(Failure::TooLarge);
        }
        let mut grants = Vec::new();
        for row in rows {
            let line = line(pattern, &row).ok_or(Failure::Malformed)?;
            let read = GrantTable::read_line(&line, &self.rules).map_err(|error| {
                tracing::warn!(pattern, %error, "a row of the database is no grant");
                Failure::Malformed
            });
            grants.extend(read?);
        }
        Ok(grants)
    }

    async fn rows(&self, pattern: &str) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(AssertSqlSafe(self.query.clone())).bind(pattern).fetch_all(&self.pool).await
    }
}

/// A row as a line of a table: the holder, and the options if there is a second column.
fn line(pattern: &str, row: &SqliteRow) -> Option<String> {
    let holder: String = row.try_get(0).ok()?;
    let options: Option<String> = if row.len() > 1 { row.try_get(1).ok()? } else { None };
    Some(match options.as_deref().map(str::trim) {
        None | Some("") => format!("{pattern} {holder}"),
        Some(options) => format!("{pattern} {holder} [{options}]"),
    })
}
