//! One batch of cases in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use foldhash::fast::RandomState;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::database::Database;
use crate::encode::{Digest, Encoded, Key};
use crate::known::Known;
use crate::pack::{self, Pack};
use crate::part::{Name, Part, Parts};
use crate::tally::{DOMAINS_A_DAY_MAX, HOUR, Spans, Tally, widen};
use crate::words::CaseWords;
use crate::{packs, row};

/// How many rows a statement writes: as many as there are of the first that fits. Few different
/// statements stay prepared.
const ROWS: &[usize] = &[128, 32, 8, 2, 1];

/// What rows are made with.
pub(crate) struct Scribe {
    pub(crate) key: Key,
    pub(crate) parts: Parts,
    known: Known,
}

/// Under which ids parts are in the file.
pub(crate) type PartIds = HashMap<Name, i64, RandomState>;

/// A case with its number.
pub(crate) type Numbered = (i64, Encoded);

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// How many cases were new.
    pub(crate) cases: usize,
    /// How many could not be read.
    pub(crate) lost: usize,
    /// They are packed.
    pub(crate) packed: bool,
}

/// What has come into the file beside cases.
#[derive(Default)]
pub(crate) struct Inserted {
    parts: PartIds,
    words: Vec<String>,
}

impl Scribe {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, parts: Parts::new(), known: Known::default() }
    }

    /// This is in the file.
    pub(crate) fn wrote(&mut self, Inserted { parts, words }: Inserted) {
        self.known.written(&parts, words);
    }

    /// What was to be in the file is not.
    pub(crate) fn forget(&mut self) {
        self.known = Known::default();
    }
}

/// Writes the cases in a transaction: packed as they are, if many come at once or if others are
/// packed still. A case whose id is known already is not written again.
///
/// # Errors
/// Nothing of the batch is in the file.
pub(crate) async fn write(
    database: &mut Database,
    packs: &[Pack],
    is_flood: bool,
) -> Result<Written, sqlx::Error> {
    let Database { connection, scribe, .. } = database;
    let work = async |connection: &mut SqliteConnection| {
        if is_flood || packs::are_there(connection).await? {
            let cases = packs::put(connection, packs).await?;
            return Ok((Written { cases, lost: 0, packed: true }, Inserted::default()));
        }
        write_whole(connection, packs, scribe).await
    };
    match transaction(connection, work).await {
        Ok((written, inserted)) => {
            scribe.wrote(inserted);
            Ok(written)
        }
        Err(error) => {
            scribe.forget();
            Err(error)
        }
    }
}

async fn write_whole(
    connection: &mut SqliteConnection,
    packs: &[Pack],
    scribe: &mut Scribe,
) -> Result<(Written, Inserted), sqlx::Error> {
    let (mut cases, mut lost) = (Vec::new(), 0);
    for octets in packs.iter().flat_map(|pack| pack::cases(&pack.octets)) {
        match octets.and_then(|octets| Encoded::of(octets, &mut scribe.parts)) {
            Ok(case) => cases.push((0, case)),
            Err(error) => {
                tracing::error!("a packed case cannot be read: {error}");
                lost += 1;
            }
        }
    }
    let (mut cases, _) = without_known(connection, cases).await?;
    let numbers = next_number(connection).await?..;
    cases.iter_mut().zip(numbers).for_each(|(case, number)| case.0 = number);
    let inserted = insert(connection, &cases, scribe).await?;
    count(connection, &Tally::of(cases.iter().map(numbered))).await?;
    keep(connection, i64::try_from(cases.len()).unwrap_or(i64::MAX)).await?;
    Ok((Written { cases: cases.len(), lost, packed: false }, inserted))
}

/// The case without its number.
pub(crate) fn numbered((_, case): &Numbered) -> &Encoded {
    case
}

/// Does this in a transaction; if it fails, nothing of it stays.
pub(crate) async fn transaction<T>(
    connection: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    begin(connection).await?;
    match work(connection).await {
        Ok(done) => commit(connection).await.map(|()| done),
        Err(error) => {
            roll_back(connection).await;
            Err(error)
        }
    }
}

/// Begins a transaction that writes. In PostgreSQL it is `BEGIN` alone.
async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await.map(|_| ())
}

/// Ends a transaction; if that fails, nothing of it stays.
async fn commit(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let committed = connection.execute("COMMIT").await;
    if committed.is_err() {
        roll_back(connection).await;
    }
    committed.map(|_| ())
}

/// Undoes a transaction. SQLite has done so by itself after some errors, and says so then.
async fn roll_back(connection: &mut SqliteConnection) {
    if let Err(error) = connection.execute("ROLLBACK").await {
        tracing::debug!("there was nothing to roll back: {error}");
    }
}

/// The number of the next case.
pub(crate) async fn next_number(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(seq) FROM message_case").fetch_one(&mut *connection).await?;
    Ok(last.unwrap_or_default().max(packs::last(connection).await?).saturating_add(1))
}

