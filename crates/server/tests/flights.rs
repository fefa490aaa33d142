//! Many checks of one domain at once: what they all need to know is asked once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quivive_evidence::{Facts, Finding, FindingResult, Identity};
use quivive_resolver::{Resolver, Settings, Zone};
use quivive_server::check::Checker;
use quivive_testkit::{Manner, NameServer};
use quivive_verdict::Policy;
use tokio::task::JoinSet;

/// How many checks there are at once.
const CHECKS: usize = 64;

/// How long the test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

const WORLD: &str = r#"
cold.example.      TXT "v=spf1 include:one.cold.example a:out.cold.example mx -all"
cold.example.      MX  10 mx.cold.example.
one.cold.example.  TXT "v=spf1 ip4:198.51.100.0/24 -all"
out.cold.example.  A   203.0.113.7
mx.cold.example.   A   192.0.2.1
mx.cold.example.   TXT "v=spf1 a -all"
"#;

fn facts() -> Facts {
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.helo = "mx.cold.example".to_owned();
    facts.reverse_path = "somebody@cold.example".to_owned();
    facts
}

/// Waits until as many questions as these wait for the flight of another check.
async fn joined(resolver: &Resolver, flights: u64) {
    let end = Instant::now() + PATIENCE;
    while resolver.metrics().joined_flights < flights {
        assert!(Instant::now() < end, "{:?}", resolver.metrics());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checks_of_one_cold_domain_share_one_flight() {
    let server = NameServer::start(Zone::parse(WORLD.as_bytes()).unwrap()).await.unwrap();
    // Nobody has an answer before everybody has asked.
    server.treat("cold.example", Manner::Held);
    server.treat("mx.cold.example", Manner::Held);
    let settings = Settings { attempt_timeout: PATIENCE, attempts: 1, ..Settings::default() };
    let resolver = Resolver::from_servers(&[server.address()], settings);
    let checker = Checker::new(Arc::new(Policy::new("mx.example")), resolver.clone());
    let mut checks = JoinSet::new();
    for _ in 0..CHECKS {
        let checker = checker.clone();
        checks.spawn(async move { checker.check(facts()).await });
    }
    // All but the first have joined its two questions: the policies of both names.
    joined(&resolver, 2 * (CHECKS as u64 - 1)).await;
    server.release();
    while let Some(judgement) = checks.join_next().await {
        let judgement = judgement.unwrap();
        let result = |identity| {
            let of_identity = |one: &&Finding| one.identity == identity;
            judgement.findings.iter().find(of_identity).map(|finding| finding.result)
        };
        assert_eq!(result(Identity::Mailfrom), Some(FindingResult::Pass));
        assert_eq!(result(Identity::Helo), Some(FindingResult::Pass));
    }
    let asked = ["cold.example", "mx.cold.example", "one.cold.example", "out.cold.example"];
    let asked = asked.map(|name| (name, server.questions(name)));
    // Two names have two types each: a policy and exchangers, a policy and an address.
    let expected = [2, 2, 1, 1];
    assert_eq!(asked.map(|(_, questions)| questions), expected, "{asked:?}");
    assert_eq!(server.questions_in_all(), 6);
}
