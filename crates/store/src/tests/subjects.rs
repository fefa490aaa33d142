//! What is kept of somebody can be handed over, forgotten, and made unrecognisable.

use std::fs;
use std::sync::atomic::Ordering;

use quivive_evidence::{Facts, Nonce};
use quivive_verdict::{Case, replay};

use super::world::{NOON, World, answer, case, filled, judged, message, policy};
use crate::{Filter, Store, Subject};

const DAY: u64 = 86_400;

async fn exported(store: &Store, whom: &Subject) -> Vec<Case> {
    let mut cases = Vec::new();
    let count = store.export(whom, |case| cases.push(case)).await.unwrap();
    assert_eq!(count, cases.len() as u64);
    cases
}

fn address(address: &str) -> Subject {
    Subject::Address(address.to_owned())
}

/// Whether octets stand anywhere in the file or beside it.
fn stands_in_file(world: &World, needle: &str) -> bool {
    fs::read_dir(world.folder.path()).unwrap().any(|entry| {
        let octets = fs::read(entry.unwrap().path()).unwrap();
        octets.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

#[tokio::test]
async fn export_hands_over_everything_but_the_nonce() {
    let world = World::new();
    let store = filled(&world, &[case(1), message(2, "192.0.2.1", "zoe@other.example")]).await;
    let cases = exported(&store, &address("ALICE@pass.example")).await;
    let mut expected = case(1);
    assert_ne!(expected.facts.nonce, Nonce::default());
    expected.facts.nonce = Nonce::default();
    assert_eq!(cases, [expected]);
    assert_eq!(exported(&store, &address("bob@example.test")).await.len(), 2);
    assert_eq!(exported(&store, &Subject::Domain("other.example".to_owned())).await.len(), 1);
    assert_eq!(exported(&store, &Subject::Domain("example".to_owned())).await.len(), 0);
    assert_eq!(exported(&store, &address("%")).await.len(), 0);
}

#[tokio::test]
async fn what_is_erased_is_out_of_the_file() {
    let world = World::new();
    let mut cases: Vec<Case> = (1..=300).map(case).collect();
    let zoe = message(1000, "192.0.2.1", "zoe.zebrowski@other.example");
    cases.push(zoe.clone());
    let store = filled(&world, &cases).await;
    assert!(stands_in_file(&world, "zebrowski"));
    assert_eq!(store.erase(&address("zoe.zebrowski@other.example")).await.unwrap(), 1);
    assert_eq!(store.case(zoe.id()).await.unwrap(), None);
    assert!(!stands_in_file(&world, "zebrowski"));
    assert_eq!(store.case(case(300).id()).await.unwrap(), Some(case(300)));
    assert_eq!(store.erase(&address("zoe.zebrowski@other.example")).await.unwrap(), 0);
    assert_eq!(store.erase(&Subject::Domain("pass.example".to_owned())).await.unwrap(), 300);
    let left = store.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap();
    assert_eq!(left.lines, []);
    store.record_case(&case(1));
    store.flush().await;
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)));
}

/// Also where they stood in pages of their own, which are free now or have something else.
#[tokio::test]
async fn addresses_that_became_hashes_are_out_of_the_file() {
    let mut world = World::new();
    world.settings.hash_addresses_after_days = 7;
    let store = world.open().await;
    for number in 1..=120 {
        let mut zoe = message(number, "192.0.2.1", "zoe.zebrowski@other.example");
        zoe.outcome = format!("{} zoe.zebrowski@other.example", "a".repeat(25 * number as usize));
        store.record_case(&zoe);
        if number % 40 == 0 {
            store.flush().await;
        }
    }
    assert!(stands_in_file(&world, "zebrowski"));
    world.clock.store(NOON + 8 * DAY, Ordering::Relaxed);
    store.tidy().await;
    store.close().await;
    assert!(!stands_in_file(&world, "zebrowski"));
}

#[tokio::test]
async fn addresses_become_hashes_when_they_are_old() {
    let mut world = World::new();
    world.settings.hash_addresses_after_days = 7;
    let evidence = [
        answer("other.example TXT", "found", &["v=spf1 exists:%{l}._spf.%{d} -all"]),
        answer("zoe.zebrowski._spf.other.example A", "nxdomain", &[]),
        answer("mail.sender.example TXT", "nxdomain", &[]),
    ];
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.helo = "mail.sender.example".to_owned();
    facts.reverse_path = "Zoe.Zebrowski@other.example".to_owned();
    facts.recipients = vec!["bob@example.test".to_owned(), "b@example.test".to_owned()];
    facts.auth_user = Some("zoe.zebrowski".to_owned());
    facts.case_id = "00000000000000aa".to_owned();
    facts.now = NOON;
    facts.nonce = Nonce([3; 16]);
    let zoe = judged(facts, &evidence);
    let store = filled(&world, std::slice::from_ref(&zoe)).await;
    store.tidy().await;
    assert_eq!(store.case(zoe.id()).await.unwrap(), Some(zoe.clone()), "not yet");

    world.clock.store(NOON + 8 * DAY, Ordering::Relaxed);
    let mut fresh = case(2);
    fresh.facts.now = NOON + 8 * DAY;
    store.record_case(&fresh);
    store.flush().await;
    store.tidy().await;
    assert_eq!(store.case(fresh.id()).await.unwrap(), Some(fresh));
    let hashed = store.case(zoe.id()).await.unwrap().unwrap();
    let json = serde_json::to_string(&hashed).unwrap().to_lowercase();
    assert!(!json.contains("zebrowski") && !json.contains("\"bob@"), "{json}");
    let local = hashed.facts.reverse_path.strip_suffix("@other.example").unwrap();
    assert!(local.starts_with("h-") && local.len() == 18, "{local}");
    assert_eq!(hashed.facts.auth_user.as_deref(), Some(local));
    assert_eq!(hashed.facts.nonce, zoe.facts.nonce);
    assert_eq!(hashed.verdict.recipients[0].recipient, hashed.facts.recipients[0]);
    // It replays: the names that macros made of the address are those of the hash.
    let again = replay(policy(), hashed.facts.clone(), hashed.notebook(&[]).unwrap());
    assert_eq!(again.lacking, []);
    assert_eq!(again.judgement.findings, hashed.findings);
    assert_eq!(again.judgement.verdict, hashed.verdict);
    // Whoever knows the address finds it still.
    let whom = address("zoe.zebrowski@other.example");
    assert_eq!(exported(&store, &whom).await.len(), 1);
    assert_eq!(store.erase(&whom).await.unwrap(), 1);
    assert_eq!(exported(&store, &whom).await.len(), 0);
}
