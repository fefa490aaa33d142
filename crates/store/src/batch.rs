//! One batch of cases in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::encode::{self, Digest, Encoded, Part};
use crate::tally::{DOMAINS_A_DAY_MAX, Tally};

/// How many rows a statement writes: as many as there are of the first that fits. Few different
/// statements stay prepared.
const ROWS: &[usize] = &[128, 32, 8, 2, 1];

/// Writes the cases, and says how many were new: an id that is known already is not written again.
///
/// # Errors
/// Nothing of the batch is in the file.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    cases: &[Encoded],
) -> Result<usize, sqlx::Error> {
    begin(connection).await?;
    match insert(connection, cases).await {
        Ok(written) => {
            commit(connection).await?;
            Ok(written)
        }
        Err(error) => {
            roll_back(connection).await;
            Err(error)
        }
    }
}

/// Begins a transaction that writes. In PostgreSQL it is `BEGIN` alone.
pub(crate) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await.map(|_| ())
}

/// Ends a transaction; if that fails, nothing of it stays.
pub(crate) async fn commit(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let committed = connection.execute("COMMIT").await;
    if committed.is_err() {
        roll_back(connection).await;
    }
    committed.map(|_| ())
}

/// Undoes a transaction. SQLite has done so by itself after some errors, and says so then.
pub(crate) async fn roll_back(connection: &mut SqliteConnection) {
    if let Err(error) = connection.execute("ROLLBACK").await {
        tracing::debug!("there was nothing to roll back: {error}");
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    cases: &[Encoded],
) -> Result<usize, sqlx::Error> {
    let new = without_known(connection, cases).await?;
    if new.is_empty() {
        return Ok(0);
    }
    let part_ids = insert_parts(connection, &new).await?;
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(seq) FROM message_case").fetch_one(&mut *connection).await?;
    let first = last.unwrap_or_default() + 1;
    let numbered: Vec<(i64, &Encoded)> = (first..).zip(new).collect();
    insert_cases(connection, &numbered, &part_ids).await?;
    insert_words(connection, &numbered).await?;
    let mut tally = Tally::default();
    for (seq, case) in &numbered {
        tally.add(case.at, *seq, &case.counted);
    }
    count(connection, &tally).await?;
    let sql = "UPDATE kept SET cases = cases + $1";
    let written = i64::try_from(numbered.len()).unwrap_or(i64::MAX);
    sqlx::query(sql).bind(written).execute(connection).await?;
    Ok(numbered.len())
}

/// The cases whose ids are neither in the file nor twice in the batch.
async fn without_known<'c>(
    connection: &mut SqliteConnection,
    cases: &'c [Encoded],
) -> Result<Vec<&'c Encoded>, sqlx::Error> {
    let mut known = HashSet::new();
    for chunk in chunks(cases) {
        let sql = format!("SELECT id FROM message_case WHERE id IN {}", places(1, chunk.len()));
        let query = chunk.iter().fold(prepared(sql), |query, case| query.bind(&case.id));
        for row in query.fetch_all(&mut *connection).await? {
            known.insert(row.try_get::<String, _>(0)?);
        }
    }
    Ok(cases.iter().filter(|case| known.insert(case.id.clone())).collect())
}

/// Writes what is not there yet, counts the uses, and says under which ids all parts are.
pub(crate) async fn insert_parts(
    connection: &mut SqliteConnection,
    cases: &[&Encoded],
) -> Result<HashMap<Digest, i64>, sqlx::Error> {
    // In order: pages of the index are visited once, and two writers cannot block each other.
    let mut uses: BTreeMap<Digest, (i64, &Part)> = BTreeMap::new();
    for part in cases.iter().flat_map(|case| case.parts()) {
        uses.entry(part.digest).or_insert((0, part)).0 += 1;
    }
    let parts: Vec<(i64, &Part)> = uses.into_values().collect();
    let mut ids = HashMap::with_capacity(parts.len());
    for chunk in chunks(&parts) {
        let sql = format!(
            "INSERT INTO part (digest, uses, content) VALUES {} ON CONFLICT (digest) DO UPDATE \
             SET uses = part.uses + excluded.uses",
            places(chunk.len(), 3)
        );
        let query = chunk.iter().fold(prepared(sql), |query, (uses, part)| {
            query.bind(part.digest.as_slice()).bind(uses).bind(&part.content)
        });
        query.execute(&mut *connection).await?;
        // As one row: each has to come over from SQLite's thread.
        let sql = format!(
            "SELECT string_agg(CAST(id AS TEXT), ' ' ORDER BY digest) FROM part \
             WHERE digest IN {}",
            places(1, chunk.len())
        );
        let query =
            chunk.iter().fold(prepared(sql), |query, (_, part)| query.bind(part.digest.as_slice()));
        let found: String = query.fetch_one(&mut *connection).await?.try_get(0)?;
        // The chunk is in the order of the digests.
        let found = chunk.iter().map(|(_, part)| part.digest).zip(encode::ids(&found));
        ids.extend(found);
    }
    Ok(ids)
}

