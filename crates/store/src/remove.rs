//! Taking cases out of the file.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteConnection;

use crate::batch::{chunks, places, prepared, transaction};
use crate::query::Query;
use crate::row::Row;

/// Removes these cases with the parts that nobody else uses, in a transaction of its own. Counters
/// stay.
pub(crate) async fn remove(
    connection: &mut SqliteConnection,
    rows: &[Row],
) -> Result<(), sqlx::Error> {
    transaction(connection, async |connection| remove_all(connection, rows).await).await
}

async fn remove_all(connection: &mut SqliteConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    for table in ["case_word WHERE rowid", "message_case WHERE seq"] {
        for chunk in chunks(&seqs) {
            let sql = format!("DELETE FROM {table} IN {}", places(1, chunk.len()));
            let query = chunk.iter().fold(prepared(sql), |query, seq| query.bind(seq));
            query.execute(&mut *connection).await?;
        }
    }
    let sql = "UPDATE kept SET cases = cases - $1, removals = removals + 1";
    let removed = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    sqlx::query(sql).bind(removed).execute(&mut *connection).await?;
    forget(connection, rows.iter().flat_map(Row::plain_words).collect()).await?;
    release(connection, rows.iter().flat_map(Row::part_ids).collect()).await
}

/// Forgets those of these words that no case has any more.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    words: BTreeSet<String>,
) -> Result<(), sqlx::Error> {
    let mut unused = Vec::new();
    for word in words {
        // SQLite's own.
        let sql = "SELECT rowid FROM case_word WHERE case_word MATCH $1 LIMIT 1";
        let query = sqlx::query_scalar::<_, i64>(sql).bind(Query::Word(word.clone()).to_string());
        if query.fetch_optional(&mut *connection).await?.is_none() {
            unused.push(word);
        }
    }
    for chunk in chunks(&unused) {
        let sql = format!("DELETE FROM word WHERE word IN {}", places(1, chunk.len()));
        let query = chunk.iter().fold(prepared(sql), |query, word| query.bind(word));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Counts uses of parts that are no more; what has none left goes.
pub(crate) async fn release(
    connection: &mut SqliteConnection,
    ids: Vec<i64>,
) -> Result<(), sqlx::Error> {
    let mut uses: BTreeMap<i64, i64> = BTreeMap::new();
    for id in ids {
        *uses.entry(id).or_default() += 1;
    }
    let mut by_uses: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (id, uses) in uses {
        by_uses.entry(uses).or_default().push(id);
    }
    for (uses, ids) in by_uses {
        for chunk in chunks(&ids) {
            let places = places(1, chunk.len());
            for sql in [
                // A number of ours, not a text.
                format!("UPDATE part_use SET uses = uses - {uses} WHERE id IN {places}"),
                format!(
                    "DELETE FROM part WHERE id IN \
                     (SELECT id FROM part_use WHERE uses <= 0 AND id IN {places})"
                ),
                format!("DELETE FROM part_use WHERE uses <= 0 AND id IN {places}"),
            ] {
                let query = chunk.iter().fold(prepared(sql), |query, id| query.bind(id));
                query.execute(&mut *connection).await?;
            }
        }
    }
    Ok(())
}
