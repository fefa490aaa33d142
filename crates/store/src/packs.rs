//! Packed cases in the file.
//!
//! What comes in a flood goes into the file packed, and is written out when there is time for it.
//! It is listed, shown and counted like all other cases. As long as some are there, those that
//! come are packed, too: the packed ones are the newest.

use std::io;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Row as _};

use crate::batch::{self, Inserted, Numbered, Scribe, numbered, transaction};
use crate::database::Database;
use crate::encode::Encoded;
use crate::error::Fault;
use crate::pack::{self, Pack};
use crate::packed::FORM;
use crate::part::Parts;
use crate::queue::{BATCH_MAX, BATCH_OCTETS_MAX};
use crate::tally::{Spans, Tally, widen};

/// In how many packs a case with an id is looked for. Few have the same: those of a batch that was
/// put there twice.
const PACKS_WITH_ID_MAX: i64 = 4;

/// A pack of the file.
pub(crate) struct Filed {
    /// The number of its first case; the others follow.
    pub(crate) first: i64,
    cases: i64,
    /// `None` if it is damaged.
    octets: Option<Vec<u8>>,
}

impl Filed {
    /// The packed cases that can be read, the newest first.
    pub(crate) fn newest_first(&self) -> Vec<(i64, &[u8])> {
        let octets = self.octets.as_deref().unwrap_or_default();
        let numbered = pack::cases(octets).enumerate().filter_map(|(place, octets)| {
            Some((self.first.saturating_add(i64::try_from(place).ok()?), octets.ok()?))
        });
        let mut cases: Vec<_> = numbered.collect();
        cases.reverse();
        cases
    }

    /// The cases with their numbers, ready to be written; and how many cannot be read.
    fn encoded(&self, parts: &mut Parts) -> (Vec<(i64, Encoded)>, usize) {
        let encoded: Vec<_> = self
            .newest_first()
            .into_iter()
            .rev()
            .filter_map(|(seq, octets)| Some((seq, Encoded::of(octets, parts).ok()?)))
            .collect();
        let unreadable = usize::try_from(self.cases).unwrap_or_default();
        let unreadable = unreadable.saturating_sub(encoded.len());
        (encoded, unreadable)
    }
}

/// Puts packs behind all cases of the file, and says how many cases that are.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    packs: &[Pack],
) -> Result<usize, sqlx::Error> {
    let mut next = batch::next_number(connection).await?;
    let (mut tally, mut spans, mut cases) = (Tally::default(), Spans::default(), 0);
    for pack in packs {
        let (first, count) = (next, i64::try_from(pack.cases).unwrap_or(i64::MAX));
        next = next.saturating_add(count);
        let sql = "INSERT INTO case_pack (first_seq, cases, form, hour, ids, octets) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let hour = pack.tally.hours().max().unwrap_or_default();
        let query = sqlx::query(sql).bind(first).bind(count).bind(FORM).bind(hour);
        query.bind(&pack.ids).bind(pack.filed()).execute(&mut *connection).await?;
        tally.add(&pack.tally, 1);
        pack.tally.hours().for_each(|hour| widen(&mut spans, hour, (first, next - 1)));
        cases += pack.cases;
    }
    batch::count(connection, &tally).await?;
    batch::span(connection, &spans).await?;
    batch::keep(connection, i64::try_from(cases).unwrap_or(i64::MAX)).await?;
    Ok(cases)
}

/// How many cases are packed.
pub(crate) async fn cases(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let sql = "SELECT CAST(coalesce(sum(cases), 0) AS BIGINT) FROM case_pack WHERE form = $1";
    let cases = sqlx::query_scalar::<_, i64>(sql).bind(FORM).fetch_one(connection).await;
    Ok(unless_older(cases)?.unwrap_or_default().unsigned_abs())
}

/// How many cases wait that another version has packed.
pub(crate) async fn foreign(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT CAST(coalesce(sum(cases), 0) AS BIGINT) FROM case_pack WHERE form <> $1";
    sqlx::query_scalar(sql).bind(FORM).fetch_one(connection).await
}

