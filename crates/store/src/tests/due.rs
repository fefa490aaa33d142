//! Words wait until there is time to bring them into their index, and are found all the same.

use std::time::Duration;

use quivive_verdict::Case;
use sqlx::Executor;

use super::world::{NOON, World, case, database, filled, index, message};
use crate::due;
use crate::{Filter, State, Store, Subject};

fn alice(limit: u32) -> Filter {
    Filter { address: Some("alice@pass.example".to_owned()), limit, ..Filter::default() }
}

/// The ids of all pages, the newest first.
async fn pages(store: &Store, mut filter: Filter) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = store.list(&filter).await.unwrap();
        ids.extend(page.lines.into_iter().map(|line| line.id));
        filter.before = page.next;
        if page.next.is_none() {
            return ids;
        }
    }
}

fn ids(cases: &[Case]) -> Vec<String> {
    cases.iter().rev().map(|case| case.id().to_owned()).collect()
}

/// For how many cases words wait in the world's file; the writer has ten seconds to come to what is
/// wanted.
async fn due_in(world: &World, wanted: u64) -> u64 {
    let mut database = database(world).await;
    let mut due = due::cases(&mut database.connection).await.unwrap();
    for _ in 0..1000 {
        if due == wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        due = due::cases(&mut database.connection).await.unwrap();
    }
    database.close().await;
    due
}

/// A world whose writer indexes words soon; `flood` cases in a turn are one.
fn quick(flood: usize, words_due_max: u64) -> World {
    let mut world = World::new();
    world.tuning.index_every = Duration::from_millis(5);
    world.tuning.flood = flood;
    world.tuning.words_due_max = words_due_max;
    world
}

#[tokio::test]
async fn pages_lead_from_words_that_wait_into_the_index() {
    let world = World::new();
    let mut cases: Vec<Case> = (1..=20).map(case).collect();
    let store = filled(&world, &cases).await;
    index(&world).await;
    // In two rows, and not all of them hers.
    for part in [21..=30, 31..=40] {
        for number in part {
            cases.push(case(number));
            store.record_case(&case(number));
            store.record_case(&message(1000 + number, "192.0.2.1", "carol@pass.example"));
        }
        store.flush().await;
    }
    assert_eq!(due_in(&world, 40).await, 40);
    assert_eq!(store.overview(NOON, 1).await.unwrap().words_due, 40);
    let expected = ids(&cases);
    for limit in [1, 3, 10, 19, 20, 21, 40, 500] {
        assert_eq!(pages(&store, alice(limit)).await, expected, "{limit}");
    }
    let carol = Filter { address: Some("carol@pass.example".to_owned()), ..alice(7) };
    assert_eq!(pages(&store, carol).await.len(), 20);
    let mut exported = 0;
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert_eq!(store.export(&whom, |_| exported += 1).await.unwrap(), 40);
    assert_eq!(exported, 40);
    index(&world).await;
    assert_eq!(pages(&store, alice(10)).await, expected);
}

#[tokio::test]
async fn words_are_indexed_when_there_is_time() {
    let world = quick(usize::MAX, 0);
    let cases: Vec<Case> = (1..=50).map(case).collect();
    let store = filled(&world, &cases).await;
    assert_eq!(due_in(&world, 0).await, 0);
    assert_eq!(pages(&store, alice(500)).await, ids(&cases));
}

/// Every turn is a flood here, as long as the first store works.
#[tokio::test]
async fn in_a_flood_words_wait_up_to_their_bound() {
    let mut world = quick(0, 10);
    let cases: Vec<Case> = (1..=10).map(case).collect();
    let store = filled(&world, &cases).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(due_in(&world, 10).await, 10);
    store.record_case(&case(11));
    store.flush().await;
    assert_eq!(due_in(&world, 0).await, 0, "of eleven all rows that fit into a step went");
    store.close().await;
    // Others begin where they ended.
    world.tuning.flood = usize::MAX;
    let store = filled(&world, &[case(12)]).await;
    assert_eq!(due_in(&world, 0).await, 0);
    assert_eq!(pages(&store, alice(500)).await.len(), 12);
}

