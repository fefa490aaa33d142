//! The list of cases, newest first.

use std::collections::HashMap;
use std::net::IpAddr;

use quivive_evidence::{Facts, FindingResult, Identity, Method};
use quivive_verdict::{Action, Verdict};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::batch::{chunks, places, prepared};
use crate::error::Error;
use crate::filter::{Cursor, Filter, FindingHead, LIMIT_MAX};
use crate::packed::Glance;
use crate::packs;
use crate::query::{BEGINNINGS_MAX, Beginnings, Query, last_words};
use crate::read::{COLUMNS, read_parts};
use crate::row::{Contents, Row, read_all};
use crate::store::Store;
use crate::tally::HOUR;

/// How many recipients a line names.
pub const RECIPIENTS_SHOWN: usize = 3;

/// How many cases are looked at for a page. What the index of words cannot tell, such as a narrow
/// network or a substring, may need many; then the page is short, and has a next one.
pub(crate) const LOOKED_AT_MAX: usize = 2000;

/// Lines of the list, and where it goes on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The lines, newest first. There may be fewer than the limit although there is a next page.
    pub lines: Vec<CaseLine>,
    /// The `before` of the next page, if there may be more.
    pub next: Option<Cursor>,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseLine {
    /// Its id.
    pub id: String,
    /// When the message came, in seconds since 1970.
    pub at: u64,
    /// Which door it came in by.
    pub door: String,
    /// The client's address.
    pub client: IpAddr,
    /// The argument of HELO or EHLO.
    pub helo: String,
    /// The reverse-path; empty for the null reverse-path.
    pub reverse_path: String,
    /// Under which name the client had logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The first [`RECIPIENTS_SHOWN`] recipients.
    pub recipients: Vec<String>,
    /// How many recipients there are.
    pub recipients_count: usize,
    /// What was done.
    pub action: Action,
    /// The code of the verdict's reply.
    pub code: u16,
    /// The findings.
    pub findings: Vec<FindingLine>,
    /// What became of the message: the reply that its client heard last.
    pub outcome: String,
}

/// A finding in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingLine {
    /// The method.
    pub method: Method,
    /// The identity that was judged.
    pub identity: Identity,
    /// The result.
    pub result: FindingResult,
    /// The domain that was asked.
    pub domain: String,
    /// Why.
    pub cause: String,
}

/// What of a body is listed.
#[derive(Deserialize)]
struct Listed {
    facts: Facts,
    door: String,
    verdict: Verdict,
    outcome: String,
}

/// Between which numbers cases can be; none, if it ends before it begins.
#[derive(Clone, Copy)]
struct Span {
    /// The first.
    from: i64,
    /// Behind the last.
    before: i64,
}

impl Store {
    /// The cases that the filter wants, newest first: those that were written last.
    ///
    /// # Errors
    /// The file cannot be used, or what it has cannot be read.
    pub async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        let shared = self.shared();
        let mut reading = shared.readers()?.begin().await.map_err(|error| shared.reading(error))?;
        let page = page(&mut reading, filter).await;
        page.map_err(|error| match error {
            Error::Database(error) => shared.reading(error),
            error => error,
        })
    }
}

async fn page(connection: &mut SqliteConnection, filter: &Filter) -> Result<Page, Error> {
    let limit = filter.limit.clamp(1, LIMIT_MAX) as usize;
    let Some(mut span) = span(connection, filter).await? else {
        return Ok(Page { lines: Vec::new(), next: None });
    };
    let beginnings = beginnings(connection, filter, &mut span).await?;
    let mut lines = Vec::new();
    if packed_lines(connection, filter, &mut span, &mut lines).await? {
        lines.truncate(limit);
        return Ok(Page { lines, next: Some(cursor(span.before)) });
    }
    let query = filter.query(&beginnings);
    let mut looked_at = 0;
    // One more than the page has says whether there is another.
    let mut wanted = limit + 1;
    loop {
        let rows = rows(connection, query.as_ref(), span, wanted).await?;
        let is_end = rows.len() < wanted;
        for (row, heads) in with_heads(connection, rows).await? {
            let line = line(&row, heads, filter)?;
            if line.is_some() && lines.len() == limit {
                return Ok(Page { lines, next: Some(cursor(span.before)) });
            }
            lines.extend(line);
            span.before = row.seq;
            looked_at += 1;
        }
        if is_end {
            return Ok(Page { lines, next: None });
        }
        if looked_at >= LOOKED_AT_MAX {
            return Ok(Page { lines, next: Some(cursor(span.before)) });
        }
        wanted = (wanted * 2).min(LIMIT_MAX as usize);
    }
}

