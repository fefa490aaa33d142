//! Queue, cases and file stay within their bounds.

use std::fs;
use std::sync::atomic::Ordering;

use quivive_evidence::{FindingResult, Header, Property, Recorded, TermResult, TraceNode};
use quivive_verdict::{Case, HeaderEdit, RecipientVerdict};

use super::world::{NOON, World, answer, case, filled, message, refused};
use crate::cut;
use crate::encode::Encoded;
use crate::part::Parts;
use crate::tally::DOMAINS_A_DAY_MAX;
use crate::{CASE_OCTETS_MAX, Filter};

const DAY: u64 = 86_400;

fn all() -> Filter {
    Filter { limit: 500, ..Filter::default() }
}

/// As what is recorded is cut.
fn within_bound(mut case: Case) -> Case {
    let evidence = std::mem::take(&mut case.evidence);
    let octets = |answer: &Recorded| serde_json::to_string(answer).unwrap().len();
    let answers: Vec<_> =
        evidence.iter().map(|answer| (answer.question.clone(), octets(answer))).collect();
    let stay = cut::within_bound(&mut case, &answers);
    case.evidence = stay.into_iter().map(|place| evidence[place].clone()).collect();
    case
}

fn octets(case: &Case) -> usize {
    serde_json::to_string(case).unwrap().len()
}

