//! Addresses of older cases become hashes, where that is wanted.

use quivive_verdict::Case;
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::batch::{Index, Scribe, column, insert_parts, prepared, transaction};
use crate::database::Database;
use crate::encode::{Encoded, Key};
use crate::filter::addresses;
use crate::known::Known;
use crate::packs;
use crate::read::{COLUMNS, parts};
use crate::remove::{forget, release};
use crate::retention::{Progress, cutoff};
use crate::row::Row;
use crate::store::Settings;
use crate::tally::HOUR;

/// How many cases a step rewrites.
const CASES_STEP: i64 = 250;

/// Octets of a hashed local part, as hexadecimal digits.
const HASH_OCTETS: usize = 8;

/// One step.
pub(crate) async fn step(
    database: &mut Database,
    settings: &Settings,
    now: u64,
) -> Result<Progress, sqlx::Error> {
    if settings.hash_addresses_after_days == 0 {
        return Ok(Progress::Done);
    }
    let cutoff = cutoff(now, settings.hash_addresses_after_days);
    let sql = "SELECT hour, first_seq, last_seq FROM hour_span WHERE hour < $1 AND hashed = 0 \
               ORDER BY hour LIMIT 1";
    let hour = sqlx::query(sql).bind(cutoff.div_euclid(HOUR));
    let hour = hour.fetch_optional(&mut database.connection);
    let Some(hour) = hour.await? else { return Ok(Progress::Done) };
    let (hour, first, last): (i64, i64, i64) =
        (hour.try_get(0)?, hour.try_get(1)?, hour.try_get(2)?);
    if packs::are_up_to(&mut database.connection, last).await? {
        packs::write_out(database).await?;
        return Ok(Progress::More);
    }
    let Database { connection, scribe, .. } = database;
    let sql = format!(
        "SELECT {COLUMNS} FROM message_case WHERE seq BETWEEN $1 AND $2 AND at < $3 AND \
         hashed = 0 ORDER BY seq LIMIT {CASES_STEP}"
    );
    let rows = prepared(sql).bind(first).bind(last).bind((hour + 1) * HOUR);
    let rows = rows.fetch_all(&mut *connection).await?;
    let rows: Vec<Row> = rows.iter().map(Row::of).collect::<Result<_, _>>()?;
    let is_last = (rows.len() as i64) < CASES_STEP;
    Database::overwrite(connection, true).await?;
    let done_hour = is_last.then_some(hour);
    let work = async |connection: &mut _| rewrite_all(connection, rows, scribe, done_hour).await;
    let rewritten = transaction(connection, work).await;
    Database::overwrite(connection, false).await?;
    rewritten.map(|()| Progress::More)
}

/// A local part as its hash. It has no part in any other hash: the same name is the same again.
pub(crate) fn hashed_local(local: &str, key: &Key) -> String {
    let digest = key.digest(b'a', local.to_lowercase().as_bytes());
    digest[..HASH_OCTETS].iter().fold("h-".to_owned(), |text, octet| text + &format!("{octet:02x}"))
}

async fn rewrite_all(
    connection: &mut SqliteConnection,
    rows: Vec<Row>,
    scribe: &mut Scribe,
    done_hour: Option<i64>,
) -> Result<(), sqlx::Error> {
    let parts = parts(connection, &rows).await?;
    for row in rows {
        match row.case(&parts) {
            Ok(case) => {
                let encoded = Encoded::of_case(&hashed(&case, &scribe.key), &mut scribe.parts);
                let encoded = encoded.map_err(sqlx::Error::Io)?;
                rewrite(connection, &row, encoded, &scribe.key).await?;
            }
            Err(text) => tracing::error!(id = row.id, "a case cannot be read: {text}"),
        }
    }
    let sql = "UPDATE kept SET removals = removals + 1";
    sqlx::query(sql).execute(&mut *connection).await?;
    if let Some(hour) = done_hour {
        let sql = "UPDATE hour_span SET hashed = 1 WHERE hour = $1";
        sqlx::query(sql).bind(hour).execute(connection).await?;
    }
    Ok(())
}