/// Adds packed cases that the filter wants, until there are more than fit on a page: then `true`.
/// In the end the span is that of those that are not packed, or of those behind the page.
async fn packed_lines(
    connection: &mut SqliteConnection,
    filter: &Filter,
    span: &mut Span,
    lines: &mut Vec<CaseLine>,
) -> Result<bool, Error> {
    let limit = filter.limit.clamp(1, LIMIT_MAX) as usize;
    let query = filter.query(&Beginnings::Compared);
    while span.before > span.from
        && let Some(filed) = packs::before(connection, span.before).await?
    {
        for (seq, octets) in filed.newest_first() {
            if !(span.from..span.before).contains(&seq) {
                continue;
            }
            // What cannot be read is the writer's to tell.
            let glance = Glance::at(octets).ok();
            let glance = glance.filter(|case| filter.wants_packed(query.as_ref(), case));
            let line = glance.map(CaseLine::from);
            if line.is_some() && lines.len() == limit {
                return Ok(true);
            }
            lines.extend(line);
            span.before = seq;
        }
        span.before = span.before.min(filed.first);
    }
    Ok(false)
}

/// The words that begin as the search text's do. Where a term is the id of a case, there is no
/// other case to look at.
async fn beginnings(
    connection: &mut SqliteConnection,
    filter: &Filter,
    span: &mut Span,
) -> Result<Beginnings, sqlx::Error> {
    let mut known = HashMap::new();
    for (term, beginning) in filter.text.iter().flat_map(|text| last_words(text)) {
        let sql = "SELECT seq FROM message_case WHERE id = $1";
        let seq = sqlx::query_scalar(sql).bind(&term).fetch_optional(&mut *connection).await?;
        if let Some(seq) = seq.filter(|_| term == beginning) {
            *span = Span { from: span.from.max(seq), before: span.before.min(seq + 1) };
            known.insert(beginning, None);
            continue;
        }
        let sql = "SELECT word FROM word WHERE word >= $1 AND word < $2 LIMIT $3";
        // No word has a character behind the last one.
        let words = sqlx::query_scalar(sql).bind(&beginning).bind(format!("{beginning}\u{10ffff}"));
        let limit = i64::try_from(BEGINNINGS_MAX + 1).unwrap_or(i64::MAX);
        let words: Vec<String> = words.bind(limit).fetch_all(&mut *connection).await?;
        known.insert(beginning, Some(words).filter(|words| words.len() <= BEGINNINGS_MAX));
    }
    Ok(Beginnings::Known(known))
}

fn cursor(seq: i64) -> Cursor {
    Cursor(seq.unsigned_abs())
}

/// Where cases of the filter's time are; `None`: nowhere.
async fn span(
    connection: &mut SqliteConnection,
    filter: &Filter,
) -> Result<Option<Span>, sqlx::Error> {
    let before = filter.before.and_then(|cursor| i64::try_from(cursor.0).ok()).unwrap_or(i64::MAX);
    if filter.since.is_none() && filter.until.is_none() {
        return Ok(Some(Span { from: 0, before }));
    }
    let hour = |time: u64| i64::try_from(time).unwrap_or(i64::MAX) / HOUR;
    let sql = "SELECT min(first_seq), max(last_seq) FROM hour_span WHERE hour BETWEEN $1 AND $2";
    let row = sqlx::query(sql)
        .bind(filter.since.map_or(0, hour))
        .bind(filter.until.map_or(i64::MAX, hour))
        .fetch_one(connection)
        .await?;
    let (first, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(first.zip(last).map(|(from, last)| Span { from, before: before.min(last + 1) }))
}

async fn rows(
    connection: &mut SqliteConnection,
    query: Option<&Query>,
    span: Span,
    limit: usize,
) -> Result<Vec<Row>, sqlx::Error> {
    let Some(query) = query else {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM message_case WHERE seq >= $1 AND seq < $2 \
             ORDER BY seq DESC LIMIT $3"
        );
        let rows = prepared(sql).bind(span.from).bind(span.before).bind(limit);
        return rows.fetch_all(connection).await?.iter().map(Row::of).collect();
    };
    let seqs = indexed(connection, query, (span.from, span.before), limit).await?;
    by_seqs(connection, &seqs).await
}