#[tokio::test]
async fn the_queue_is_bounded_by_count() {
    let mut world = World::new();
    world.tuning.cases_waiting_max = 3;
    let store = world.open().await;
    for number in 1..=5 {
        store.record_case(&case(number));
    }
    let health = store.health();
    assert_eq!((health.queue_length, health.queue_capacity, health.dropped), (3, 3, 2));
    store.flush().await;
    assert_eq!(store.health().written, 3);
    assert!(store.case(case(5).id()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_queue_is_bounded_by_octets() {
    let mut world = World::new();
    world.tuning.octets_waiting_max = 100_000;
    let store = world.open().await;
    let mut large = case(1);
    large.facts.helo = "h".repeat(60_000);
    store.record_case(&large);
    large.facts.case_id = "2".to_owned();
    store.record_case(&large);
    store.record_case(&case(3));
    let health = store.health();
    assert_eq!((health.queue_length, health.dropped), (2, 1));
}

/// What of a case grows with the message counts, wherever it stands.
#[tokio::test]
async fn the_queue_counts_all_that_a_client_says() {
    type Lengthen = fn(&mut Case, String);
    let lengthen: [Lengthen; 2] = [
        |case, long| case.facts.submitter = Some(long),
        |case, long| {
            let message = format!("From: {long}\r\n\r\n");
            case.facts.header = Some(Header::read(message.as_bytes()));
        },
    ];
    for lengthen in lengthen {
        let mut world = World::new();
        world.tuning.octets_waiting_max = 100_000;
        let store = world.open().await;
        for number in 1..=2 {
            let mut large = case(number);
            lengthen(&mut large, format!("{number}").repeat(60_000));
            store.record_case(&large);
        }
        assert_eq!((store.health().queue_length, store.health().dropped), (1, 1));
    }
}

/// Evidence of megabytes: the longest answers go, in the order in which they were asked the others
/// stay.
#[test]
fn the_longest_answers_go_first() {
    let mut long = case(1);
    let question = |name: usize| format!("n{name}.example TXT");
    for name in 0..40 {
        let record = "r".repeat(if name % 2 == 0 { 90_000 } else { 5_000 + name });
        long.evidence.push(answer(&question(name), "found", &[&*record]));
    }
    let encoded = Encoded::of_case(&long, &mut Parts::new()).unwrap();
    let marks = (0..40).step_by(2).filter(|name| encoded.body.contains(&question(*name)));
    assert!(marks.count() >= 18);
    let stay: Vec<&str> = encoded.parts.evidence.iter().map(|part| &*part.content).collect();
    let places: Vec<usize> = (1..40)
        .step_by(2)
        .map(|name| stay.iter().position(|one| one.contains(&question(name))).unwrap())
        .collect();
    assert!(places.is_sorted());
    assert!(encoded.octets_in_file() <= CASE_OCTETS_MAX + 64 * 64);
}

#[test]
fn a_case_within_the_bound_is_not_cut() {
    assert_eq!(within_bound(case(1)), case(1));
}

#[test]
fn traces_go_first_for_they_can_be_found_out_again() {
    let mut long = case(1);
    let node = TraceNode {
        term: "a".repeat(1000),
        span: (0, 1),
        result: TermResult::Result(FindingResult::Pass),
        questions: Vec::new(),
        children: Vec::new(),
    };
    long.findings[0].trace = vec![node; 300];
    let cut = within_bound(long);
    assert_eq!(cut.cut, ["trace"]);
    assert_eq!((cut.evidence, cut.facts), (case(1).evidence, case(1).facts));
}

#[test]
fn every_field_is_cut_with_its_mark() {
    let long = "x".repeat(CASE_OCTETS_MAX);
    type Lengthen = (&'static str, fn(&mut Case, String));
    let fields: [Lengthen; 15] = [
        ("helo", |case, long| case.facts.helo = long),
        ("reverse_path", |case, long| case.facts.reverse_path = long),
        ("auth_user", |case, long| case.facts.auth_user = Some(long)),
        ("recipients", |case, long| case.facts.recipients.push(long)),
        ("submitter", |case, long| case.facts.submitter = Some(long)),
        ("certificate", |case, long| case.facts.certificate = Some(long)),
        ("explanation", |case, long| case.findings[0].explanation = Some(long)),
        ("properties", |case, long| {
            case.findings[0].properties = vec![Property::new("header.from", long)];
        }),
        ("header", |case, long| {
            let message = format!("From: {}\r\n\r\n", "\u{e9}".repeat(long.len() / 9));
            case.facts.header = Some(Header::read(message.as_bytes()));
        }),
        ("reasons", |case, long| case.verdict.reasons.push(long)),
        ("received_spf", |case, long| case.headers.received_spf.push(long)),
        ("authentication_results", |case, long| case.headers.authentication_results = long),
        ("x_rmx", |case, long| case.headers.x_rmx = Some(long)),
        ("edits", |case, long| {
            case.headers.edits = vec![HeaderEdit { name: "From".to_owned(), value: long }];
        }),
        ("outcome", |case, long| case.outcome = long),
    ];
    for (field, lengthen) in fields {
        let mut longer = case(1);
        lengthen(&mut longer, long.clone());
        let cut = within_bound(longer);
        assert!(octets(&cut) <= CASE_OCTETS_MAX, "{field}");
        assert!(cut.cut.iter().any(|mark| mark == field), "{field}: {:?}", cut.cut);
    }
}

#[test]
fn too_many_recipients_are_cut() {
    let mut crowd = case(1);
    crowd.facts.recipients =
        (0..5000).map(|n| format!("{n}{}@example.test", "r".repeat(50))).collect();
    let one = RecipientVerdict {
        recipient: "r@example.test".to_owned(),
        ..crowd.verdict.recipients[0].clone()
    };
    crowd.verdict.recipients = vec![one; 5000];
    let cut = within_bound(crowd);
    assert!(octets(&cut) <= CASE_OCTETS_MAX);
    assert!(cut.cut.contains(&"recipients".to_owned()));
    assert_eq!(cut.facts.recipients.len(), 100);
}

#[tokio::test]
async fn an_answer_that_is_too_long_goes_whole_and_replay_lacks_it() {
    let mut long = case(1);
    let record = format!("v=spf1 ip4:192.0.2.0/24 -all {}", "x".repeat(60_000));
    long.evidence = vec![answer("pass.example TXT", "found", &[&*record; 6])];
    long.evidence.extend(case(1).evidence[1..].iter().cloned());
    let world = World::new();
    let store = filled(&world, &[long]).await;
    let stored = store.case(case(1).id()).await.unwrap().unwrap();
    assert!(stored.cut.contains(&"evidence: pass.example TXT".to_owned()), "{:?}", stored.cut);
    assert!(octets(&stored) <= CASE_OCTETS_MAX);
    let evidence = stored.notebook(&[]).unwrap();
    let again = quivive_verdict::replay(super::world::policy(), stored.facts, evidence);
    assert_eq!(
        again.lacking.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["pass.example TXT"]
    );
}

#[tokio::test]
async fn old_cases_go_and_their_counters_stay() {
    let world = World::new();
    let store = filled(&world, &[case(1), refused(2)]).await;
    world.clock.store(NOON + 20 * DAY, Ordering::Relaxed);
    let mut late = case(3);
    late.facts.now = NOON + 20 * DAY;
    store.record_case(&late);
    store.flush().await;
    store.tidy().await;
    assert_eq!(store.list(&all()).await.unwrap().lines.len(), 3);
    assert_eq!(store.health().oldest_case, Some(NOON + 1));
    world.clock.store(NOON + 31 * DAY, Ordering::Relaxed);
    store.tidy().await;
    let page = store.list(&all()).await.unwrap();
    assert_eq!(page.lines.iter().map(|line| &line.id).collect::<Vec<_>>(), [late.id()]);
    assert_eq!(store.health().oldest_case, Some(NOON + 20 * DAY));
    assert_eq!(store.case(late.id()).await.unwrap(), Some(late));
    let overview = store.overview(NOON + 31 * DAY, 60).await.unwrap();
    assert_eq!((overview.period.cases, overview.cases_kept), (3, 1));
    let mut opened = super::world::database(&world).await;
    let sql = "SELECT CAST(sum(uses) AS BIGINT) FROM part_use";
    let uses: i64 = sqlx::query_scalar(sql).fetch_one(&mut opened.connection).await.unwrap();
    assert_eq!(uses, 5, "of the parts that the last case uses");
}

/// The clock was wrong by years, and was set back; then cases of the past come.
#[tokio::test]
async fn a_clock_that_was_set_back_is_borne() {
    let world = World::new();
    let mut ahead = case(1);
    ahead.facts.now = NOON + 1000 * DAY;
    let mut behind = case(3);
    behind.facts.now = NOON - 40 * DAY;
    let store = filled(&world, &[ahead.clone(), case(2), behind.clone()]).await;
    let page = store.list(&all()).await.unwrap();
    let ids: Vec<&str> = page.lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, [behind.id(), case(2).id(), ahead.id()], "as they came");
    let since = Filter { since: Some(NOON), until: Some(NOON + DAY), ..all() };
    let page = store.list(&since).await.unwrap();
    assert_eq!(page.lines.iter().map(|line| &line.id).collect::<Vec<_>>(), [case(2).id()]);
    assert_eq!(store.overview(NOON + 10, 30).await.unwrap().period.cases, 1);
    store.tidy().await;
    let page = store.list(&all()).await.unwrap();
    let ids: Vec<&str> = page.lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(ids, [case(2).id(), ahead.id()]);
    world.clock.store(0, Ordering::Relaxed);
    store.tidy().await;
    assert_eq!(store.list(&all()).await.unwrap().lines.len(), 2);
}

#[tokio::test]
async fn a_file_beyond_its_size_gives_pages_back() {
    let mut world = World::new();
    world.settings.retain_mib = 4;
    let store = world.open().await;
    for number in 1..=3000 {
        let sender = format!("user{number}@pass.example");
        let mut long = message(number, "192.0.2.1", &sender);
        long.facts.helo = format!("{number:04000}");
        store.record_case(&long);
    }
    store.flush().await;
    let before = fs::metadata(world.path()).unwrap().len();
    store.tidy().await;
    let after = fs::metadata(world.path()).unwrap().len();
    assert!(before > 8 << 20 && after <= 5 << 20, "{before} {after}");
    let page = store.list(&all()).await.unwrap();
    assert_eq!(page.lines[0].id, case(3000).id(), "the newest stay");
    assert!(store.case(case(1).id()).await.unwrap().is_none(), "the oldest go");
    assert!(store.health().file_octets <= 6 << 20);
}

#[tokio::test]
async fn refused_domains_beyond_a_days_bound_are_counted_together() {
    let world = World::new();
    let store = world.open().await;
    let beyond = 5;
    for number in 0..DOMAINS_A_DAY_MAX.unsigned_abs() + beyond {
        let mut one = refused(1);
        one.facts.case_id = format!("{number:x}");
        one.facts.public_id.clear();
        one.facts.reverse_path = format!("x@d{number}.example");
        store.record_case(&one);
    }
    store.flush().await;
    let overview = store.overview(NOON, 1).await.unwrap();
    assert_eq!(overview.refused_domains[0], (String::new(), beyond));
    assert_eq!(overview.refused_domains[1].1, 1);
}
