//! What the writer remembers of the file, and files that were made before it did.

use std::net::SocketAddrV6;
use std::sync::Arc;

use quivive_evidence::{
    Finding, FindingResult, Identity, Method, Notebook, Property, Question, RecordType, Recorded,
};
use quivive_verdict::Case;
use sqlx::Executor;
use sqlx::sqlite::SqliteConnection;

use super::world::{NOON, World, answer, case, database, filled, message, refused};
use crate::encode::Encoded;
use crate::known::{Known, PARTS_MAX, WORDS_MAX};
use crate::part::{Name, Parts, REMEMBERED_OCTETS_MAX};
use crate::queue::{BATCH_MAX, BATCH_OCTETS_MAX, Queue};
use crate::{CASE_OCTETS_MAX, Filter, Subject};

fn text(text: &str) -> Filter {
    Filter { text: Some(text.to_owned()), limit: 500, ..Filter::default() }
}

async fn number(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

/// The first migration alone, as version 1 of the file had it.
async fn make_old(world: &World) {
    let mut opened = database(world).await;
    for sql in [
        "ALTER TABLE part ADD COLUMN uses BIGINT NOT NULL DEFAULT 0",
        "UPDATE part SET uses = (SELECT uses FROM part_use WHERE part_use.id = part.id)",
        "DROP TABLE part_use",
        "ALTER TABLE kept DROP COLUMN removals",
        "INSERT INTO case_word (rowid, words) SELECT first_seq + key, value FROM word_due, \
         json_each(word_due.words)",
        "DROP TABLE word_due",
        "DELETE FROM _sqlx_migrations WHERE version > 1",
    ] {
        opened.connection.execute(sql).await.unwrap();
    }
    opened.close().await;
}

#[tokio::test]
async fn a_file_of_the_first_version_is_read_and_written() {
    let world = World::new();
    filled(&world, &[case(1), refused(2)]).await.close().await;
    make_old(&world).await;
    let store = filled(&world, &[case(3)]).await;
    for kept in [case(1), refused(2), case(3)] {
        assert_eq!(store.case(kept.id()).await.unwrap(), Some(kept));
    }
    assert_eq!(store.list(&text("alice")).await.unwrap().lines.len(), 2);
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert_eq!(store.erase(&whom).await.unwrap(), 2);
    assert_eq!(store.case(refused(2).id()).await.unwrap(), Some(refused(2)));
    let mut opened = database(&world).await;
    let uses = "SELECT CAST(sum(uses) AS BIGINT) FROM part_use";
    assert_eq!(number(&mut opened.connection, uses).await, 5, "of the case that is left");
    let alone = "SELECT count(*) FROM part WHERE id NOT IN (SELECT id FROM part_use)";
    assert_eq!(number(&mut opened.connection, alone).await, 0);
}

/// Another process takes out what this one remembers, and its ids go to something else.
#[tokio::test]
async fn what_another_process_took_out_is_remembered_no_more() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    let other = world.open().await;
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert_eq!(other.erase(&whom).await.unwrap(), 1);
    let mut elsewhere = message(2, "198.51.100.1", "carol@other.example");
    elsewhere.facts.helo = "mail.other.example".to_owned();
    other.record_case(&elsewhere);
    other.flush().await;
    store.record_case(&case(3));
    store.flush().await;
    for kept in [elsewhere, case(3)] {
        assert_eq!(store.case(kept.id()).await.unwrap(), Some(kept));
    }
    for beginning in ["ali", "car"] {
        assert_eq!(store.list(&text(beginning)).await.unwrap().lines.len(), 1, "{beginning}");
    }
}

/// The same questions with other answers, the same findings with other traces.
#[tokio::test]
async fn what_changes_is_not_taken_for_what_was() {
    let world = World::new();
    let cases: Vec<_> = (1..=40)
        .map(|number| {
            let mut changed = case(number);
            changed.evidence[0].noted_at = NOON + number % 3;
            changed.findings[0].trace[0].span = (0, u32::try_from(number % 4).unwrap());
            changed
        })
        .collect();
    let store = filled(&world, &cases[..20]).await;
    cases[20..].iter().for_each(|case| store.record_case(case));
    store.flush().await;
    for kept in cases {
        assert_eq!(store.case(kept.id()).await.unwrap(), Some(kept));
    }
}

/// Nothing is remembered of a batch that was not written.
#[tokio::test]
async fn what_could_not_be_written_is_not_remembered() {
    let world = World::new();
    let store = world.open().await;
    let mut other = database(&world).await;
    // The last that a batch writes.
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON kept BEGIN SELECT RAISE(ABORT, 'no'); END";
    other.connection.execute(refuse).await.unwrap();
    store.record_case(&case(1));
    store.flush().await;
    assert_eq!(store.health().written, 0);
    other.connection.execute("DROP TRIGGER refuse").await.unwrap();
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
}