async fn rewrite(
    connection: &mut SqliteConnection,
    row: &Row,
    encoded: Encoded,
    key: &Key,
) -> Result<(), sqlx::Error> {
    let (known, mut words) = (Known::default(), Index::default());
    words.add(row.seq, &encoded.words, &known);
    let ids = insert_parts(connection, &[&encoded], (key, &known)).await?;
    release(connection, row.part_ids().collect()).await?;
    let sql = "UPDATE message_case SET hashed = 1, findings = $1, evidence = $2, body = $3 \
               WHERE seq = $4";
    sqlx::query(sql)
        .bind(column(&encoded.parts.findings, &ids))
        .bind(column(&encoded.parts.evidence, &ids))
        .bind(encoded.body)
        .bind(row.seq)
        .execute(&mut *connection)
        .await?;
    let sql = "DELETE FROM case_word WHERE rowid = $1";
    sqlx::query(sql).bind(row.seq).execute(&mut *connection).await?;
    words.index(connection).await?;
    forget(connection, row.plain_words()).await
}

/// The case with a hash in place of each local part, wherever it stands with its `@`, and where a
/// record's macros may have put it (RFC 7208 section 7.2).
fn hashed(case: &Case, key: &Key) -> Case {
    let locals = addresses(&case.facts, &case.verdict);
    let locals = locals.filter_map(|address| Some(address.rsplit_once('@')?.0));
    let mut locals: Vec<&str> = locals.filter(|local| !local.is_empty()).collect();
    // Of two that end alike the longer goes first.
    locals.sort_by_key(|local| std::cmp::Reverse(local.len()));
    locals.dedup();
    let uses_macros = case.evidence.iter().flat_map(|answer| &answer.records).any(|record| {
        let record = record.to_ascii_lowercase();
        record.contains("%{l") || record.contains("%{s")
    });
    let replacements: Vec<(String, String)> =
        locals.iter().map(|local| (local.to_lowercase(), hashed_local(local, key))).collect();
    let mut value = serde_json::to_value(case).expect("strings, numbers and lists are JSON");
    each_text(&mut value, &mut |text| {
        for (local, hash) in &replacements {
            replace(text, local, hash, uses_macros);
        }
    });
    let mut hashed: Case = match serde_json::from_value(value) {
        Ok(case) => case,
        // A text that was no text for people: then nothing but the facts is kept.
        Err(_) => bare(case),
    };
    hashed.facts.nonce = case.facts.nonce;
    if let Some(user) = &case.facts.auth_user {
        let local = user.rsplit_once('@').map_or(user.as_str(), |(local, _)| local);
        hashed.facts.auth_user = Some(user.replacen(local, &hashed_local(local, key), 1));
    }
    hashed
}

/// Without everything that may hold an address.
fn bare(case: &Case) -> Case {
    let mut bare = case.clone();
    bare.facts.reverse_path.clear();
    bare.facts.recipients.clear();
    bare.verdict.recipients.clear();
    bare.verdict.rewrites.clear();
    bare.headers = Default::default();
    bare.findings.clear();
    bare.evidence.clear();
    bare.outcome.clear();
    bare.cut.push("everything with addresses".to_owned());
    bare
}

fn each_text(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| each_text(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces the local part before every `@`; with `in_names` also between dots, blanks and ends.
fn replace(text: &mut String, local: &str, hash: &str, in_names: bool) {
    // Only where lower case has the same octets do places in it hold for the text.
    let lower = text.to_ascii_lowercase();
    let local = local.to_ascii_lowercase();
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(found) = lower[from..].find(&local) {
        let start = from + found;
        let end = start + local.len();
        let before = lower[..start].chars().next_back();
        let after = lower[end..].chars().next();
        let begins = before.is_none_or(|character| !is_of_local_part(character))
            || before == Some('.') && in_names;
        let ends = after == Some('@') || in_names && after.is_none_or(|one| !one.is_alphanumeric());
        replaced.push_str(&text[from..start]);
        replaced.push_str(if begins && ends { hash } else { &text[start..end] });
        from = end;
    }
    if from > 0 {
        replaced.push_str(&text[from..]);
        *text = replaced;
    }
}

/// `atext` of RFC 5322 section 3.2.3, and the dot; letters beyond ASCII as RFC 6532 has it.
fn is_of_local_part(character: char) -> bool {
    character.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(character)
}