/// Drops what another version has packed and what came before an hour: what it says, and of whom,
/// nobody can tell.
pub(crate) async fn drop_foreign(
    database: &mut Database,
    before: i64,
) -> Result<bool, sqlx::Error> {
    if foreign(&mut database.connection).await? == 0 {
        return Ok(false);
    }
    let work = async |connection: &mut SqliteConnection| {
        let sql = "SELECT CAST(coalesce(sum(cases), 0) AS BIGINT) FROM case_pack \
                   WHERE form <> $1 AND hour < $2";
        let cases = sqlx::query_scalar(sql).bind(FORM).bind(before);
        let cases: i64 = cases.fetch_one(&mut *connection).await?;
        if cases > 0 {
            Database::overwrite(connection, true).await?;
            let sql = "DELETE FROM case_pack WHERE form <> $1 AND hour < $2";
            let deleted = sqlx::query(sql).bind(FORM).bind(before).execute(&mut *connection).await;
            Database::overwrite(connection, false).await?;
            deleted?;
            batch::keep(connection, -cases).await?;
        }
        Ok(cases)
    };
    let cases = transaction(&mut database.connection, work).await?;
    database.lost += usize::try_from(cases).unwrap_or_default();
    Ok(cases > 0)
}

/// Whether there are any.
pub(crate) async fn are_there(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM case_pack WHERE form = $1 LIMIT 1) AS one";
    let count: i64 = sqlx::query_scalar(sql).bind(FORM).fetch_one(connection).await?;
    Ok(count > 0)
}

/// Whether there are any up to this number.
pub(crate) async fn are_up_to(
    connection: &mut SqliteConnection,
    number: i64,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM case_pack WHERE form = $1 AND first_seq <= $2 \
               LIMIT 1) AS one";
    let count = sqlx::query_scalar::<_, i64>(sql).bind(FORM).bind(number).fetch_one(connection);
    Ok(count.await? > 0)
}

/// The newest pack that begins before this number.
pub(crate) async fn before(
    connection: &mut SqliteConnection,
    before: i64,
) -> Result<Option<Filed>, sqlx::Error> {
    let sql = "SELECT first_seq, cases, octets FROM case_pack \
               WHERE form = $1 AND first_seq < $2 ORDER BY first_seq DESC LIMIT 1";
    let row = sqlx::query(sql).bind(FORM).bind(before).fetch_optional(connection).await;
    unless_older(row)?.flatten().map(|row| filed(&row)).transpose()
}

/// The packs that have a case with this id.
pub(crate) async fn with_id(
    connection: &mut SqliteConnection,
    id: &str,
) -> Result<Vec<Filed>, sqlx::Error> {
    // In PostgreSQL it is `strpos`.
    let sql = "SELECT first_seq, cases, octets FROM case_pack \
               WHERE form = $1 AND instr(ids, $2) > 0 ORDER BY first_seq DESC LIMIT $3";
    let rows = sqlx::query(sql).bind(FORM).bind(format!(" {id} ")).bind(PACKS_WITH_ID_MAX);
    let rows = unless_older(rows.fetch_all(connection).await)?.unwrap_or_default();
    rows.iter().map(filed).collect()
}

/// Writes out the cases that are packed longest, about [`BATCH_MAX`] of them, in a transaction of
/// its own; `false` if there were none. Lost are those that cannot be read, and those that cannot
/// be written, now or ever.
pub(crate) async fn write_out(database: &mut Database) -> Result<bool, sqlx::Error> {
    match attempt(database, false).await {
        Err(error) if Fault::of(&error) == Fault::Content => {
            tracing::error!("a case cannot be written out ({error}); it is done one by one");
            attempt(database, true).await
        }
        attempted => attempted,
    }
}