/// Writes the cases with all that belongs to them but their counters.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    cases: &[Numbered],
    Scribe { key, known, .. }: &mut Scribe,
) -> Result<Inserted, sqlx::Error> {
    let removals = sqlx::query_scalar("SELECT removals FROM kept");
    known.hold(removals.fetch_one(&mut *connection).await?);
    let encoded: Vec<&Encoded> = cases.iter().map(numbered).collect();
    let parts = insert_parts(connection, &encoded, (key, known)).await?;
    insert_cases(connection, cases, &parts).await?;
    let (mut spans, mut words) = (Spans::default(), Index::default());
    for (seq, case) in cases {
        widen(&mut spans, case.at / HOUR, (*seq, *seq));
        words.add(*seq, &case.words, known);
    }
    span(connection, &spans).await?;
    Ok(Inserted { parts, words: words.index(connection).await? })
}

/// Those of these cases whose ids are neither in the file nor twice among them, and the others.
pub(crate) async fn without_known(
    connection: &mut SqliteConnection,
    cases: Vec<Numbered>,
) -> Result<(Vec<Numbered>, Vec<Numbered>), sqlx::Error> {
    let mut known: HashSet<Arc<str>, RandomState> = HashSet::default();
    for chunk in chunks(&cases) {
        let sql = format!("SELECT id FROM message_case WHERE id IN {}", places(1, chunk.len()));
        let query =
            chunk.iter().fold(prepared(sql), |query, (_, case)| query.bind(case.id.clone()));
        for row in query.fetch_all(&mut *connection).await? {
            known.insert(row.try_get::<String, _>(0)?.into());
        }
    }
    Ok(cases.into_iter().partition(|(_, case)| known.insert(case.id.clone())))
}

/// Writes the parts of these cases that are not there yet, counts the uses of all, and says under
/// which ids they are.
pub(crate) async fn insert_parts(
    connection: &mut SqliteConnection,
    cases: &[&Encoded],
    (key, known): (&Key, &Known),
) -> Result<PartIds, sqlx::Error> {
    let mut uses: HashMap<Name, (&Part, i64), RandomState> =
        HashMap::with_capacity_and_hasher(cases.len(), RandomState::default());
    for part in cases.iter().flat_map(|case| case.parts.all()) {
        uses.entry(part.name).or_insert((part, 0)).1 += 1;
    }
    let mut ids = PartIds::with_capacity_and_hasher(uses.len(), RandomState::default());
    // In order: pages of the index are visited once, and two writers cannot block each other.
    let mut fresh: BTreeMap<Digest, Vec<&Part>> = BTreeMap::new();
    for (name, (part, _)) in &uses {
        match known.part(*name) {
            Some(id) => {
                ids.insert(*name, id);
            }
            None => {
                let digest = key.digest(b'p', part.content.as_bytes());
                fresh.entry(digest).or_default().push(part);
            }
        }
    }
    insert_fresh(connection, &fresh.into_iter().collect::<Vec<_>>(), &mut ids).await?;
    // Two parts of one content have one id.
    let mut uses: Vec<(i64, i64)> = uses
        .iter()
        .map(|(name, (_, uses))| (ids.get(name).copied().unwrap_or_default(), *uses))
        .collect();
    uses.sort_unstable();
    uses.dedup_by(|(id, uses), (before, sum)| {
        let is_same = id == before;
        *sum += if is_same { *uses } else { 0 };
        is_same
    });
    for chunk in chunks(&uses) {
        let sql = format!(
            "INSERT INTO part_use (id, uses) VALUES {} ON CONFLICT (id) DO UPDATE \
             SET uses = part_use.uses + excluded.uses",
            places(chunk.len(), 2)
        );
        let query = chunk.iter().fold(prepared(sql), |query, (id, uses)| query.bind(id).bind(uses));
        query.execute(&mut *connection).await?;
    }
    Ok(ids)
}

/// Writes those of these parts that are not there yet, and notes under which ids all are. They are
/// in the order of their digests; parts of the same digest have the same content.
async fn insert_fresh(
    connection: &mut SqliteConnection,
    parts: &[(Digest, Vec<&Part>)],
    ids: &mut PartIds,
) -> Result<(), sqlx::Error> {
    for chunk in chunks(parts) {
        let sql = format!(
            "INSERT INTO part (digest, content) VALUES {} ON CONFLICT (digest) DO NOTHING",
            places(chunk.len(), 2)
        );
        let query = chunk.iter().fold(prepared(sql), |query, (digest, parts)| {
            query.bind(digest.as_slice()).bind(parts[0].content.clone())
        });
        query.execute(&mut *connection).await?;
        // As one row: each has to come over from SQLite's thread.
        let sql = format!(
            "SELECT string_agg(CAST(id AS TEXT), ' ' ORDER BY digest) FROM part \
             WHERE digest IN {}",
            places(1, chunk.len())
        );
        let query =
            chunk.iter().fold(prepared(sql), |query, (digest, _)| query.bind(digest.as_slice()));
        let found: String = query.fetch_one(&mut *connection).await?.try_get(0)?;
        for ((_, parts), id) in chunk.iter().zip(row::ids(&found)) {
            ids.extend(parts.iter().map(|part| (part.name, id)));
        }
    }
    Ok(())
}

