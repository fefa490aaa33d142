//! Cases of a flood stay packed until there is time, and are all that others are meanwhile.

use std::sync::atomic::Ordering;
use std::time::Duration;

use quivive_evidence::{Finding, Property, TermResult};
use quivive_verdict::Case;
use sha2::{Digest, Sha256};
use sqlx::Executor;

use super::world::{
    NOON, World, case, database, filled, leave_packed, message, pack, refused, write_out,
};
use crate::encode::Encoded;
use crate::filter::FindingHead;
use crate::packed::{FORM, Glance, Packed, Packing, finding};
use crate::part::Parts;
use crate::{Filter, State, Store, Subject, packs};

fn alice(limit: u32) -> Filter {
    Filter { address: Some("alice@pass.example".to_owned()), limit, ..Filter::default() }
}

fn everything() -> Filter {
    Filter { limit: 500, ..Filter::default() }
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

/// How many cases are packed in the world's file.
async fn packed_in(world: &World) -> u64 {
    let mut database = database(world).await;
    let packed = packs::cases(&mut database.connection).await.unwrap();
    database.close().await;
    packed
}

/// As [`packed_in`]; the writer has ten seconds to come to what is wanted.
async fn packed_in_time(world: &World, wanted: u64) -> u64 {
    for _ in 0..1000 {
        if packed_in(world).await == wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    packed_in(world).await
}

/// A world of floods whose writer looks after packed cases often.
fn quick() -> World {
    let mut world = World::flooded();
    world.tuning.unpack_every = Duration::from_millis(5);
    world
}

async fn number(world: &World, sql: &'static str) -> i64 {
    let mut opened = database(world).await;
    let number = sqlx::query_scalar(sql).fetch_one(&mut opened.connection).await.unwrap();
    opened.close().await;
    number
}

/// What a reader is told, packed or not.
#[tokio::test]
async fn a_packed_case_is_all_that_others_are() {
    let world = World::new();
    let mut cases: Vec<Case> = (1..=20).map(case).collect();
    filled(&world, &cases).await.close().await;
    // In two packs, and not all of them hers.
    for part in [21..=30, 31..=40] {
        let part: Vec<Case> = part
            .flat_map(|number| {
                [case(number), message(1000 + number, "192.0.2.1", "carol@other.example")]
            })
            .collect();
        leave_packed(&world, &part).await;
        cases.extend(part);
    }
    leave_packed(&world, &[refused(50)]).await;
    let store = world.open().await;
    assert_eq!(store.overview(NOON, 1).await.unwrap().cases_packed, 41);
    let hers: Vec<Case> =
        cases.iter().filter(|case| case.facts.reverse_path.starts_with("alice")).cloned().collect();
    let mut told = Vec::new();
    for is_packed in [true, false] {
        for limit in [1, 3, 10, 19, 20, 21, 40, 500] {
            assert_eq!(pages(&store, alice(limit)).await, ids(&hers), "{limit}");
        }
        let carol = Filter { text: Some("carol".to_owned()), limit: 7, ..Filter::default() };
        assert_eq!(pages(&store, carol).await.len(), 20);
        for case in &cases {
            assert_eq!(store.case(case.id()).await.unwrap().as_ref(), Some(case));
        }
        let (accepted, refused) = (case(21), refused(50));
        assert_eq!(store.case("nobody").await.unwrap(), None);
        let public = async |case: &Case| store.public_case(&case.facts.public_id).await.unwrap();
        assert_eq!((public(&accepted).await, public(&refused).await), (None, Some(refused)));
        let mut exported = Vec::new();
        let whom = Subject::Address("alice@pass.example".to_owned());
        assert_eq!(store.export(&whom, |case| exported.push(case)).await.unwrap(), 40);
        assert_eq!(exported.iter().map(Case::id).collect::<Vec<_>>(), ids(&hers));
        let overview = store.overview(NOON, 1).await.unwrap();
        assert_eq!(overview.cases_packed, if is_packed { 41 } else { 0 });
        told.push((overview.today, overview.refused_domains, overview.cases_kept));
        write_out(&world).await;
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].2, 61);
}

#[tokio::test]
async fn packed_cases_are_written_out_when_there_is_time() {
    let world = quick();
    let cases: Vec<Case> = (1..=50).map(case).collect();
    let store = filled(&world, &cases).await;
    assert_eq!(packed_in_time(&world, 0).await, 0);
    assert_eq!(pages(&store, alice(500)).await, ids(&cases));
    assert_eq!(number(&world, "SELECT count(*) FROM message_case").await, 50);
}

/// While every turn is one of a flood, some are written out, and never all.
#[tokio::test]
async fn in_a_flood_cases_stay_packed_up_to_their_bound() {
    let mut world = quick();
    world.tuning.cases_packed_max = 10;
    let store = world.open().await;
    let mut recorded = 0;
    while number(&world, "SELECT count(*) FROM message_case").await == 0 {
        assert!(recorded < 10_000, "nothing is ever written out");
        for _ in 0..10 {
            recorded += 1;
            store.record_case(&case(recorded));
            store.flush().await;
        }
    }
    assert!(recorded > 10);
    store.close().await;
    assert_eq!(packed_in(&world).await, 0, "a store that ends leaves none");
    assert_eq!(number(&world, "SELECT cases FROM kept").await, recorded.cast_signed());
}

#[tokio::test]
async fn cases_that_were_packed_when_the_writer_was_killed_are_written_out_by_the_next() {
    let mut world = World::new();
    leave_packed(&world, &[case(1), case(2)]).await;
    world.tuning.unpack_every = Duration::ZERO;
    let store = world.open().await;
    assert_eq!(packed_in_time(&world, 0).await, 0);
    assert_eq!(pages(&store, alice(500)).await, ids(&[case(1), case(2)]));
}

/// Few cases that come while others are packed are packed, too: the order stays.
#[tokio::test]
async fn packed_cases_are_the_newest() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    leave_packed(&world, &[case(2), case(3)]).await;
    store.record_case(&case(4));
    store.flush().await;
    assert_eq!(packed_in(&world).await, 3);
    let all = [case(1), case(2), case(3), case(4)];
    assert_eq!(pages(&store, everything()).await, ids(&all));
    write_out(&world).await;
    store.record_case(&case(5));
    store.flush().await;
    assert_eq!(packed_in(&world).await, 0);
    assert_eq!(pages(&store, everything()).await[1..], ids(&all));
}