async fn attempt(database: &mut Database, singly: bool) -> Result<bool, sqlx::Error> {
    let Database { connection, scribe, .. } = database;
    let work = async |connection: &mut _| write_out_some(connection, scribe, singly).await;
    match transaction(connection, work).await {
        Ok(Some((inserted, lost))) => {
            scribe.wrote(inserted);
            database.lost += lost;
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(error) => {
            scribe.forget();
            Err(error)
        }
    }
}

async fn write_out_some(
    connection: &mut SqliteConnection,
    scribe: &mut Scribe,
    singly: bool,
) -> Result<Option<(Inserted, usize)>, sqlx::Error> {
    let (mut cases, mut octets, mut last, mut lost) = (Vec::new(), 0, None, 0);
    while cases.len() < BATCH_MAX
        && octets < BATCH_OCTETS_MAX
        && let Some(filed) = oldest(connection, last).await?
    {
        let (encoded, unreadable) = filed.encoded(&mut scribe.parts);
        if unreadable > 0 {
            tracing::error!(unreadable, "packed cases are damaged");
        }
        cases.extend(encoded);
        lost += unreadable;
        octets += filed.octets.map_or(0, |octets| octets.len());
        last = Some(filed.first);
    }
    let Some(last) = last else { return Ok(None) };
    let (cases, known) = batch::without_known(connection, cases).await?;
    let (inserted, unwritable) = match singly {
        false => (batch::insert(connection, &cases, scribe).await?, Vec::new()),
        true => (Inserted::default(), insert_singly(connection, cases, scribe).await?),
    };
    // All were counted, and what is there already twice.
    let mut uncounted = Tally::default();
    uncounted.add(&Tally::of(known.iter().chain(&unwritable).map(numbered)), -1);
    batch::count(connection, &uncounted).await?;
    lost += unwritable.len();
    let gone = i64::try_from(known.len() + lost).unwrap_or(i64::MAX);
    batch::keep(connection, -gone).await?;
    Database::overwrite(connection, true).await?;
    let sql = "DELETE FROM case_pack WHERE form = $1 AND first_seq <= $2";
    let deleted = sqlx::query(sql).bind(FORM).bind(last).execute(&mut *connection).await;
    Database::overwrite(connection, false).await?;
    deleted.map(|_| Some((inserted, lost)))
}

/// Writes each case by itself, and gives back those that cannot be written.
///
/// # Errors
/// None of them can, and not because of what is in them.
async fn insert_singly(
    connection: &mut SqliteConnection,
    cases: Vec<Numbered>,
    scribe: &mut Scribe,
) -> Result<Vec<Numbered>, sqlx::Error> {
    let (count, mut unwritable, mut last_error) = (cases.len(), Vec::new(), None);
    for case in cases {
        connection.execute("SAVEPOINT one").await?;
        match batch::insert(connection, std::slice::from_ref(&case), scribe).await {
            Ok(_) => {}
            Err(error) if Fault::of(&error) == Fault::Content => {
                connection.execute("ROLLBACK TO one").await?;
                tracing::error!(id = &*case.1.id, "a case cannot be written: {error}");
                unwritable.push(case);
                let is_its_fault = error
                    .as_database_error()
                    .is_some_and(|error| error.is_unique_violation() || error.is_check_violation());
                last_error = Some(error).filter(|_| !is_its_fault).or(last_error);
            }
            Err(error) => return Err(error),
        }
        connection.execute("RELEASE one").await?;
    }
    match last_error {
        Some(error) if unwritable.len() == count => Err(error),
        _ => Ok(unwritable),
    }
}

/// The first pack behind this one.
async fn oldest(
    connection: &mut SqliteConnection,
    behind: Option<i64>,
) -> Result<Option<Filed>, sqlx::Error> {
    let sql = "SELECT first_seq, cases, octets FROM case_pack \
               WHERE form = $1 AND first_seq > $2 ORDER BY first_seq LIMIT 1";
    let row = sqlx::query(sql).bind(FORM).bind(behind.unwrap_or(i64::MIN));
    row.fetch_optional(connection).await?.map(|row| filed(&row)).transpose()
}

/// The number of the last packed case; zero if there is none.
pub(crate) async fn last(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT CAST(coalesce(max(first_seq + cases - 1), 0) AS BIGINT) FROM case_pack";
    sqlx::query_scalar(sql).fetch_one(connection).await
}

fn filed(row: &sqlx::sqlite::SqliteRow) -> Result<Filed, sqlx::Error> {
    let octets: io::Result<Vec<u8>> = pack::unfiled(row.try_get(2)?);
    Ok(Filed { first: row.try_get(0)?, cases: row.try_get(1)?, octets: octets.ok() })
}

/// `None` where the file is of an older version that no writer of ours has opened yet.
fn unless_older<T>(read: Result<T, sqlx::Error>) -> Result<Option<T>, sqlx::Error> {
    match read {
        Err(sqlx::Error::Database(error)) if error.message() == "no such table: case_pack" => {
            Ok(None)
        }
        read => read.map(Some),
    }
}
