//! The words of the newest cases, which the index of words does not have yet.
//!
//! They stand in rows of the file, one for each batch, and are searched there one by one. The
//! writer brings them into the index when there is time for it: for many cases together, and not
//! while mail comes in floods. All of them are newer than all that the index has.

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::batch::{begin, commit, roll_back};
use crate::query::{Comparison, Query};

/// For how many batches words are indexed in a transaction.
const ROWS_STEP: i64 = 4;

/// Has the words of so many cases wait, from a number on.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    first: i64,
    cases: usize,
    words: String,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO word_due (first_seq, cases, words) VALUES ($1, $2, $3)";
    let cases = i64::try_from(cases).unwrap_or(i64::MAX);
    sqlx::query(sql).bind(first).bind(cases).bind(words).execute(connection).await.map(|_| ())
}

/// For how many cases words wait.
pub(crate) async fn cases(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let sql = "SELECT CAST(coalesce(sum(cases), 0) AS BIGINT) FROM word_due";
    let cases: i64 = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(cases.unsigned_abs())
}

/// Brings the words that wait longest into the index, in a transaction of its own.
pub(crate) async fn index(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    begin(connection).await?;
    match index_some(connection).await {
        Ok(_) => commit(connection).await,
        Err(error) => {
            roll_back(connection).await;
            Err(error)
        }
    }
}

/// Brings all words that wait into the index, as a part of a transaction that takes cases or words
/// out of the file.
pub(crate) async fn index_all(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    while index_some(connection).await? > 0 {}
    Ok(())
}

async fn index_some(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    // SQLite's own, as all of `case_word`: one statement, whatever number of cases there is. In
    // their order: what comes before another would have FTS5 write out what it has gathered.
    let sql = "INSERT INTO case_word (rowid, words) SELECT first_seq + key, value FROM \
               (SELECT first_seq, words FROM word_due ORDER BY first_seq LIMIT $1) AS due, \
               json_each(due.words)";
    sqlx::query(sql).bind(ROWS_STEP).execute(&mut *connection).await?;
    let sql = "DELETE FROM word_due WHERE first_seq IN \
               (SELECT first_seq FROM word_due ORDER BY first_seq LIMIT $1)";
    let deleted = sqlx::query(sql).bind(ROWS_STEP).execute(connection).await?;
    Ok(deleted.rows_affected())
}

/// The cases among them that fulfil the query, newest first, and before which number the index of
/// words has the next. There may be more than the limit.
pub(crate) async fn found(
    connection: &mut SqliteConnection,
    query: &Query,
    (from, mut before): (i64, i64),
    limit: usize,
) -> Result<(Vec<i64>, i64), sqlx::Error> {
    let (mut found, comparison) = (Vec::new(), Comparison::with(query));
    while before > from && found.len() < limit {
        let sql = "SELECT first_seq, words FROM word_due WHERE first_seq < $1 \
                   ORDER BY first_seq DESC LIMIT 1";
        let row = sqlx::query(sql).bind(before).fetch_optional(&mut *connection).await?;
        let Some(row) = row else { break };
        let (first, words): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let words: Vec<&str> =
            serde_json::from_str(&words).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let numbered = words.iter().enumerate().rev().map(|(place, words)| {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            (first.saturating_add(place), words)
        });
        let of_span = numbered.filter(|(seq, _)| (from..before).contains(seq));
        let fitting = of_span.filter(|(_, words)| comparison.is_fulfilled_by(words));
        found.extend(fitting.map(|(seq, _)| seq));
        before = first;
    }
    Ok((found, before))
}