/// It was packed before anybody could look whether it is there.
#[tokio::test]
async fn a_case_that_was_packed_twice_is_kept_and_counted_once() {
    let world = World::new();
    let store = filled(&world, &[case(1), refused(7)]).await;
    leave_packed(&world, &[case(1), case(2), refused(7)]).await;
    leave_packed(&world, &[case(2), case(3)]).await;
    write_out(&world).await;
    let all = [case(1), refused(7), case(2), case(3)];
    assert_eq!(pages(&store, everything()).await, ids(&all));
    let overview = store.overview(NOON, 1).await.unwrap();
    assert_eq!((overview.cases_kept, overview.today.cases), (4, 4));
    assert_eq!(overview.refused_domains, [("pass.example".to_owned(), 1)]);
    assert!(overview.today.findings.values().all(|count| *count <= 4));
}

#[tokio::test]
async fn packed_cases_are_forgotten_like_others() {
    let world = World::flooded();
    let store = filled(&world, &[case(1), case(2)]).await;
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert_eq!(store.erase(&whom).await.unwrap(), 2);
    let carol = message(3, "192.0.2.1", "carol@pass.example");
    store.record_case(&carol);
    store.flush().await;
    for _ in 0..2 {
        assert_eq!(pages(&store, alice(500)).await, Vec::<String>::new());
        assert_eq!(pages(&store, everything()).await, [carol.id()]);
        write_out(&world).await;
    }
    store.close().await;
    let file = std::fs::read(world.path()).unwrap();
    assert!(!file.windows(5).any(|octets| octets == b"alice"));
}

