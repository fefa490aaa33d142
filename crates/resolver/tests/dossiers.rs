//! Evidence that outlives a check, against a name server on loopback.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use quivive_evidence::{Ahead, Evidence, FindingResult, Missing, Question, RecordType};
use quivive_resolver::{DOSSIER_ANSWERS_MAX, Dossiers, Resolver, RoundBudget, Settings, Zone};
use quivive_spf::{Limits, Request, check_host};
use quivive_testkit::{Manner, NameServer};

async fn serve(zone: &str) -> (NameServer, Dossiers) {
    let server = NameServer::start(Zone::parse(zone.as_bytes()).unwrap()).await.unwrap();
    let resolver = Resolver::from_servers(&[server.address()], Settings::default());
    (server, Dossiers::new(resolver))
}

/// What SPF comes to for a client, and its count of terms that ask.
async fn check(dossiers: &Dossiers, client: &str, domain: &str) -> (FindingResult, usize) {
    let client: IpAddr = client.parse().unwrap();
    let request = Request::of_sender(client, ("somebody", domain), "helo.test");
    let check = |evidence: &_| {
        let outcome = check_host(&request, evidence, Limits::default())?;
        Ok((outcome.result, outcome.terms))
    };
    dossiers.evaluate(request.domain(), check).await.unwrap()
}

#[tokio::test]
async fn a_domain_that_was_checked_is_checked_without_a_question() {
    let (server, dossiers) = serve(
        "$TTL 3600\na.test TXT \"v=spf1 ip4:192.0.2.1 include:b.test -all\"\n\
         b.test TXT \"v=spf1 a:c.test ~all\"\nc.test A 192.0.2.2\n",
    )
    .await;
    let clients = [
        ("192.0.2.1", FindingResult::Pass, 0),
        ("192.0.2.2", FindingResult::Pass, 2),
        ("192.0.2.3", FindingResult::Fail, 2),
    ];
    for _ in 0..50 {
        for (client, result, terms) in clients {
            assert_eq!(check(&dossiers, client, "a.test").await, (result, terms), "{client}");
        }
    }
    assert_eq!(server.questions_in_all(), 3);
    // Addresses of another family need other answers, and change nothing for those before.
    for _ in 0..50 {
        let result = check(&dossiers, "2001:db8::1", "a.test").await;
        assert_eq!(result, (FindingResult::Fail, 2));
        assert_eq!(check(&dossiers, "192.0.2.2", "a.test").await, (FindingResult::Pass, 2));
    }
    assert_eq!((server.questions_in_all(), dossiers.len()), (4, 1));
}

#[tokio::test]
async fn a_dossier_is_over_with_its_first_answer() {
    let (server, dossiers) = serve(
        "a.test 3600 TXT \"v=spf1 include:b.test -all\"\n\
         b.test 1 TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n",
    )
    .await;
    assert_eq!(check(&dossiers, "192.0.2.1", "a.test").await.0, FindingResult::Pass);
    server.treat("b.test", Manner::Code(2));
    let over = async {
        while check(&dossiers, "192.0.2.1", "a.test").await.0 == FindingResult::Pass {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        check(&dossiers, "192.0.2.1", "a.test").await.0
    };
    let result = tokio::time::timeout(Duration::from_secs(30), over).await;
    assert_eq!(result, Ok(FindingResult::Temperror));
    assert_eq!(server.questions("a.test"), 1);
}

#[tokio::test]
async fn what_must_not_be_kept_is_asked_again() {
    let (server, dossiers) = serve("a.test 0 TXT \"v=spf1 -all\"\n").await;
    for checks in 1..=3 {
        assert_eq!(check(&dossiers, "192.0.2.1", "a.test").await.0, FindingResult::Fail);
        assert_eq!((server.questions_in_all(), dossiers.len()), (checks, 0));
    }
}

#[tokio::test]
async fn names_of_each_client_do_not_pile_up() {
    let (server, dossiers) =
        serve("$TTL 3600\na.test TXT \"v=spf1 exists:%{i}.e.test -all\"\n*.e.test A 127.0.0.2\n")
            .await;
    for client in 0..=2 * DOSSIER_ANSWERS_MAX {
        let client = format!("10.0.{}.{}", client / 256, client % 256);
        assert_eq!(check(&dossiers, &client, "a.test").await, (FindingResult::Pass, 1));
    }
    assert_eq!(server.questions("a.test"), 1, "the resolver keeps it, if nobody else");
    assert!(dossiers.len() <= 1);
}

#[tokio::test]
async fn room_is_bounded() {
    let (server, _) = serve("$TTL 3600\n*.test TXT \"v=spf1 -all\"\n").await;
    let resolver = Resolver::from_servers(&[server.address()], Settings::default());
    let dossiers = Dossiers::within(resolver, 1 << 20);
    for domain in 0..200 {
        let domain = format!("d{domain}.test");
        assert_eq!(check(&dossiers, "192.0.2.1", &domain).await.0, FindingResult::Fail);
    }
    let kept = dossiers.len();
    assert!((1..=64).contains(&kept), "{kept}");
}

#[tokio::test]
async fn what_asks_on_and_on_is_given_up() {
    let (_server, dossiers) = serve("a.test TXT x\n").await;
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let insatiable = |_: &_| {
        let name = format!("n{}.test", asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let mut missing = Missing::default();
        missing.note(Question::dns(&name, RecordType::Txt), Ahead::Allowed);
        Err::<(), _>(missing)
    };
    assert_eq!(dossiers.evaluate("a.test", insatiable).await, Err(RoundBudget));
}

#[tokio::test]
async fn checks_at_once_of_a_domain_share_their_questions() {
    let (server, dossiers) =
        serve("$TTL 3600\na.test TXT \"v=spf1 include:b.test -all\"\nb.test TXT \"v=spf1 +all\"\n")
            .await;
    server.treat("a.test", Manner::Held);
    let dossiers = Arc::new(dossiers);
    let checks: Vec<_> = (0..64)
        .map(|client| {
            let dossiers = dossiers.clone();
            tokio::spawn(
                async move { check(&dossiers, &format!("192.0.2.{client}"), "a.test").await },
            )
        })
        .collect();
    while server.questions("a.test") == 0 {
        tokio::task::yield_now().await;
    }
    // All of them have begun before the answer comes: they run on this one thread.
    tokio::task::yield_now().await;
    server.release();
    for check in checks {
        assert_eq!(check.await.unwrap(), (FindingResult::Pass, 1));
    }
    assert_eq!((server.questions("a.test"), server.questions("b.test")), (1, 1));
    // What is known is what a message of its own would be told.
    let known = dossiers
        .evaluate("a.test", |evidence| Ok::<_, Missing>(evidence.txt("b.test").is_some()))
        .await;
    assert_eq!(known, Ok(true));
}
