//! How long cases are kept: by age, by size. In small steps, so that nobody waits for long.

use sqlx::Executor;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::batch::prepared;
use crate::database::Database;
use crate::packs;
use crate::read::COLUMNS;
use crate::remove::remove;
use crate::row::Row;
use crate::store::Settings;
use crate::tally::{DAY, HOUR};

/// How many cases a step removes.
const CASES_STEP: i64 = 500;

/// How many pages a step gives back to the file system.
const PAGES_STEP: u32 = 1024;

/// So many free pages stay: the next cases need them.
const PAGES_FREE_MAX: i64 = 256;

/// How many days counters are kept: they say nothing of anybody, and are small.
const COUNTERS_DAYS: i64 = 800;

/// Octets of a MiB.
const MIB: u64 = 1024 * 1024;

/// Whether there is more to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Done,
}

/// One step towards the bounds.
pub(crate) async fn step(
    database: &mut Database,
    settings: &Settings,
    now: u64,
) -> Result<Progress, sqlx::Error> {
    let cutoff = cutoff(now, settings.retain_days);
    if packs::drop_foreign(database, foreign_cutoff(now, settings)).await?
        || remove_old(database, cutoff).await?
        || remove_beyond_size(database, settings).await?
    {
        return Ok(Progress::More);
    }
    let connection = &mut database.connection;
    let free = pragma(connection, "PRAGMA freelist_count").await?;
    if free > PAGES_FREE_MAX {
        let sql = format!("PRAGMA incremental_vacuum({PAGES_STEP})");
        prepared(sql).fetch_all(&mut *connection).await?;
        if pragma(connection, "PRAGMA freelist_count").await? < free {
            return Ok(Progress::More);
        }
    }
    remove_counters(connection, cutoff, now).await?;
    // The file shrinks with it.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    Ok(Progress::Done)
}

/// The time of the oldest case that is left, by the hour in which it came.
pub(crate) async fn oldest(connection: &mut SqliteConnection) -> Result<Option<u64>, sqlx::Error> {
    let sql = "SELECT at FROM message_case ORDER BY seq LIMIT 1";
    let oldest: Option<i64> = sqlx::query_scalar(sql).fetch_optional(connection).await?;
    Ok(oldest.map(i64::unsigned_abs))
}

/// What came before this time is older than so many days.
pub(crate) fn cutoff(now: u64, days: u32) -> i64 {
    i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(i64::from(days) * DAY)
}

/// Before which hour nobody's addresses may be left, as far as they can be told.
fn foreign_cutoff(now: u64, settings: &Settings) -> i64 {
    let Settings { retain_days, hash_addresses_after_days: hash, .. } = settings;
    let days = if *hash > 0 { *retain_days.min(hash) } else { *retain_days };
    cutoff(now, days).div_euclid(HOUR)
}

/// Whole hours at a time: the clock may have been set back, so that numbers are not in the order of
/// time.
async fn remove_old(database: &mut Database, cutoff: i64) -> Result<bool, sqlx::Error> {
    let sql =
        "SELECT hour, first_seq, last_seq FROM hour_span WHERE hour < $1 ORDER BY hour LIMIT 1";
    let hour = sqlx::query(sql).bind(cutoff.div_euclid(HOUR));
    let hour = hour.fetch_optional(&mut database.connection);
    let Some(hour) = hour.await? else { return Ok(false) };
    let (hour, first, last): (i64, i64, i64) =
        (hour.try_get(0)?, hour.try_get(1)?, hour.try_get(2)?);
    if packs::are_up_to(&mut database.connection, last).await? {
        return packs::write_out(database).await;
    }
    let connection = &mut database.connection;
    let sql = format!(
        "SELECT {COLUMNS} FROM message_case WHERE seq BETWEEN $1 AND $2 AND at < $3 \
         ORDER BY seq LIMIT {CASES_STEP}"
    );
    let rows = prepared(sql).bind(first).bind(last).bind((hour + 1) * HOUR);
    let rows = rows.fetch_all(&mut *connection).await?;
    let rows: Vec<Row> = rows.iter().map(Row::of).collect::<Result<_, _>>()?;
    remove(connection, &rows).await?;
    if (rows.len() as i64) < CASES_STEP {
        let sql = "DELETE FROM hour_span WHERE hour = $1";
        sqlx::query(sql).bind(hour).execute(connection).await?;
    }
    Ok(true)
}

/// The oldest make room, in the order in which they were written.
async fn remove_beyond_size(
    database: &mut Database,
    settings: &Settings,
) -> Result<bool, sqlx::Error> {
    let connection = &mut database.connection;
    let pages = pragma(connection, "PRAGMA page_count").await?
        - pragma(connection, "PRAGMA freelist_count").await?;
    let octets = pages * pragma(connection, "PRAGMA page_size").await?;
    if octets.unsigned_abs() <= settings.retain_mib.saturating_mul(MIB) {
        return Ok(false);
    }
    if packs::drop_foreign(database, i64::MAX).await? {
        return Ok(true);
    }
    // To write out what is packed takes room: first goes what is older.
    let connection = &mut database.connection;
    let sql = format!("SELECT {COLUMNS} FROM message_case ORDER BY seq LIMIT {CASES_STEP}");
    let rows = prepared(sql).fetch_all(&mut *connection).await?;
    let rows: Vec<Row> = rows.iter().map(Row::of).collect::<Result<_, _>>()?;
    if rows.is_empty() {
        return packs::write_out(database).await;
    }
    remove(connection, &rows).await?;
    Ok(true)
}

async fn remove_counters(
    connection: &mut SqliteConnection,
    cutoff: i64,
    now: u64,
) -> Result<(), sqlx::Error> {
    let hour = i64::try_from(now).unwrap_or(i64::MAX) / HOUR - COUNTERS_DAYS * 24;
    for sql in
        ["DELETE FROM hour_action WHERE hour < $1", "DELETE FROM hour_finding WHERE hour < $1"]
    {
        sqlx::query(sql).bind(hour).execute(&mut *connection).await?;
    }
    // These name domains.
    let sql = "DELETE FROM day_refused WHERE day < $1";
    sqlx::query(sql).bind(cutoff.div_euclid(DAY)).execute(connection).await?;
    Ok(())
}

/// A number that SQLite says of the file.
async fn pragma(connection: &mut SqliteConnection, sql: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(connection).await
}