/// To write cases goes before, and does not suffer.
#[tokio::test]
async fn what_cannot_be_written_out_keeps_no_case_from_being_written() {
    let world = quick();
    let store = filled(&world, &[case(1)]).await;
    assert_eq!(packed_in_time(&world, 0).await, 0);
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
    assert!(trouble.contains("packed cases") && trouble.contains("case_word"), "{trouble}");
    assert_eq!(store.case(case(3).id()).await.unwrap(), Some(case(3)));
}

/// Two cases, of which the second has the page of the first.
fn twins() -> [Case; 2] {
    let mut twin = refused(2);
    twin.facts.public_id = refused(1).facts.public_id;
    [refused(1), twin]
}

#[tokio::test]
async fn a_case_that_cannot_be_written_is_in_no_others_way() {
    for is_flood in [true, false] {
        let mut world = quick();
        world.tuning.flood = if is_flood { 1 } else { usize::MAX };
        let [one, twin] = twins();
        let store = filled(&world, &[one.clone(), twin, case(3)]).await;
        assert_eq!(packed_in_time(&world, 0).await, 0);
        assert_eq!(pages(&store, everything()).await, ids(&[one, case(3)]));
        let overview = store.overview(NOON, 1).await.unwrap();
        assert_eq!((overview.cases_kept, overview.today.cases), (2, 2));
        assert_eq!(store.health().dropped, 1);
    }
}

/// Also if there is no other, and whoever writes it out.
#[tokio::test]
async fn a_case_that_cannot_be_written_is_told_as_lost() {
    for how in ["erase", "tidy", "close"] {
        let world = World::new();
        let [one, twin] = twins();
        let store = filled(&world, &[one, case(3)]).await;
        store.record_case(&twin);
        store.flush().await;
        assert_eq!((packed_in(&world).await, store.health().dropped), (1, 0));
        match how {
            "erase" => {
                let whom = Subject::Address("alice@pass.example".to_owned());
                assert_eq!(store.erase(&whom).await.unwrap(), 1);
            }
            "tidy" => {
                world.clock.fetch_add(100 * 86_400, Ordering::Relaxed);
                store.tidy().await;
                assert_eq!(pages(&store, everything()).await, Vec::<String>::new());
            }
            _ => store.clone().close().await,
        }
        assert_eq!((packed_in(&world).await, store.health().dropped), (0, 1), "{how}");
    }
}

/// Those that cannot be written yet are looked for when somebody is forgotten.
#[tokio::test]
async fn nobody_is_forgotten_while_cases_cannot_be_written() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    store.record_case(&case(2));
    let mut other = database(&world).await;
    other.connection.execute("BEGIN IMMEDIATE").await.unwrap();
    let whom = Subject::Address("alice@pass.example".to_owned());
    assert!(store.erase(&whom).await.is_err());
    other.connection.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.erase(&whom).await.unwrap(), 2);
}

/// To write packed cases out takes room: the oldest go first.
#[tokio::test]
async fn a_file_that_is_full_makes_room_while_cases_are_packed() {
    let mut world = World::new();
    world.settings.retain_mib = 1;
    let fat = |number: u64| {
        let mut fat = case(number);
        let octets: String = (0..94).map(|part| hashed(&format!("{number} {part}"))).collect();
        fat.outcome = octets;
        fat
    };
    filled(&world, &(1..=1200).map(fat).collect::<Vec<_>>()).await.close().await;
    leave_packed(&world, &(2001..=2100).map(fat).collect::<Vec<_>>()).await;
    let pages = number(&world, "SELECT page_count FROM pragma_page_count").await;
    world.tuning.pages_max.store(pages.unsigned_abs() + 60, Ordering::Relaxed);
    let store = world.open().await;
    store.tidy().await;
    assert_eq!(store.health().state, State::Working);
    let left = number(&world, "SELECT count(*) FROM message_case").await;
    assert!(left < 500, "{left}");
    let newest = store.list(&everything()).await.unwrap().lines.swap_remove(0);
    assert_eq!(newest.id, fat(2100).id());
}