/// The numbers of cases with these words, newest first: SQLite's own.
pub(crate) async fn indexed(
    connection: &mut SqliteConnection,
    query: &Query,
    (from, before): (i64, i64),
    limit: usize,
) -> Result<Vec<i64>, sqlx::Error> {
    let sql = "SELECT rowid FROM case_word WHERE case_word MATCH $1 AND rowid >= $2 \
               AND rowid < $3 ORDER BY rowid DESC LIMIT $4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = sqlx::query_scalar(sql).bind(query.to_string()).bind(from).bind(before).bind(limit);
    found.fetch_all(connection).await
}

/// The rows with these numbers, in this order: newest first.
pub(crate) async fn by_seqs(
    connection: &mut SqliteConnection,
    seqs: &[i64],
) -> Result<Vec<Row>, sqlx::Error> {
    let mut rows = Vec::with_capacity(seqs.len());
    for chunk in chunks(seqs) {
        let sql =
            format!("SELECT {COLUMNS} FROM message_case WHERE seq IN {}", places(1, chunk.len()));
        let query = chunk.iter().fold(prepared(sql), |query, seq| query.bind(seq));
        let chunk = query.fetch_all(&mut *connection).await?;
        rows.extend(chunk.iter().map(Row::of).collect::<Result<Vec<_>, _>>()?);
    }
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
    Ok(rows)
}

/// The rows with what is listed of their findings.
async fn with_heads(
    connection: &mut SqliteConnection,
    rows: Vec<Row>,
) -> Result<Vec<(Row, Vec<FindingHead>)>, Error> {
    let ids = rows.iter().flat_map(|row| crate::row::ids(&row.findings)).collect();
    let parts: Contents = read_parts(connection, ids).await?;
    rows.into_iter()
        .map(|row| match read_all(&row.findings, &parts) {
            Ok(heads) => Ok((row, heads)),
            Err(text) => Err(Error::Unreadable { id: row.id, text }),
        })
        .collect()
}

/// The line, if the filter wants it.
fn line(row: &Row, findings: Vec<FindingHead>, filter: &Filter) -> Result<Option<CaseLine>, Error> {
    let unreadable = |error: serde_json::Error| Error::Unreadable {
        id: row.id.clone(),
        text: error.to_string(),
    };
    let Listed { mut facts, door, verdict, outcome } =
        serde_json::from_str(&row.body).map_err(unreadable)?;
    facts.case_id.clone_from(&row.id);
    let glance = Glance { facts, door, verdict, outcome, findings };
    Ok(filter.wants(&glance.looked()).then(|| CaseLine::from(glance)))
}

impl From<Glance> for CaseLine {
    fn from(case: Glance) -> Self {
        let Glance { facts, door, verdict, outcome, findings } = case;
        let recipients_count = facts.recipients.len();
        Self {
            id: facts.case_id,
            at: facts.now,
            door,
            client: facts.client_address,
            helo: facts.helo,
            reverse_path: facts.reverse_path,
            login: facts.auth_user,
            recipients: facts.recipients.into_iter().take(RECIPIENTS_SHOWN).collect(),
            recipients_count,
            action: verdict.action,
            code: verdict.reply.code,
            findings: findings.into_iter().map(FindingLine::from).collect(),
            outcome,
        }
    }
}

impl From<FindingHead> for FindingLine {
    fn from(head: FindingHead) -> Self {
        let FindingHead { method, identity, domain, result, cause } = head;
        Self { method, identity, result, domain, cause }
    }
}
