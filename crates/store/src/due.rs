//! The words of the newest cases, which the index of words does not have yet.
//!
//! They stand in rows of the file, one for each batch, and are searched there one by one. The
//! writer brings them into the index when there is time for it: for many cases together, and not
//! while mail comes in floods. All of them are newer than all that the index has.

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::batch::transaction;
use crate::database::Database;
use crate::query::{Comparison, Query};

/// For so many cases words are indexed in a transaction, and for the rest of a row.
const CASES_STEP: i64 = 4096;

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
    let cases = sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await;
    unless_older(cases).map(|cases| cases.unwrap_or_default().unsigned_abs())
}

/// Brings the words that wait longest into the index, in a transaction of its own; `false` if none
/// did.
pub(crate) async fn index(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if cases(connection).await? == 0 {
        return Ok(false);
    }
    transaction(connection, index_and_delete).await
}

async fn index_and_delete(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let Some(last) = index_some(connection).await? else { return Ok(false) };
    Database::overwrite(connection, true).await?;
    let deleted = delete_up_to(connection, last).await;
    Database::overwrite(connection, false).await?;
    deleted.map(|()| true)
}

/// Brings all words that wait into the index, as a part of a transaction that takes cases or words
/// out of the file. Whoever begins one has had [`index`] do almost all of it.
pub(crate) async fn index_all(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    while let Some(last) = index_some(connection).await? {
        delete_up_to(connection, last).await?;
    }
    Ok(())
}

/// Brings the words that wait longest into the index; up to which row.
async fn index_some(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT max(first_seq) FROM (SELECT first_seq, cases, \
               sum(cases) OVER (ORDER BY first_seq) AS sum FROM word_due) AS due \
               WHERE sum - cases < $1";
    let last = sqlx::query_scalar(sql).bind(CASES_STEP).fetch_one(&mut *connection).await?;
    let Some(last) = last else { return Ok(None) };
    if let Err(error) = index_up_to(connection, last).await {
        if drop_unreadable(connection).await? == 0 {
            return Err(error);
        }
        index_up_to(connection, last).await?;
    }
    Ok(Some(last))
}

async fn delete_up_to(connection: &mut SqliteConnection, last: i64) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM word_due WHERE first_seq <= $1";
    sqlx::query(sql).bind(last).execute(connection).await.map(|_| ())
}

async fn index_up_to(connection: &mut SqliteConnection, last: i64) -> Result<(), sqlx::Error> {
    // SQLite's own, as all of `case_word`: one statement, whatever number of cases there is.
    // Whenever another begins, FTS5 writes to the file what it has gathered.
    let sql = "INSERT INTO case_word (rowid, words) SELECT first_seq + key, value \
               FROM word_due, json_each(word_due.words) WHERE first_seq <= $1";
    sqlx::query(sql).bind(last).execute(connection).await.map(|_| ())
}

/// Drops what is no JSON, as after damage that SQLite does not see: it would be in everybody's way.
async fn drop_unreadable(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let sql = "DELETE FROM word_due WHERE NOT json_valid(words)";
    let rows = sqlx::query(sql).execute(connection).await?.rows_affected();
    if rows > 0 {
        tracing::error!(rows, "words of cases are damaged: a search does not find these cases");
    }
    Ok(rows)
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
        let row = sqlx::query(sql).bind(before).fetch_optional(&mut *connection).await;
        let Some(row) = unless_older(row)?.flatten() else { break };
        let (first, words): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        // What cannot be read is the writer's to drop.
        let words: Vec<&str> = serde_json::from_str(&words).unwrap_or_default();
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

/// `None` where the file is of an older version that no writer of ours has opened yet: all its
/// words are in the index.
fn unless_older<T>(read: Result<T, sqlx::Error>) -> Result<Option<T>, sqlx::Error> {
    match read {
        Err(sqlx::Error::Database(error)) if error.message() == "no such table: word_due" => {
            Ok(None)
        }
        read => read.map(Some),
    }
}
