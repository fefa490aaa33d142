use std::os::unix::fs::PermissionsExt;

use quivive_evidence::{Facts, Header, Nonce};
use quivive_verdict::{Action, replay};

use super::world::{NOON, World, answer, case, database, filled, judged, policy, refused};
use crate::{Error, Filter, State, Store};

#[tokio::test]
async fn what_is_recorded_is_read_back_as_it_was() {
    let world = World::new();
    let cases = [case(1), refused(2)];
    let store = filled(&world, &cases).await;
    for case in &cases {
        assert_eq!(store.case(case.id()).await.unwrap().as_ref(), Some(case));
    }
    assert_eq!(store.case("nobody").await.unwrap(), None);
    let health = store.health();
    assert_eq!((health.state, health.dropped, health.failed_batches), (State::Working, 0, 0));
    assert!(health.file_octets > 0);
    store.close().await;
    let store = world.open().await;
    assert_eq!(store.case(cases[0].id()).await.unwrap().as_ref(), Some(&cases[0]));
}

/// Evidence of every type, with octets that are no text, and a nonce that macros and samples use.
#[tokio::test]
async fn a_case_replays_as_it_was_judged() {
    let record = "v=spf1 a:a.example mx:b.example ptr:c.example exists:%{ir}.%{l}.e.example \
                  include:i.example a:empty.example ?all";
    let every = vec![
        answer("everything.example TXT", "found", &["other \\255\\000\\092", record]),
        answer("a.example A", "found", &["198.51.100.1"]),
        answer("b.example MX", "found", &["10 mx.b.example", "20 ."]),
        answer("mx.b.example A", "found", &["198.51.100.2"]),
        answer("1.2.0.192.in-addr.arpa PTR", "found", &["host.c.example", "a\\046b.c.example"]),
        answer("host.c.example A", "found", &["198.51.100.3"]),
        answer("a\\046b.c.example A", "nodata", &[]),
        answer("1.2.0.192.carol.e.example A", "nxdomain", &[]),
        answer("i.example TXT", "timeout", &[]),
        answer("x.example TYPE65280", "found", &["\\001\\002raw"]),
        answer("v6.example AAAA", "found", &["2001:db8::1"]),
        answer("mail.sender.example TXT", "servfail", &[]),
    ];
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.helo = "mail.sender.example".to_owned();
    facts.reverse_path = "carol@everything.example".to_owned();
    facts.recipients = vec!["bob@example.test".to_owned()];
    facts.auth_user = Some("carol".to_owned());
    facts.case_id = "00000000000000ff".to_owned();
    facts.now = NOON;
    facts.nonce = Nonce([7; 16]);
    let case = judged(facts, &every);
    assert_eq!(case.evidence.len(), every.len());
    let world = World::new();
    let store = filled(&world, std::slice::from_ref(&case)).await;
    let stored = store.case(case.id()).await.unwrap().unwrap();
    assert_eq!(stored, case);
    let again = replay(policy(), stored.facts.clone(), stored.notebook(&[]).unwrap());
    assert_eq!(again.lacking, []);
    assert_eq!(again.judgement.findings, case.findings);
    assert_eq!(again.judgement.verdict, case.verdict);
    assert_eq!(again.judgement.headers, case.headers);
}

/// The verdicts for recipients are written only where they say something of their own.
#[tokio::test]
async fn every_recipient_keeps_its_verdict() {
    let world = World::new();
    let mut cases: Vec<_> = (1..=6).map(case).collect();
    let one = cases[0].verdict.recipients[0].clone();
    cases[1].verdict.recipients.clear();
    cases[2].verdict.recipients.push(one.clone());
    cases[3].verdict.recipients[0].action = Action::Defer;
    cases[4].verdict.recipients[0].reply.text.push('!');
    cases[5].verdict.recipients[0].recipient.push('x');
    let store = filled(&world, &cases).await;
    for case in cases {
        assert_eq!(store.case(case.id()).await.unwrap(), Some(case));
    }
    let mut reading = store.shared().readers().unwrap().acquire().await.unwrap();
    let sql = "SELECT count(*) FROM message_case WHERE body LIKE '%alike%'";
    let alike: i64 = sqlx::query_scalar(sql).fetch_one(&mut *reading).await.unwrap();
    assert_eq!(alike, 1);
}

#[tokio::test]
async fn every_fact_is_kept() {
    let world = World::new();
    let mut case = refused(1);
    let facts = &mut case.facts;
    facts.upstream = Some([198, 51, 100, 7].into());
    facts.auth_user = Some("carol".to_owned());
    facts.certificate = Some("client.example".to_owned());
    facts.submitter = Some("dave@sender.example".to_owned());
    facts.header = Some(Header::read(b"From: eve@sender.example\r\n\r\n"));
    let store = filled(&world, std::slice::from_ref(&case)).await;
    assert_eq!(store.case(case.id()).await.unwrap(), Some(case));
}

