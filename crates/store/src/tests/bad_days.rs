//! The file is gone, damaged, full, in others' hands: mail goes on, and the store comes back.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use sqlx::{Connection, Executor};

use super::world::{NOON, World, case, database, filled, refused};
use crate::{ROOM_WAIT_MAX, State, Store};

/// What is asked of a child process of this test program: see
/// `a_killed_writer_leaves_a_sound_file`.
const CHILD_PATH: &str = "QUIVIVE_STORE_TEST_CHILD";

/// The names in a folder that begin so.
fn names(world: &World, beginning: &str) -> Vec<String> {
    let entries = fs::read_dir(world.folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(beginning)).collect()
}

#[tokio::test]
async fn a_full_disk_loses_no_case_that_has_room_to_wait() {
    let mut world = World::new();
    world.tuning.cases_waiting_max = 100;
    let store = filled(&world, &[case(1)]).await;
    store.close().await;
    let mut opened = database(&world).await;
    let pages = sqlx::query_scalar::<_, i64>("PRAGMA page_count");
    let pages = pages.fetch_one(&mut opened.connection).await.unwrap();
    opened.close().await;

    world.tuning.pages_max.store(pages.unsigned_abs(), Ordering::Relaxed);
    let store = world.open().await;
    // Each with findings of its own, so that pages are needed.
    let many: Vec<_> = (2..=80)
        .map(|number| {
            super::world::message(number, "192.0.2.1", &format!("u{number}@pass.example"))
        })
        .collect();
    for case in &many {
        store.record_case(case);
    }
    store.flush().await;
    let health = store.health();
    assert_eq!((health.state, health.written), (State::Trouble, 0));
    assert!(health.failed_batches > 0);
    assert!(health.last_trouble.unwrap().text.contains("full"), "says what it is");
    // What was there can be found all the same.
    store.flush().await;
    // A batch is in the writer's hands, the queue takes 100 more, and then drops.
    for number in 1000..1150 {
        store.record_case(&case(number));
    }
    assert_eq!(store.health().dropped, 50);

    world.tuning.pages_max.store(0, Ordering::Relaxed);
    store.flush().await;
    let health = store.health();
    assert_eq!((health.state, health.queue_length), (State::Working, 0));
    assert_eq!(health.written, 79 + 100);
    for case in &many {
        assert_eq!(store.case(case.id()).await.unwrap().as_ref(), Some(case));
    }
}

#[tokio::test]
async fn a_file_deleted_while_it_is_open_is_made_anew() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    fs::remove_file(world.path()).unwrap();
    store.record_case(&case(2));
    store.flush().await;
    assert!(world.path().exists());
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
    assert_eq!(store.case(case(1).id()).await.unwrap(), None);
    let health = store.health();
    assert_eq!((health.state, health.written), (State::Working, 2));
    assert!(health.last_trouble.unwrap().text.contains("deleted"));
    store.close().await;
    let store = world.open().await;
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
}

#[tokio::test]
async fn a_folder_deleted_while_it_is_open_is_waited_for() {
    let mut world = World::new();
    let folder = world.folder.path().join("data");
    fs::create_dir(&folder).unwrap();
    world.settings.path = folder.join("cases.db");
    let store = filled(&world, &[case(1)]).await;
    fs::remove_dir_all(&folder).unwrap();
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(store.health().state, State::Trouble);
    assert!(store.case(case(2).id()).await.is_err());
    fs::create_dir(&folder).unwrap();
    store.flush().await;
    assert_eq!(store.health().state, State::Working);
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_moved_aside() {
    let world = World::new();
    fs::write(world.path(), "my shopping list\n".repeat(500)).unwrap();
    let store = filled(&world, &[case(1)]).await;
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)));
    let aside = names(&world, "cases.db.damaged-");
    assert_eq!(aside, [format!("cases.db.damaged-{NOON}")]);
    let kept = fs::read_to_string(world.folder.path().join(&aside[0])).unwrap();
    assert!(kept.starts_with("my shopping list"));
    assert!(store.health().last_trouble.unwrap().text.contains(&aside[0]));
}