/// The first octets of a digest, as hexadecimal digits.
fn hashed(text: &str) -> String {
    Sha256::digest(text)[..16].iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The file never has to take more of what is packed than the bound and a batch.
#[tokio::test]
async fn where_mail_comes_faster_than_it_is_written_out_it_waits() {
    let mut world = World::flooded();
    world.tuning.cases_packed_max = 100;
    let store = world.open().await;
    for batch in 0..5 {
        for number in 1..=200 {
            store.record_case(&case(1000 * batch + number));
        }
        store.flush().await;
        assert!(packed_in(&world).await <= 100);
    }
    assert_eq!(pages(&store, alice(500)).await.len(), 1000);
}

#[tokio::test]
async fn a_damaged_pack_is_in_nobodys_way() {
    let huge = "UPDATE case_pack SET octets = x'ffffffff00' WHERE first_seq = 1";
    let cut = "UPDATE case_pack SET octets = substr(octets, 1, 200) WHERE first_seq = 1";
    let empty = "UPDATE case_pack SET octets = x'' WHERE first_seq = 1";
    let text = "UPDATE case_pack SET octets = 'octets' WHERE first_seq = 1";
    for damage in [huge, cut, empty, text] {
        let world = World::new();
        leave_packed(&world, &[case(1), case(2)]).await;
        leave_packed(&world, &[case(3)]).await;
        let mut opened = database(&world).await;
        opened.connection.execute(damage).await.unwrap();
        opened.close().await;
        let store = world.open().await;
        for _ in 0..2 {
            assert_eq!(pages(&store, alice(10)).await, [case(3).id()], "{damage}");
            assert_eq!(store.case(case(1).id()).await.unwrap(), None);
            write_out(&world).await;
        }
        assert_eq!(packed_in(&world).await, 0);
        assert_eq!(store.overview(NOON, 1).await.unwrap().cases_kept, 1);
    }
}

/// Cases that another version has packed: it was killed in a flood, and the next to be started is
/// this one.
async fn leave_foreign(world: &World, cases: &[Case]) {
    leave_packed(world, cases).await;
    let mut opened = database(world).await;
    opened.connection.execute("UPDATE case_pack SET form = form + 1").await.unwrap();
    opened.close().await;
}

#[tokio::test]
async fn what_another_version_has_packed_is_told_and_left() {
    let world = World::new();
    leave_foreign(&world, &[case(1), case(2)]).await;
    let store = filled(&world, &[case(3)]).await;
    store.tidy().await;
    assert_eq!(packed_in(&world).await, 0);
    assert_eq!(pages(&store, everything()).await, [case(3).id()]);
    let trouble = store.health().last_trouble.unwrap().text;
    assert!(trouble.contains("2 cases wait in the form of another version"), "{trouble}");
    let foreign = "SELECT count(*) FROM case_pack";
    assert_eq!(number(&world, foreign).await, 1);
    // Nobody can say that it is not about whom is to be forgotten.
    let whom = Subject::Domain("elsewhere.example".to_owned());
    assert_eq!(store.erase(&whom).await.unwrap(), 0);
    assert_eq!(number(&world, foreign).await, 0);
    assert_eq!((store.overview(NOON, 1).await.unwrap().cases_kept, store.health().dropped), (1, 2));
}

/// It may hold addresses, and takes room.
#[tokio::test]
async fn what_another_version_has_packed_is_not_kept_longer_than_other_cases() {
    for (hash_after, days, is_kept) in [(0, 29, true), (0, 31, false), (7, 8, false)] {
        let mut world = World::new();
        world.settings.hash_addresses_after_days = hash_after;
        leave_foreign(&world, &[case(1)]).await;
        let store = world.open().await;
        world.clock.fetch_add(days * 86_400, Ordering::Relaxed);
        store.tidy().await;
        assert_eq!(number(&world, "SELECT cases FROM kept").await, i64::from(is_kept), "{days}");
    }
    let mut world = World::new();
    world.settings.retain_mib = 0;
    leave_foreign(&world, &[case(1)]).await;
    let store = filled(&world, &[case(2)]).await;
    store.tidy().await;
    assert_eq!(number(&world, "SELECT count(*) FROM case_pack").await, 0);
}

/// The version before had words wait, not cases.
#[tokio::test]
async fn a_file_of_the_version_before_is_read_and_written() {
    let world = World::new();
    filled(&world, &[case(1), case(2)]).await.close().await;
    let mut opened = database(&world).await;
    for sql in [
        "DROP TABLE case_pack",
        include_str!("../../migrations/0004_words_due.sql"),
        "INSERT INTO word_due VALUES (1, 2, '[\"x:accept a:alice@pass.example\", \"x:accept\"]')",
        "DELETE FROM case_word",
        "DELETE FROM _sqlx_migrations WHERE version > 4",
    ] {
        opened.connection.execute(sql).await.unwrap();
    }
    opened.close().await;
    let store = Store::open_to_read(world.settings.clone()).unwrap();
    assert_eq!(pages(&store, everything()).await, ids(&[case(1), case(2)]));
    assert_eq!(store.overview(NOON, 1).await.unwrap().cases_packed, 0);
    let store = filled(&world, &[case(3)]).await;
    assert_eq!(pages(&store, alice(10)).await, ids(&[case(1), case(3)]));
}

/// Whoever sees this fail has changed what is packed, and counts up [`FORM`]: files may have cases
/// in the form of before.
#[test]
fn the_form_has_its_number() {
    let digest = Packing::of_case(&refused(1)).packed(|octets| Sha256::digest(octets));
    let digest = digest[..8].iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    assert_eq!((FORM, digest.as_str()), (1, "cced2c565d23daa8"));
}

/// What was judged comes out as its case, what is a case as itself.
#[test]
fn what_is_packed_is_unpacked() {
    for case in [case(1), refused(2), message(3, "2001:db8::1", "")] {
        let unpacked = |packing: &Packing<'_>| {
            packing.packed(|octets| Packed::read(octets).and_then(Packed::case)).unwrap()
        };
        assert_eq!(unpacked(&Packing::of_case(&case)), case);
        let judgement = case.judgement().unwrap();
        let judged = Packing::of_judgement(&judgement, &case.door, &case.outcome);
        assert_eq!(unpacked(&judged), case);
        let glance = judged.packed(Glance::at).unwrap();
        let heads: Vec<FindingHead> = case.findings.iter().map(FindingHead::from).collect();
        assert_eq!((glance.facts, glance.findings), (case.facts, heads));
        assert_eq!((glance.door, glance.outcome), (case.door, case.outcome));
    }
}

