//! What the writer remembers of the file, and files that were made before it did.

use std::sync::Arc;

use quivive_evidence::Recorded;
use quivive_verdict::Case;
use sqlx::Executor;
use sqlx::sqlite::SqliteConnection;

use super::world::{NOON, World, answer, case, database, filled, message, refused};
use crate::encode::Encoded;
use crate::known::{Known, PARTS_MAX, WORDS_MAX};
use crate::pack::Pack;
use crate::packed::{Packed, Packing};
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
        "DROP TABLE case_pack",
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
    let mut parts = Parts::new();
    let mut octets_with = |answer: Recorded| {
        let case = Case { evidence: vec![answer], ..case(1) };
        Packing::of_case(&case)
            .packed(|octets| parts.of(&Packed::read(octets).unwrap()).map(|_| parts.octets()))
            .unwrap()
    };
    let record = "r".repeat(10_000);
    let name = |number: usize| format!("d{number}.example TXT");
    let octets: Vec<usize> =
        (0..4000).map(|number| octets_with(answer(&name(number), "found", &[&*record]))).collect();
    assert!(octets.iter().all(|octets| (1..=REMEMBERED_OCTETS_MAX).contains(octets)));
    assert!(!octets.is_sorted(), "all are forgotten from time to time");
    let large = "r".repeat(REMEMBERED_OCTETS_MAX);
    let large = answer("large.example TXT", "found", &[large.as_str()]);
    assert!(octets_with(large) <= REMEMBERED_OCTETS_MAX);
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

#[test]
fn a_finding_is_never_taken_for_an_answer() {
    let parts = Parts::new();
    assert_ne!(parts.name(b'f', b"octets"), parts.name(b'a', b"octets"));
    assert_ne!(parts.name(b'f', b"octets"), Parts::new().name(b'f', b"octets"), "it is keyed");
}

#[test]
fn equal_parts_are_made_once() {
    let mut parts = Parts::new();
    let mut of = |ttl: u32| {
        let mut case = case(1);
        case.evidence[0].ttl = ttl;
        Encoded::of_case(&case, &mut parts).unwrap().parts
    };
    let (before, again, changed) = (of(300), of(300), of(301));
    for (one, other) in before.all().zip(again.all()) {
        assert!(Arc::ptr_eq(one, other));
    }
    assert_ne!(before.evidence[0].content, changed.evidence[0].content);
    assert!(Arc::ptr_eq(&before.evidence[1], &changed.evidence[1]));
}

#[test]
fn what_waits_is_bounded_by_count_and_octets() {
    let push = |queue: &Queue, case: &Case| queue.push(&Packing::of_case(case));
    let cases = |packs: &[Pack]| packs.iter().map(|pack| pack.cases).sum::<usize>();
    let queue = Queue::new(10_000, 20 << 20);
    let taken = (0..10_010).filter(|number| push(&queue, &case(*number))).count();
    assert_eq!(
        (taken, queue.len(), queue.is_full(), queue.has_room()),
        (10_000, 10_000, true, false)
    );
    // Whole packs, until there are enough cases.
    let some = cases(&queue.take(3));
    assert!((3..BATCH_MAX).contains(&some), "{some}");
    let batch = cases(&queue.take(usize::MAX));
    assert!((BATCH_MAX..2 * BATCH_MAX).contains(&batch), "{batch}");
    assert_eq!(queue.give_up(), 10_000 - some - batch);
    assert_eq!((queue.len(), cases(&queue.take(usize::MAX)), queue.has_room()), (0, 0, true));
    let mut large = case(1);
    large.facts.helo = "h".repeat(CASE_OCTETS_MAX);
    let taken = (0..200).filter(|_| push(&queue, &large)).count();
    assert_eq!(taken, (20 << 20) / (CASE_OCTETS_MAX + 2000), "as many as have room");
    let octets: usize = queue.take(usize::MAX).iter().map(|pack| pack.octets.len()).sum();
    let most = BATCH_OCTETS_MAX..=BATCH_OCTETS_MAX + CASE_OCTETS_MAX + 4000;
    assert!(most.contains(&octets), "{octets}");
}