#[tokio::test]
async fn a_file_truncated_while_it_is_open_is_moved_aside() {
    let world = World::new();
    let cases: Vec<_> = (1..=200).map(case).collect();
    let store = filled(&world, &cases).await;
    store.tidy().await;
    let octets = fs::metadata(world.path()).unwrap().len();
    OpenOptions::new().write(true).open(world.path()).unwrap().set_len(octets / 2).unwrap();
    store.record_case(&refused(900));
    store.flush().await;
    assert_eq!(store.health().state, State::Working);
    assert_eq!(
        names(&world, "cases.db.damaged-")
            .iter()
            .filter(|name| name.ends_with(&NOON.to_string()))
            .count(),
        1
    );
    assert_eq!(store.case(refused(900).id()).await.unwrap(), Some(refused(900)));
}

#[tokio::test]
async fn a_file_emptied_while_it_is_open_is_filled_again() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    OpenOptions::new().write(true).open(world.path()).unwrap().set_len(0).unwrap();
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(store.health().state, State::Working);
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
}

/// Octets in the middle are overwritten: the reader meets it, the writer looks into it.
#[tokio::test]
async fn damage_that_a_reader_meets_is_moved_aside() {
    let world = World::new();
    let cases: Vec<_> = (1..=200).map(case).collect();
    let store = filled(&world, &cases).await;
    store.close().await;
    let mut octets = Vec::new();
    fs::File::open(world.path()).unwrap().read_to_end(&mut octets).unwrap();
    let mut file = OpenOptions::new().write(true).open(world.path()).unwrap();
    // The first page says where the tables begin and stays.
    let damaged = vec![0xee; octets.len() - 8192];
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(8192)).unwrap();
    file.write_all(&damaged).unwrap();
    let store = world.open().await;
    store.record_case(&case(900));
    store.flush().await;
    store.flush().await;
    assert_eq!(store.case(case(900).id()).await.unwrap(), Some(case(900)));
    assert_eq!(store.health().state, State::Working);
    assert!(!names(&world, "cases.db.damaged-").is_empty());
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_waited_for() {
    let world = World::new();
    filled(&world, &[case(1)]).await.close().await;
    // Also root cannot open what is no file for it: a socket stands in its place.
    let hidden = world.folder.path().join("hidden.db");
    fs::rename(world.path(), &hidden).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(world.path()).unwrap();
    let store = world.open().await;
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(store.health().state, State::Trouble);
    assert!(store.case(case(1).id()).await.is_err());
    drop(socket);
    fs::remove_file(world.path()).unwrap();
    fs::rename(&hidden, world.path()).unwrap();
    store.flush().await;
    assert_eq!(store.health().state, State::Working);
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)));
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
}

/// A file that SQLite may read and not write.
#[tokio::test]
async fn a_read_only_file_is_read_and_waited_for() {
    let world = World::new();
    filled(&world, &[case(1)]).await.close().await;
    world.tuning.read_only.store(true, Ordering::Relaxed);
    let store = world.open().await;
    store.record_case(&case(2));
    store.flush().await;
    let health = store.health();
    assert_eq!(health.state, State::Trouble);
    assert!(health.last_trouble.unwrap().text.contains("readonly"));
    world.tuning.read_only.store(false, Ordering::Relaxed);
    store.flush().await;
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
    assert_eq!(store.health().state, State::Working);
}

