//! Cases that were judged, and stores to put them into.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quivive_evidence::{Facts, FindingResult, Identity, Method, Nonce, Notebook, Recorded};
use quivive_verdict::{Action, Case, Cost, Policy, replay};
use tempfile::TempDir;

use crate::database::{Bounds, Database};
use crate::pack::Pack;
use crate::packed::Packing;
use crate::store::Tuning;
use crate::{Settings, Store, batch, packs};

/// 2026-11-17 12:00 UTC.
pub(super) const NOON: u64 = 1_794_916_800;

/// A folder with a store in it, whose clock is the test's.
pub(super) struct World {
    pub(super) folder: TempDir,
    pub(super) clock: Arc<AtomicU64>,
    pub(super) settings: Settings,
    pub(super) tuning: Tuning,
}

impl World {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(NOON));
        let settings = Settings {
            path: folder.path().join("cases.db"),
            retain_days: 30,
            retain_mib: 1024,
            hash_addresses_after_days: 0,
        };
        let now = clock.clone();
        let tuning = Tuning {
            busy_timeout: Duration::from_millis(20),
            // Only what a test asks for is written or thrown away, and at its word.
            linger: Duration::from_secs(3600),
            unpack_every: Duration::from_secs(3600),
            flood: usize::MAX,
            first_tidy: Duration::from_secs(3600),
            back_off: Duration::from_secs(3600),
            clock: Arc::new(move || now.load(Ordering::Relaxed)),
            ..Tuning::default()
        };
        Self { folder, clock, settings, tuning }
    }

    /// As [`World::new`], where all that comes is a flood.
    pub(super) fn flooded() -> Self {
        let mut world = Self::new();
        world.tuning.flood = 1;
        world
    }

    pub(super) fn path(&self) -> &Path {
        &self.settings.path
    }

    pub(super) async fn open(&self) -> Store {
        Store::open_tuned(self.settings.clone(), self.tuning.clone()).await.unwrap()
    }
}

/// The world's file, as a writer has it.
pub(super) async fn database(world: &World) -> Database {
    let busy_timeout = Duration::from_secs(5);
    let bounds = Bounds { busy_timeout, pages_max: 0, read_only: false };
    let opened = Database::open(world.path(), bounds).await;
    opened.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Writes out all packed cases, as a writer does in time.
pub(super) async fn write_out(world: &World) {
    let mut database = database(world).await;
    while packs::write_out(&mut database).await.unwrap() {}
    database.close().await;
}

/// Has cases lie packed in the file, as a writer that was killed leaves them.
pub(super) async fn leave_packed(world: &World, cases: &[Case]) {
    let mut database = database(world).await;
    let written = batch::write(&mut database, &[pack(cases)], true).await.unwrap();
    assert!(written.packed && written.cases == cases.len());
    database.close().await;
}

/// These cases, packed.
pub(super) fn pack(cases: &[Case]) -> Pack {
    let mut pack = Pack::default();
    for case in cases {
        let case = Packing::of_case(case);
        case.packed(|octets| pack.add(&case, octets));
    }
    pack
}

/// A store with these cases in it.
pub(super) async fn filled(world: &World, cases: &[Case]) -> Store {
    let store = world.open().await;
    for case in cases {
        store.record_case(case);
    }
    store.flush().await;
    assert_eq!(store.health().written, cases.len() as u64);
    store
}

/// Fails are rejected.
pub(super) fn policy() -> Arc<Policy> {
    let mut policy = Policy::new("mx.example.test");
    for identity in [Identity::Mailfrom, Identity::Helo] {
        policy.actions.set(Method::Spf, identity, FindingResult::Fail, Action::Reject);
    }
    Arc::new(policy)
}

/// A case by its number: the sender's domain passes, and HELO is without a record.
pub(super) fn case(number: u64) -> Case {
    message(number, "192.0.2.1", "alice@pass.example")
}

/// A case that is refused.
pub(super) fn refused(number: u64) -> Case {
    message(number, "203.0.113.9", "mallory@pass.example")
}

pub(super) fn message(number: u64, client: &str, sender: &str) -> Case {
    let mut facts = Facts::new(client.parse().unwrap());
    facts.helo = "mail.sender.example".to_owned();
    facts.reverse_path = sender.to_owned();
    facts.recipients = vec!["bob@example.test".to_owned()];
    facts.receiver = "mx.example.test".to_owned();
    facts.case_id = format!("{number:016x}");
    facts.public_id = format!("{number:032x}");
    facts.now = NOON + number;
    facts.nonce = Nonce([number.to_le_bytes()[0]; 16]);
    judged(facts, &zone())
}

/// What the world answers about `pass.example`.
pub(super) fn zone() -> Vec<Recorded> {
    vec![
        answer("pass.example TXT", "found", &["v=spf1 ip4:192.0.2.0/24 -all"]),
        answer("other.example TXT", "found", &["v=spf1 ip4:192.0.2.0/24 -all"]),
        answer("mail.sender.example TXT", "nxdomain", &[]),
    ]
}

pub(super) fn answer(question: &str, status: &str, records: &[&str]) -> Recorded {
    Recorded {
        question: question.to_owned().try_into().unwrap(),
        status: status.to_owned(),
        records: records.iter().map(|record| (*record).to_owned()).collect(),
        ttl: 300,
        noted_at: NOON,
        micros: 1234,
        authenticated: true,
        trusted: true,
        server: Some("127.0.0.1:53".parse().unwrap()),
    }
}

/// The case of these facts in a world that answers nothing else.
pub(super) fn judged(facts: Facts, world: &[Recorded]) -> Case {
    let mut notebook = Notebook::default();
    world.iter().try_for_each(|answer| answer.note(&mut notebook)).unwrap();
    let replayed = replay(policy(), facts, notebook);
    assert_eq!(replayed.lacking, [], "the world of the test answers everything");
    let mut case = Case::new(replayed.judgement, "gateway", "250 2.0.0 Taken".to_owned());
    case.cost = Cost { questions_needed: 2, questions_ahead: 1, rounds: 1, micros: 777 };
    case
}