#[test]
fn memory_for_parts_is_bounded() {
    let parts = Parts::new();
    let record = "r".repeat(10_000);
    for number in 0..4000 {
        let answer = answer(&format!("d{number}.example TXT"), "found", &[&*record]);
        parts.of_case(&[], &[answer]);
        assert!(parts.octets() <= REMEMBERED_OCTETS_MAX, "{}", parts.octets());
    }
    assert!(parts.octets() > 0);
    let large = "r".repeat(REMEMBERED_OCTETS_MAX);
    let large = answer("large.example TXT", "found", &[large.as_str()]);
    parts.of_case(&[], &[large]);
    assert!(parts.octets() <= REMEMBERED_OCTETS_MAX);
}

#[test]
fn memory_for_what_is_in_the_file_is_bounded() {
    let mut known = Known::default();
    for batch in 0..10 {
        let words = (0..WORDS_MAX / 4).map(|word| format!("{batch}x{word}")).collect();
        let name = |part: usize| (batch * PARTS_MAX + part) as Name;
        let parts = (0..PARTS_MAX / 4).map(|part| (name(part), 1)).collect();
        known.written(&parts, words);
        assert!(known.has_word(&format!("{batch}x0")));
        assert_eq!(known.part(name(0)), Some(1));
        assert!(known.counts().0 <= PARTS_MAX && known.counts().1 <= WORDS_MAX);
    }
}

/// Octets that a finding has, and an answer.
#[test]
fn a_finding_is_never_taken_for_an_answer() {
    let (finding, answer) = twins();
    let of = Parts::new().of_case(&[finding], &[answer]);
    assert_ne!(of.findings[0].name, of.evidence[0].name);
    assert_ne!(of.findings[0].content, of.evidence[0].content);
}

/// A finding and an answer that come to the same octets where they are hashed.
fn twins() -> (Finding, Recorded) {
    let name = format!("\0\0\u{1}\u{1}{}", "a".repeat(8));
    let finding = Finding {
        method: Method::Spf,
        identity: Identity::Mailfrom,
        domain: "x".to_owned(),
        result: FindingResult::Pass,
        cause: "nodata".into(),
        decided_by: None,
        explanation: Some("s".to_owned()),
        properties: vec![Property { name: name.into(), value: "b".repeat(8) }],
        trace: Vec::new(),
        needed: Vec::new(),
    };
    let mut address = [b'b'; 16];
    address[..8].fill(b'a');
    address[8] = 0xff;
    let port = u16::from_ne_bytes([b'b', 0xff]);
    let answer = Recorded {
        question: Question::dns("\u{1}x", RecordType::A),
        status: "nodata".to_owned(),
        records: Vec::new(),
        ttl: 1,
        noted_at: 0x73,
        micros: 255,
        authenticated: false,
        trusted: false,
        server: Some(SocketAddrV6::new(address.into(), port, 0, 0).into()),
    };
    (finding, answer)
}

/// The very answer of the time before is known by itself, another that says the same by what it
/// says.
#[test]
fn equal_parts_are_made_once() {
    let parts = Parts::new();
    let notebook = |ttl: u32| {
        let mut notebook = Notebook::default();
        let same = answer("a.example A", "found", &["192.0.2.1"]);
        Recorded { ttl, ..same }.note(&mut notebook).unwrap();
        notebook
    };
    let first = notebook(300);
    let of = |notebook: &Notebook| parts.of_judgement(&case(1).findings, notebook);
    let (before, again, equal) = (of(&first), of(&first), of(&notebook(300)));
    for other in [&again, &equal] {
        assert!(Arc::ptr_eq(&before.evidence[0], &other.evidence[0]));
        assert!(Arc::ptr_eq(&before.findings[0], &other.findings[0]));
    }
    assert_eq!(parts.gauge().waiting(), 0, "all are remembered");
    let octets = parts.octets();
    for ttl in [300, 301, 300, 301] {
        of(&notebook(ttl));
    }
    assert!(parts.octets() < 2 * octets, "an answer that is replaced is not counted");
    let changed = of(&notebook(301));
    assert_ne!(before.evidence[0].content, changed.evidence[0].content);
}

#[test]
fn batches_are_bounded_by_count_and_octets() {
    let parts = Parts::new();
    let queue = Queue::new(usize::MAX, usize::MAX, parts.gauge());
    let encoded = |case: &Case| Encoded::of_case(case, &parts);
    let count = BATCH_MAX as u64 + 10;
    assert!((0..count).all(|number| queue.push(encoded(&case(number)))));
    assert_eq!(queue.take(usize::MAX).len(), BATCH_MAX);
    assert_eq!(queue.take(3).len(), 3);
    assert_eq!(queue.take(usize::MAX).len(), 7);
    for number in 0..200 {
        let mut large = case(number);
        large.facts.helo = "h".repeat(CASE_OCTETS_MAX / 2);
        assert!(queue.push(encoded(&large)));
    }
    let taken = queue.take(usize::MAX);
    let octets: usize = taken.iter().map(Encoded::octets_in_file).sum();
    assert!((BATCH_OCTETS_MAX / 2..=BATCH_OCTETS_MAX).contains(&octets), "{octets}");
    assert_eq!(queue.give_up(), 200 - taken.len());
    assert_eq!(queue.len(), 0);
}