/// Whoever wrote it would have the process end for want of stack.
#[test]
fn a_trace_that_goes_too_deep_is_an_error() {
    let traced = |depth: usize| {
        let Finding { method, identity, result, cause, .. } = &refused(1).findings[1];
        let nothing = (None::<String>, None::<String>, Vec::<Property>::new());
        let mut octets = borsh::to_vec(&(method, identity, "", result, cause, nothing)).unwrap();
        octets.extend(1_u32.to_le_bytes());
        for level in 1..=depth {
            let has_child = u32::from(level < depth);
            let node = (String::new(), (0_u32, 0_u32), TermResult::Match, 0_u32, has_child);
            octets.extend(borsh::to_vec(&node).unwrap());
        }
        octets.extend(0_u32.to_le_bytes());
        finding(&octets)
    };
    assert_eq!(traced(100).unwrap().trace.len(), 1);
    assert!(traced(200).is_err() && traced(1_000_000).is_err());
}

/// Damage is an error, wherever it is.
#[test]
fn damaged_octets_are_an_error() {
    let octets = pack(&[refused(1)]).octets;
    let (octets, mut parts) = (&octets[4..], Parts::new());
    assert!(Encoded::of(octets, &mut parts).is_ok());
    for end in 0..octets.len() {
        assert!(Packed::read(&octets[..end]).and_then(Packed::case).is_err(), "{end}");
    }
    for place in 0..octets.len() {
        for octet in [0, 1, 0x7f, 0xff] {
            let mut damaged = octets.to_vec();
            damaged[place] = octet;
            // Any error, or another case.
            let _ = Packed::read(&damaged).and_then(Packed::case);
            let _ = Encoded::of(&damaged, &mut parts);
        }
    }
}