/// Files hold bodies with what is now left out.
#[tokio::test]
async fn a_body_may_say_all_there_is_to_say() {
    let world = World::new();
    let case = case(1);
    let store = filled(&world, std::slice::from_ref(&case)).await;
    store.close().await;
    let mut database = database(&world).await;
    let sql = "UPDATE message_case SET body = json_set(body, '$.facts.case_id', id, \
               '$.facts.auth_user', NULL, '$.verdict.recipients', json('[]'))";
    sqlx::query(sql).execute(&mut database.connection).await.unwrap();
    database.close().await;
    let store = world.open().await;
    assert_eq!(store.case(case.id()).await.unwrap().as_ref(), Some(&case));
    let listed = store.list(&Filter::default()).await.unwrap();
    assert_eq!(listed.lines[0].id, case.id());
}

#[tokio::test]
async fn equal_answers_are_stored_once() {
    let world = World::new();
    let cases: Vec<_> = (1..=50).map(case).collect();
    let store = filled(&world, &cases).await;
    let mut reading = store.shared().readers().unwrap().acquire().await.unwrap();
    let sql = "SELECT count(*), CAST(sum(uses) AS BIGINT) FROM part JOIN part_use USING (id)";
    let counts: (i64, i64) = sqlx::query_as(sql).fetch_one(&mut *reading).await.unwrap();
    // Three answers and two findings, of which each case has its own use.
    assert_eq!(counts, (5, 250));
}

#[tokio::test]
async fn an_id_is_written_once() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    let mut second = refused(1);
    second.facts.case_id = case(1).facts.case_id;
    store.record_case(&second);
    store.record_case(&second);
    store.flush().await;
    assert_eq!(store.health().written, 1);
    assert_eq!(store.case(case(1).id()).await.unwrap(), Some(case(1)));
}

#[tokio::test]
async fn a_case_without_an_id_is_counted_as_lost() {
    let world = World::new();
    let store = world.open().await;
    let mut nameless = case(1);
    nameless.facts.case_id.clear();
    store.record_case(&nameless);
    store.flush().await;
    assert_eq!((store.health().written, store.health().dropped), (0, 1));
}

#[tokio::test]
async fn only_refusals_have_a_public_page_and_it_expires() {
    let world = World::new();
    let (accepted, refused) = (case(1), refused(2));
    assert_eq!(refused.verdict.action, Action::Reject);
    let store = filled(&world, &[accepted.clone(), refused.clone()]).await;
    let public = async |id: &str| store.public_case(id).await.unwrap();
    assert_eq!(public(&accepted.facts.public_id).await, None);
    assert_eq!(public(&refused.facts.public_id).await, Some(refused.clone()));
    assert_eq!(public("").await, None);
    world.clock.store(NOON + 31 * 86_400, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(public(&refused.facts.public_id).await, None);
    assert!(store.case(refused.id()).await.unwrap().is_some());
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    let world = World::new();
    world.open().await.close().await;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.path()), 0o600);
    std::fs::set_permissions(world.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let store = filled(&world, &[case(1)]).await;
    assert_eq!(mode(world.path()), 0o600);
    assert_eq!(mode(&world.folder.path().join("cases.db-wal")), 0o600);
    store.close().await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_errors() {
    let world = World::new();
    let at = |name: &str| crate::Settings {
        path: world.folder.path().join(name),
        ..world.settings.clone()
    };
    let error = Store::open(at("missing/cases.db")).await.err().unwrap();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
    std::fs::create_dir(world.folder.path().join("folder")).unwrap();
    let error = Store::open(at("folder")).await.err().unwrap();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
    let error = Store::open_existing(at("none.db")).await.err().unwrap();
    assert!(matches!(error, Error::Absent { .. }), "{error}");
    assert!(!at("none.db").path.exists());
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let world = World::new();
    let store = world.open().await;
    store.close().await;
    let mut opened = database(&world).await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
               execution_time) VALUES (99, 'later', true, x'00', 0)";
    sqlx::query(sql).execute(&mut opened.connection).await.unwrap();
    opened.close().await;
    let opened = Store::open_tuned(world.settings.clone(), world.tuning.clone()).await;
    assert!(matches!(opened.err().unwrap(), Error::Newer { .. }));
}

#[tokio::test]
async fn the_nonce_is_not_in_the_body() {
    let world = World::new();
    let store = filled(&world, &[case(0xa5)]).await;
    let mut reading = store.shared().readers().unwrap().acquire().await.unwrap();
    let sql = "SELECT body FROM message_case";
    let body: String = sqlx::query_scalar(sql).fetch_one(&mut *reading).await.unwrap();
    assert!(body.contains("receiver") && !body.contains("nonce"), "{body}");
}

#[tokio::test]
async fn a_handle_for_reading_sees_what_another_writes() {
    let world = World::new();
    let store = filled(&world, &[case(1)]).await;
    let reader = Store::open_to_read(world.settings.clone()).unwrap();
    assert_eq!(reader.case(case(1).id()).await.unwrap(), Some(case(1)));
    store.record_case(&case(2));
    store.flush().await;
    assert_eq!(reader.case(case(2).id()).await.unwrap(), Some(case(2)));
    reader.record_case(&case(3));
    assert_eq!(reader.health().dropped, 1);
    let whom = crate::Subject::Domain("pass.example".to_owned());
    assert!(reader.erase(&whom).await.is_err());
    let none = crate::Settings { path: world.folder.path().join("none"), ..world.settings.clone() };
    assert!(matches!(Store::open_to_read(none), Err(Error::Absent { .. })));
}
