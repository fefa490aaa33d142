//! Everything that is kept of somebody: to hand it over, or to forget it.

use quivive_evidence::Nonce;
use quivive_verdict::Case;
use sqlx::Executor;
use sqlx::sqlite::SqliteConnection;

use crate::age::hashed_local;
use crate::database::Database;
use crate::encode::Key;
use crate::error::Error;
use crate::filter::{Filter, FindingHead, Looked};
use crate::list::{by_seqs, indexed};
use crate::merge::Merge;
use crate::packed::{Glance, Packed};
use crate::packs;
use crate::query::Beginnings;
use crate::read::parts;
use crate::remove::remove;
use crate::retention::Progress;
use crate::row::Row;
use crate::store::Store;

/// How many cases are worked on at a time.
const CASES_STEP: usize = 250;

/// How often it is looked again whether somebody who is to be forgotten has come anew.
const ROUNDS_MAX: usize = 8;

/// Who wants to know, or to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The sender or a recipient, without regard to case; also where it became a hash.
    Address(String),
    /// A domain and those below it: in addresses, HELO and findings.
    Domain(String),
}

impl Store {
    /// Hands over every case of a subject, newest first, without nonces; and says how many.
    ///
    /// # Errors
    /// The file cannot be used, or what it has cannot be read.
    pub async fn export(&self, whom: &Subject, mut each: impl FnMut(Case)) -> Result<u64, Error> {
        let shared = self.shared();
        let mut reading =
            shared.readers()?.acquire().await.map_err(|error| shared.reading(error))?;
        let key = key(&mut reading).await.map_err(|error| shared.reading(error))?;
        let mut count = 0;
        for filter in whom.filters(&key) {
            let mut hand_over = |mut case: Case| {
                case.facts.nonce = Nonce::default();
                each(case);
                count += 1;
            };
            let mut before = i64::MAX;
            while let Some(cases) = packed_step(&mut reading, &filter, &mut before).await? {
                cases.into_iter().for_each(&mut hand_over);
            }
            while let Some(cases) = step(&mut reading, &filter, &mut before).await? {
                cases.into_iter().for_each(|(_, case)| hand_over(case));
            }
        }
        Ok(count)
    }
}

impl Subject {
    /// What finds all that is kept. No case is found by both filters of an address, unless it has
    /// been written to both.
    fn filters(&self, key: &Key) -> Vec<Filter> {
        match self {
            Self::Domain(domain) => {
                vec![Filter { domain: Some(domain.clone()), ..Filter::default() }]
            }
            Self::Address(address) => {
                let hashed = address
                    .rsplit_once('@')
                    .map(|(local, domain)| format!("{}@{domain}", hashed_local(local, key)));
                [Some(address.clone()), hashed]
                    .into_iter()
                    .flatten()
                    .map(|address| Filter { address: Some(address), ..Filter::default() })
                    .collect()
            }
        }
    }
}

/// Forgets a subject, and says how many cases that were. What was packed has been written out.
pub(crate) async fn erase(database: &mut Database, whom: &Subject) -> Result<u64, Error> {
    packs::drop_foreign(database, i64::MAX).await?;
    let mut count = 0;
    for _ in 0..ROUNDS_MAX {
        let Database { connection, scribe, .. } = &mut *database;
        Database::overwrite(connection, true).await?;
        let erased = erase_all(connection, &scribe.key, whom).await;
        Database::overwrite(connection, false).await?;
        count += erased?;
        if !is_packed(connection, &whom.filters(&scribe.key)).await? {
            break;
        }
        // Another process has packed some meanwhile.
        while packs::write_out(database).await? {}
    }
    Ok(count)
}

/// Whether there is a packed case that one of the filters wants.
async fn is_packed(
    connection: &mut SqliteConnection,
    filters: &[Filter],
) -> Result<bool, sqlx::Error> {
    for filter in filters {
        let mut before = i64::MAX;
        while let Some(cases) = packed_step(connection, filter, &mut before).await? {
            if !cases.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn erase_all(
    connection: &mut SqliteConnection,
    key: &Key,
    whom: &Subject,
) -> Result<u64, Error> {
    let mut count = 0;
    for filter in whom.filters(key) {
        let mut before = i64::MAX;
        while let Some(cases) = step(connection, &filter, &mut before).await? {
            let rows: Vec<Row> = cases.into_iter().map(|(row, _)| row).collect();
            remove(connection, &rows).await?;
            count += rows.len() as u64;
        }
    }
    if let Subject::Domain(domain) = whom {
        let domain = quivive_mail::domain::to_ascii(domain);
        let below = format!(".{domain}");
        let sql = "DELETE FROM day_refused WHERE domain = $1 \
                   OR substr(domain, -length($2)) = $2";
        sqlx::query(sql).bind(&domain).bind(&below).execute(&mut *connection).await?;
    }
    let mut merge = Merge::default();
    while merge.step(connection).await? == Progress::More {}
    // What stood in pages that are free now stands in the log no more, nor in the file.
    connection.execute("PRAGMA incremental_vacuum").await?;
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    Ok(count)
}

/// The packed cases of the newest pack before a number that the filter wants; `None` if there are
/// no more packs.
async fn packed_step(
    connection: &mut SqliteConnection,
    filter: &Filter,
    before: &mut i64,
) -> Result<Option<Vec<Case>>, sqlx::Error> {
    let Some(filed) = packs::before(connection, *before).await? else { return Ok(None) };
    *before = filed.first;
    let query = filter.query(&Beginnings::Compared);
    let cases = filed.newest_first().into_iter().filter_map(|(_, octets)| {
        // What cannot be read is the writer's to tell.
        Glance::at(octets).ok().filter(|case| filter.wants_packed(query.as_ref(), case))?;
        Packed::read(octets).and_then(Packed::case).ok()
    });
    Ok(Some(cases.collect()))
}

/// The next cases that the filter wants; `None` at the end.
async fn step(
    connection: &mut SqliteConnection,
    filter: &Filter,
    before: &mut i64,
) -> Result<Option<Vec<(Row, Case)>>, Error> {
    let Some(query) = filter.query(&Beginnings::Compared) else { return Ok(None) };
    let seqs = indexed(connection, &query, (0, *before), CASES_STEP).await?;
    let Some(last) = seqs.last() else { return Ok(None) };
    *before = *last;
    let rows = by_seqs(connection, &seqs).await?;
    let parts = parts(connection, &rows).await?;
    let mut cases = Vec::with_capacity(rows.len());
    for row in rows {
        let case = row.readable(&parts)?;
        let findings: Vec<FindingHead> = case.findings.iter().map(FindingHead::from).collect();
        let looked = Looked { facts: &case.facts, verdict: &case.verdict, findings: &findings };
        if filter.wants(&looked) {
            cases.push((row, case));
        }
    }
    Ok(Some(cases))
}

async fn key(connection: &mut SqliteConnection) -> Result<Key, sqlx::Error> {
    let sql = "SELECT value FROM secret WHERE name = 'key'";
    let key: Vec<u8> = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(Key(key.try_into().map_err(|_| sqlx::Error::RowNotFound)?))
}