async fn insert_cases(
    connection: &mut SqliteConnection,
    cases: &[Numbered],
    parts: &PartIds,
) -> Result<(), sqlx::Error> {
    for chunk in chunks(cases) {
        let sql = format!(
            "INSERT INTO message_case \
             (hashed, seq, id, public_id, at, nonce, findings, evidence, body) VALUES {}",
            vec!["(0, ?, ?, ?, ?, ?, ?, ?, ?)"; chunk.len()].join(", ")
        );
        let query = chunk.iter().fold(prepared(sql), |query, (seq, case)| {
            query
                .bind(*seq)
                .bind(case.id.clone())
                .bind(&case.public_id)
                .bind(case.at)
                .bind(case.nonce.0.as_slice())
                .bind(column(&case.parts.findings, parts))
                .bind(column(&case.parts.evidence, parts))
                .bind(case.body.clone())
        });
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Words of cases for their index.
#[derive(Default)]
pub(crate) struct Index {
    /// The words of each case by its number: the inside of an object of JSON.
    texts: String,
    /// Words that are found by their beginnings and are not known to be there.
    plain: BTreeSet<String>,
}

impl Index {
    /// Adds those of a case.
    pub(crate) fn add(&mut self, seq: i64, words: &CaseWords, known: &Known) {
        let separator = if self.texts.is_empty() { "" } else { "," };
        // Nothing in words has to be escaped.
        write!(self.texts, "{separator}\"{seq}\":\"{}\"", words.text())
            .expect("a String takes all text");
        for word in words.plain().filter(|word| !known.has_word(word)) {
            if !self.plain.contains(word) {
                self.plain.insert(word.to_owned());
            }
        }
    }

    /// Brings them into the index, and says which words were not known.
    pub(crate) async fn index(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<String>, sqlx::Error> {
        let plain: Vec<String> = self.plain.into_iter().collect();
        for chunk in chunks(&plain) {
            let rows = places(chunk.len(), 1);
            let sql = format!("INSERT INTO word (word) VALUES {rows} ON CONFLICT DO NOTHING");
            let query = chunk.iter().fold(prepared(sql), |query, word| query.bind(word));
            query.execute(&mut *connection).await?;
        }
        // SQLite's own, as all of `case_word`: one statement, whatever number of cases there is.
        // Whenever another begins, FTS5 writes to the file what it has gathered.
        let sql = "INSERT INTO case_word (rowid, words) \
                   SELECT CAST(key AS INTEGER), value FROM json_each($1)";
        let texts = format!("{{{}}}", self.texts);
        sqlx::query(sql).bind(texts).execute(connection).await?;
        Ok(plain)
    }
}

/// Adds to the number of cases that are kept.
pub(crate) async fn keep(connection: &mut SqliteConnection, cases: i64) -> Result<(), sqlx::Error> {
    let sql = "UPDATE kept SET cases = cases + $1";
    sqlx::query(sql).bind(cases).execute(connection).await.map(|_| ())
}

/// Notes which numbers cases of these hours have.
pub(crate) async fn span(
    connection: &mut SqliteConnection,
    spans: &Spans,
) -> Result<(), sqlx::Error> {
    for (hour, (first, last)) in spans {
        // The numbers begin anew when there are no cases left.
        let sql = "INSERT INTO hour_span (hour, first_seq, last_seq, hashed) \
                   VALUES ($1, $2, $3, 0) ON CONFLICT (hour) DO UPDATE SET hashed = 0, \
                   first_seq = CASE WHEN excluded.first_seq < hour_span.first_seq \
                   THEN excluded.first_seq ELSE hour_span.first_seq END, \
                   last_seq = CASE WHEN excluded.last_seq > hour_span.last_seq \
                   THEN excluded.last_seq ELSE hour_span.last_seq END";
        sqlx::query(sql).bind(hour).bind(first).bind(last).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds counters to those of the file.
pub(crate) async fn count(
    connection: &mut SqliteConnection,
    tally: &Tally,
) -> Result<(), sqlx::Error> {
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
        // What was counted and was not to be may have been forgotten meanwhile.
        if known.execute(&mut *connection).await?.rows_affected() > 0 || *cases < 0 {
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

/// The ids of these parts as a column has them.
pub(crate) fn column(of_case: &[Arc<Part>], ids: &PartIds) -> String {
    let mut column = String::with_capacity(of_case.len() * 8);
    for part in of_case {
        if !column.is_empty() {
            column.push(' ');
        }
        let id = ids.get(&part.name).copied().unwrap_or_default();
        write!(column, "{id}").expect("a String takes all text");
    }
    column
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