/// Whether mail goes on at once.
async fn goes_on(store: &Store) -> bool {
    tokio::select! {
        biased;
        () = store.room() => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn a_flood_of_mail_waits_for_the_writer_and_no_case_is_lost() {
    let mut world = World::new();
    world.tuning.cases_waiting_max = 8;
    let store = world.open().await;
    for number in 1..=4 {
        store.record_case(&case(number));
    }
    assert!(goes_on(&store).await, "half of the queue is free");
    store.record_case(&case(5));
    assert!(!goes_on(&store).await);
    tokio::join!(store.room(), store.flush());
    assert!(goes_on(&store).await);
    assert_eq!((store.health().written, store.health().dropped), (5, 0));
}

#[tokio::test]
async fn mail_waits_for_no_store_that_cannot_be_used() {
    let mut world = World::new();
    world.tuning.cases_waiting_max = 2;
    filled(&world, &[case(1)]).await.close().await;
    world.tuning.read_only.store(true, Ordering::Relaxed);
    let store = world.open().await;
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(store.health().state, State::Trouble);
    (3..=6).for_each(|number| store.record_case(&case(number)));
    assert!(goes_on(&store).await);
}

/// Nobody empties the queue: its linger is an hour.
#[tokio::test(start_paused = true)]
async fn mail_waits_for_a_bounded_time() {
    let mut world = World::new();
    world.tuning.cases_waiting_max = 2;
    let store = world.open().await;
    (1..=2).for_each(|number| store.record_case(&case(number)));
    assert!(!goes_on(&store).await);
    let began = tokio::time::Instant::now();
    store.room().await;
    assert_eq!(began.elapsed(), ROOM_WAIT_MAX);
}

#[tokio::test]
async fn two_writers_work_on_one_file() {
    let world = World::new();
    let (one, other) = (world.open().await, world.open().await);
    for number in 1..=50 {
        one.record_case(&case(number));
        other.record_case(&case(100 + number));
    }
    tokio::join!(one.flush(), other.flush());
    // Whoever found the other at work for too long has kept its cases.
    tokio::join!(one.flush(), other.flush());
    for number in (1..=50).chain(101..=150) {
        assert_eq!(other.case(case(number).id()).await.unwrap(), Some(case(number)));
    }
}

#[tokio::test]
async fn a_writer_that_holds_the_file_for_long_is_waited_for() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    let mut other = database(&world).await;
    other.connection.execute("BEGIN IMMEDIATE").await.unwrap();
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(store.health().state, State::Trouble);
    assert!(store.health().last_trouble.unwrap().text.contains("another process"));
    // Readers do not mind.
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)));
    other.connection.execute("ROLLBACK").await.unwrap();
    store.flush().await;
    assert_eq!(store.case(case(2).id()).await.unwrap(), Some(case(2)));
    other.connection.close().await.unwrap();
}

#[tokio::test]
async fn what_waits_when_the_store_ends_in_trouble_is_counted() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    let mut other = database(&world).await;
    other.connection.execute("BEGIN IMMEDIATE").await.unwrap();
    store.record_case(&case(2));
    store.record_case(&case(3));
    let watch = store.clone();
    store.close().await;
    assert_eq!(watch.health().dropped, 2);
    // Nothing works any more, and nothing hangs.
    watch.record_case(&case(4));
    watch.flush().await;
    assert!(watch.case(case(1).id()).await.is_err());
}

/// The child writes batch after batch until it is killed in the middle of one.
#[tokio::test]
async fn a_killed_writer_leaves_a_sound_file() {
    if let Some(path) = std::env::var_os(CHILD_PATH) {
        return write_until_killed(path.into()).await;
    }
    let world = World::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::bad_days::a_killed_writer_leaves_a_sound_file", "--nocapture"])
        .env(CHILD_PATH, world.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = [0; 4096];
    let mut lines = 0;
    let stdout = child.stdout.as_mut().unwrap();
    // It tells each batch that is written.
    while lines < 20 {
        let octets = stdout.read(&mut told).unwrap();
        assert!(octets > 0, "the child ended by itself");
        lines += told[..octets].iter().filter(|octet| **octet == b'!').count();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut opened = database(&world).await;
    assert!(opened.is_sound().await);
    let count = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql);
    let connection = &mut opened.connection;
    let cases =
        count("SELECT count(*) FROM message_case").fetch_one(&mut *connection).await.unwrap();
    assert!(cases >= 20 * 64, "{cases}");
    assert_eq!(cases % 64, 0, "batches are there whole or not at all");
    let sql = "SELECT CAST(sum(cases) AS BIGINT) FROM hour_action";
    assert_eq!(count(sql).fetch_one(&mut *connection).await.unwrap(), cases);
    let sql = "SELECT CAST(sum(uses) AS BIGINT) FROM part_use";
    assert_eq!(count(sql).fetch_one(&mut *connection).await.unwrap(), cases * 5);
    opened.close().await;
    let store = world.open().await;
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)));
}

async fn write_until_killed(path: std::path::PathBuf) {
    let mut world = World::new();
    world.settings.path = path;
    let store: Store = world.open().await;
    for batch in 0_u64.. {
        for number in 1..=64 {
            store.record_case(&case(batch * 64 + number));
        }
        store.flush().await;
        let mut out = std::io::stdout();
        out.write_all(b"!").and_then(|()| out.flush()).unwrap();
    }
}
