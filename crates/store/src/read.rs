//! Cases one by one.

use std::sync::atomic::Ordering;

use quivive_verdict::Case;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::batch::{chunks, places, prepared};
use crate::error::{Error, Fault};
use crate::packed::Packed;
use crate::packs;
use crate::row::{Contents, Row};
use crate::store::{Shared, Store};
use crate::tally::{DAY, is_refusal};

/// How many days the explanation of a refusal is public, if its case is kept so long.
pub const PUBLIC_DAYS: u32 = 30;

/// The columns of [`Row`], in its order.
pub(crate) const COLUMNS: &str = "seq, id, nonce, findings, evidence, body";

impl Store {
    /// The case with this id, with its nonce.
    ///
    /// # Errors
    /// The file cannot be used, or what it has cannot be read.
    pub async fn case(&self, id: &str) -> Result<Option<Case>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM message_case WHERE id = $1");
        self.shared().one(&sql, id, |case| case.facts.case_id == id).await
    }

    /// The case of a refusal whose explanation is published under this id, as long as it is.
    ///
    /// # Errors
    /// The file cannot be used, or what it has cannot be read.
    pub async fn public_case(&self, public_id: &str) -> Result<Option<Case>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM message_case WHERE public_id = $1");
        let is_it = |case: &Packed<'_>| {
            case.facts.public_id == public_id && is_refusal(case.verdict.action)
        };
        let case = self.shared().one(&sql, public_id, is_it).await?;
        let days = u64::from(PUBLIC_DAYS.min(self.shared().settings.retain_days));
        let since = self.shared().now().saturating_sub(days * DAY.unsigned_abs());
        Ok(case.filter(|case| case.facts.now >= since))
    }
}

impl Shared {
    async fn one(
        &self,
        sql: &str,
        id: &str,
        is_it: impl Fn(&Packed<'_>) -> bool,
    ) -> Result<Option<Case>, Error> {
        let mut reading = self.readers()?.begin().await.map_err(|error| self.reading(error))?;
        let row = prepared(sql.to_owned()).bind(id).fetch_optional(&mut *reading).await;
        let Some(row) = row.map_err(|error| self.reading(error))? else {
            let packed = packed(&mut reading, id, is_it).await;
            return packed.map_err(|error| self.reading(error));
        };
        let rows = vec![Row::of(&row)?];
        let parts = parts(&mut reading, &rows).await.map_err(|error| self.reading(error))?;
        rows[0].readable(&parts).map(Some)
    }

    /// Notes what a reader met: damage is the writer's to look into.
    pub(crate) fn reading(&self, error: sqlx::Error) -> Error {
        if Fault::of(&error) == Fault::Damage {
            self.suspect.store(true, Ordering::Relaxed);
            self.queue.filled.notify_one();
        }
        Error::Database(error)
    }
}

impl Row {
    /// A row with [`COLUMNS`].
    pub(crate) fn of(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get(0)?,
            id: row.try_get(1)?,
            nonce: row.try_get(2)?,
            findings: row.try_get(3)?,
            evidence: row.try_get(4)?,
            body: row.try_get(5)?,
        })
    }

    /// The case, or an error that names it.
    pub(crate) fn readable(&self, parts: &Contents) -> Result<Case, Error> {
        self.case(parts).map_err(|text| Error::Unreadable { id: self.id.clone(), text })
    }
}

/// The packed case with this id that is it.
async fn packed(
    connection: &mut SqliteConnection,
    id: &str,
    is_it: impl Fn(&Packed<'_>) -> bool,
) -> Result<Option<Case>, sqlx::Error> {
    for filed in packs::with_id(connection, id).await? {
        for (_, octets) in filed.newest_first() {
            // What cannot be read is the writer's to tell.
            if let Some(case) = Packed::read(octets).ok().filter(&is_it) {
                return Ok(case.case().ok());
            }
        }
    }
    Ok(None)
}

/// The parts of these rows.
pub(crate) async fn parts(
    connection: &mut SqliteConnection,
    rows: &[Row],
) -> Result<Contents, sqlx::Error> {
    read_parts(connection, rows.iter().flat_map(Row::part_ids).collect()).await
}

/// The parts with these ids.
pub(crate) async fn read_parts(
    connection: &mut SqliteConnection,
    mut ids: Vec<i64>,
) -> Result<Contents, sqlx::Error> {
    ids.sort_unstable();
    ids.dedup();
    let mut parts = Contents::with_capacity(ids.len());
    for chunk in chunks(&ids) {
        let sql = format!("SELECT id, content FROM part WHERE id IN {}", places(1, chunk.len()));
        let query = chunk.iter().fold(prepared(sql), |query, id| query.bind(id));
        for row in query.fetch_all(&mut *connection).await? {
            parts.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(parts)
}