#[tokio::test]
async fn words_that_waited_when_the_store_ended_are_indexed_by_the_next() {
    let mut world = World::new();
    filled(&world, &[case(1), case(2)]).await.close().await;
    assert_eq!(due_in(&world, 2).await, 2);
    world.tuning.index_every = Duration::ZERO;
    let store = world.open().await;
    assert_eq!(due_in(&world, 0).await, 0);
    assert_eq!(pages(&store, alice(500)).await, ids(&[case(1), case(2)]));
}

/// Numbers of cases begin anew when none is left: words that waited must not find the next ones.
#[tokio::test]
async fn words_that_wait_go_with_their_cases() {
    let world = World::new();
    let store = filled(&world, &[case(1), case(2)]).await;
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert_eq!(store.erase(&whom).await.unwrap(), 2);
    let carol = message(3, "192.0.2.1", "carol@pass.example");
    store.record_case(&carol);
    store.flush().await;
    for _ in 0..2 {
        assert_eq!(pages(&store, alice(500)).await, Vec::<String>::new());
        let text = Filter { text: Some("carol".to_owned()), ..alice(500) };
        let text = Filter { address: None, ..text };
        assert_eq!(pages(&store, text).await, [carol.id()]);
        index(&world).await;
    }
}

/// To write cases goes before, and does not suffer.
#[tokio::test]
async fn what_cannot_be_indexed_keeps_no_case_from_being_written() {
    let world = quick(usize::MAX, 0);
    let store = filled(&world, &[case(1)]).await;
    assert_eq!(due_in(&world, 0).await, 0);
    let mut opened = database(&world).await;
    opened.connection.execute("DROP TABLE case_word").await.unwrap();
    opened.close().await;
    store.record_case(&case(2));
    store.flush().await;
    for _ in 0..1000 {
        if store.health().last_trouble.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.record_case(&case(3));
    store.flush().await;
    let health = store.health();
    assert_eq!((health.state, health.written, health.failed_batches), (State::Working, 3, 0));
    let trouble = health.last_trouble.unwrap().text;
    assert!(trouble.contains("words") && trouble.contains("case_word"), "{trouble}");
    assert_eq!(store.case(case(3).id()).await.unwrap(), Some(case(3)));
}

#[tokio::test]
async fn damaged_words_are_in_nobodys_way() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    store.record_case(&case(2));
    store.flush().await;
    let mut opened = database(&world).await;
    for words in ["[\"", "[1, 2]"] {
        let sql = "UPDATE word_due SET words = $1 WHERE first_seq = 1";
        sqlx::query(sql).bind(words).execute(&mut opened.connection).await.unwrap();
        assert_eq!(pages(&store, alice(10)).await, [case(2).id()], "{words}");
    }
    opened.connection.execute("UPDATE word_due SET words = '[' WHERE first_seq = 1").await.unwrap();
    opened.close().await;
    index(&world).await;
    assert_eq!(pages(&store, alice(10)).await, [case(2).id()]);
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert_eq!(store.erase(&whom).await.unwrap(), 1);
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)), "it is there still");
}

/// Before a writer has opened it.
#[tokio::test]
async fn a_file_of_an_older_version_is_searched() {
    let world = World::new();
    filled(&world, &[case(1), case(2)]).await.close().await;
    index(&world).await;
    let mut opened = database(&world).await;
    for sql in ["DROP TABLE word_due", "DELETE FROM _sqlx_migrations WHERE version > 3"] {
        opened.connection.execute(sql).await.unwrap();
    }
    opened.close().await;
    let store = Store::open_to_read(world.settings.clone()).unwrap();
    assert_eq!(pages(&store, alice(500)).await, ids(&[case(1), case(2)]));
    assert_eq!(store.overview(NOON, 1).await.unwrap().words_due, 0);
}

/// A step takes whole rows.
#[tokio::test]
async fn steps_take_rows_until_they_have_enough_cases() {
    let world = World::new();
    let store = world.open().await;
    let mut number = 0;
    for cases in [2000, 2000, 2000, 1, 2] {
        for _ in 0..cases {
            number += 1;
            store.record_case(&case(number));
        }
        store.flush().await;
    }
    let mut opened = database(&world).await;
    let mut left = vec![due::cases(&mut opened.connection).await.unwrap()];
    while due::index(&mut opened.connection).await.unwrap() {
        left.push(due::cases(&mut opened.connection).await.unwrap());
    }
    opened.close().await;
    assert_eq!(left, [6003, 3, 0]);
    assert_eq!(pages(&store, alice(500)).await.len(), 6003);
}