async fn insert_cases(
    connection: &mut SqliteConnection,
    cases: &[(i64, &Encoded)],
    part_ids: &HashMap<Digest, i64>,
) -> Result<(), sqlx::Error> {
    for chunk in chunks(cases) {
        let sql = format!(
            "INSERT INTO message_case \
             (seq, id, public_id, at, nonce, hashed, findings, evidence, body) VALUES {}",
            places(chunk.len(), 9)
        );
        let query = chunk.iter().fold(prepared(sql), |query, (seq, case)| {
            query
                .bind(seq)
                .bind(&case.id)
                .bind(&case.public_id)
                .bind(case.at)
                .bind(case.nonce.as_slice())
                .bind(0)
                .bind(column(&case.findings, part_ids))
                .bind(column(&case.evidence, part_ids))
                .bind(&case.body)
        });
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// SQLite's own, as all of `case_word`.
pub(crate) async fn insert_words(
    connection: &mut SqliteConnection,
    cases: &[(i64, &Encoded)],
) -> Result<(), sqlx::Error> {
    for chunk in chunks(cases) {
        let sql = format!("INSERT INTO case_word (rowid, words) VALUES {}", places(chunk.len(), 2));
        let query = chunk
            .iter()
            .fold(prepared(sql), |query, (seq, case)| query.bind(seq).bind(case.words.text()));
        query.execute(&mut *connection).await?;
    }
    let plain: BTreeSet<&String> = cases.iter().flat_map(|(_, case)| case.words.plain()).collect();
    let plain: Vec<&String> = plain.into_iter().collect();
    for chunk in chunks(&plain) {
        let rows = places(chunk.len(), 1);
        let sql = format!("INSERT INTO word (word) VALUES {rows} ON CONFLICT DO NOTHING");
        let query = chunk.iter().fold(prepared(sql), |query, word| query.bind(*word));
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds the counters of a batch to those of the file.
async fn count(connection: &mut SqliteConnection, tally: &Tally) -> Result<(), sqlx::Error> {
    for (hour, (first, last)) in &tally.spans {
        // The numbers begin anew when there are no cases left.
        let sql = "INSERT INTO hour_span (hour, first_seq, last_seq, hashed) \
                   VALUES ($1, $2, $3, 0) ON CONFLICT (hour) DO UPDATE SET hashed = 0, \
                   first_seq = CASE WHEN excluded.first_seq < hour_span.first_seq \
                   THEN excluded.first_seq ELSE hour_span.first_seq END, \
                   last_seq = CASE WHEN excluded.last_seq > hour_span.last_seq \
                   THEN excluded.last_seq ELSE hour_span.last_seq END";
        sqlx::query(sql).bind(hour).bind(first).bind(last).execute(&mut *connection).await?;
    }
    for ((hour, action), cases) in &tally.actions {
        let sql = "INSERT INTO hour_action (hour, action, cases) VALUES ($1, $2, $3) ON CONFLICT \
                   (hour, action) DO UPDATE SET cases = hour_action.cases + excluded.cases";
        let query = sqlx::query(sql).bind(hour).bind(action.word()).bind(cases);
        query.execute(&mut *connection).await?;
    }
    for ((hour, method, identity, result), findings) in &tally.findings {
        let sql = "INSERT INTO hour_finding (hour, method, identity, result, findings) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (hour, method, identity, result) DO \
                   UPDATE SET findings = hour_finding.findings + excluded.findings";
        let query = sqlx::query(sql).bind(hour).bind(method.word()).bind(identity.word());
        query.bind(result.word()).bind(findings).execute(&mut *connection).await?;
    }
    count_refused(connection, tally).await
}

/// Names that nobody knew before are counted by name as long as the day has room for names.
async fn count_refused(
    connection: &mut SqliteConnection,
    tally: &Tally,
) -> Result<(), sqlx::Error> {
    let mut names: HashMap<i64, i64> = HashMap::new();
    for ((day, domain), cases) in &tally.refused {
        let known = "UPDATE day_refused SET cases = cases + $3 WHERE day = $1 AND domain = $2";
        let known = sqlx::query(known).bind(day).bind(domain).bind(cases);
        if known.execute(&mut *connection).await?.rows_affected() > 0 {
            continue;
        }
        let names = match names.entry(*day) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                let sql = "SELECT count(*) FROM day_refused WHERE day = $1";
                entry.insert(sqlx::query_scalar(sql).bind(day).fetch_one(&mut *connection).await?)
            }
        };
        *names += 1;
        let domain = if *names <= DOMAINS_A_DAY_MAX { domain } else { "" };
        let sql = "INSERT INTO day_refused (day, domain, cases) VALUES ($1, $2, $3) ON CONFLICT \
                   (day, domain) DO UPDATE SET cases = day_refused.cases + excluded.cases";
        let query = sqlx::query(sql).bind(day).bind(domain).bind(cases);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The ids of parts as a column has them.
pub(crate) fn column(parts: &[Part], ids: &HashMap<Digest, i64>) -> String {
    let ids: Vec<String> =
        parts.iter().filter_map(|part| Some(ids.get(&part.digest)?.to_string())).collect();
    ids.join(" ")
}

/// Slices of the lengths in [`ROWS`].
pub(crate) fn chunks<T>(mut items: &[T]) -> Vec<&[T]> {
    let mut chunks = Vec::new();
    while let Some(rows) = ROWS.iter().copied().find(|rows| *rows <= items.len()) {
        let (chunk, rest) = items.split_at(rows);
        chunks.push(chunk);
        items = rest;
    }
    chunks
}

/// `(?, ?), (?, ?)`. SQLite looks for the name of a numbered place among all of them; for
/// PostgreSQL they would be numbered.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// A statement made of our own text and places.
pub(crate) fn prepared<'q>(sql: String) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(AssertSqlSafe(sql))
}
