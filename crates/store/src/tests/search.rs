use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::{Action, Case};

use super::world::{NOON, World, case, filled, message, refused, write_out};
use crate::list::LOOKED_AT_MAX;
use crate::{Filter, RECIPIENTS_SHOWN, Store};

const DAY: u64 = 86_400;

fn all() -> Filter {
    Filter { limit: 500, ..Filter::default() }
}

fn text(text: &str) -> Filter {
    Filter { text: Some(text.to_owned()), ..all() }
}

async fn ids(store: &Store, filter: &Filter) -> Vec<String> {
    let page = store.list(filter).await.unwrap();
    page.lines.into_iter().map(|line| line.id).collect()
}

/// An accepted, a refused, one over IPv6 and one in other letters.
fn cases() -> [Case; 4] {
    let mut other = message(4, "192.0.2.77", "Dörte.Müller@pass.example");
    other.facts.helo = "MÜLLER.Example".to_owned();
    other.facts.recipients = ["a@one.test", "b@two.test", "c@three.test", "d@deep.four.test"]
        .map(str::to_owned)
        .to_vec();
    let v6 = message(3, "2001:db8:1:2::3", "dave@pass.example");
    [case(1), refused(2), v6, other]
}

#[tokio::test]
async fn each_filter_finds_what_it_names() {
    let world = World::flooded();
    let cases = cases();
    let store = filled(&world, &cases).await;
    each_filter(&store, &cases).await;
    write_out(&world).await;
    each_filter(&store, &cases).await;
}

async fn each_filter(store: &Store, cases: &[Case; 4]) {
    let id = |number: usize| cases[number - 1].id().to_owned();
    let network = |network: &str| Filter { client: network.parse().ok(), ..all() };
    let domain = |domain: &str| Filter { domain: Some(domain.to_owned()), ..all() };
    let address = |address: &str| Filter { address: Some(address.to_owned()), ..all() };
    let expected = [
        (all(), vec![4, 3, 2, 1]),
        (Filter { action: Some(Action::Reject), ..all() }, vec![3, 2]),
        (Filter { action: Some(Action::Hold), ..all() }, vec![]),
        (Filter { result: Some(FindingResult::Fail), ..all() }, vec![3, 2]),
        (Filter { method: Some(Method::Spf), ..all() }, vec![4, 3, 2, 1]),
        (Filter { method: Some(Method::Dkim), ..all() }, vec![]),
        (
            Filter { identity: Some(Identity::Helo), result: Some(FindingResult::Fail), ..all() },
            vec![],
        ),
        (
            Filter {
                identity: Some(Identity::Mailfrom),
                result: Some(FindingResult::Fail),
                ..all()
            },
            vec![3, 2],
        ),
        (network("192.0.2.1/32"), vec![1]),
        (network("192.0.2.0/26"), vec![1]),
        (network("192.0.0.0/13"), vec![4, 1]),
        (network("0.0.0.0/0"), vec![4, 2, 1]),
        (network("2001:db8:1:2::/64"), vec![3]),
        (network("2001:db8:1::/47"), vec![3]),
        (network("::/0"), vec![3]),
        (domain("pass.example"), vec![4, 3, 2, 1]),
        (domain("sender.example"), vec![4, 3, 2, 1]),
        (domain("PASS.Example."), vec![4, 3, 2, 1]),
        (domain("four.test"), vec![4]),
        (domain("ass.example"), vec![]),
        (domain(""), vec![]),
        (address("MALLORY@pass.example"), vec![2]),
        (address("bob@example.test"), vec![3, 2, 1]),
        (address("ob@example.test"), vec![]),
        (text("mallory"), vec![2]),
        (text("mallory@pass.example"), vec![2]),
        (text("MALL"), vec![2]),
        (text("dave sender"), vec![3]),
        (text("dave mallory"), vec![]),
        (text("2001:db8:1:2::3"), vec![3]),
        (text("192.0.2.77"), vec![4]),
        (text("müller"), vec![4]),
        (text("Dörte.mü"), vec![4]),
        (text(&id(3)), vec![3]),
        (text(&id(3).to_uppercase()), vec![3]),
        (text(&format!("dave {}", id(3))), vec![3]),
        (text(&format!("mallory {}", id(3))), vec![]),
        (text(&format!("{} {}", id(3), id(2))), vec![]),
        (text(&format!("bounce-{}", id(3))), vec![]),
        (text(""), vec![4, 3, 2, 1]),
        (Filter { since: Some(NOON + 2), until: Some(NOON + 4), ..all() }, vec![3, 2]),
        (Filter { since: Some(NOON + DAY), ..all() }, vec![]),
        (Filter { until: Some(NOON), ..all() }, vec![]),
        (Filter { action: Some(Action::Reject), ..text("dave") }, vec![3]),
    ];
    for (filter, numbers) in expected {
        let expected: Vec<String> = numbers.into_iter().map(id).collect();
        assert_eq!(ids(store, &filter).await, expected, "{filter:?}");
    }
}

/// What is found while a case is packed is found afterwards, and nothing else is.
#[tokio::test]
async fn a_packed_case_is_found_by_what_finds_a_row() {
    let world = World::flooded();
    let mut odd = case(2);
    odd.findings[0].domain = "signer.elsewhere.example".to_owned();
    let store = filled(&world, &[case(1), odd, refused(3)]).await;
    let texts = "192 192.0 192.0.2 192.0.2.1 2.1 sender mail.send nder pass pas ice alice@ \
                 ALICE alice@pass.exa signer signer.else elsewhere signer.elsewhere.example \
                 example test bob mallory 0000000000000002 000000000000000 1 a p . @ %";
    let texts = texts.split_whitespace().map(text);
    let domains = ["example", "pass.example", "signer.elsewhere.example", "elsewhere.example"];
    let domains = domains.map(|name| Filter { domain: Some(name.to_owned()), ..all() });
    let filters: Vec<Filter> = texts.chain(domains).collect();
    let mut found = Vec::new();
    for filter in &filters {
        found.push(ids(&store, filter).await);
    }
    write_out(&world).await;
    for (filter, packed) in filters.iter().zip(&found) {
        assert_eq!(ids(&store, filter).await, *packed, "{filter:?}");
    }
    assert!(found.iter().filter(|found| found.is_empty()).count() > 5);
    assert!(found.iter().filter(|found| !found.is_empty()).count() > 15);
}

/// SQL, FTS5 and LIKE have nothing to say here.
#[tokio::test]
async fn search_text_is_inert() {
    let world = World::flooded();
    let mut odd = case(9);
    odd.facts.helo = "100%_of'\"*<script>".to_owned();
    let store = filled(&world, &[case(1), odd.clone()]).await;
    inert(&store, &odd).await;
    write_out(&world).await;
    inert(&store, &odd).await;
}

async fn inert(store: &Store, odd: &Case) {
    let hostile = [
        "%",
        "_",
        "*",
        "\"",
        "'",
        "\\",
        "-",
        "^",
        ":",
        "(",
        ")",
        "a* OR b",
        "NEAR(alice bob)",
        "words:alice",
        "' OR 1=1 --",
        "\"; DROP TABLE message_case; --",
        "alice%",
        "al_ce",
        "a*e",
        "\u{0}",
        "\u{202e}ecila",
        "{x}",
        "NOT alice",
        "alice AND NOT zzz",
        "😀",
    ];
    for hostile in hostile {
        assert_eq!(ids(store, &text(hostile)).await, Vec::<String>::new(), "{hostile}");
        let page = Filter { address: Some(hostile.to_owned()), ..all() };
        assert_eq!(ids(store, &page).await, Vec::<String>::new(), "{hostile}");
        let page = Filter { domain: Some(hostile.to_owned()), ..all() };
        assert_eq!(ids(store, &page).await, Vec::<String>::new(), "{hostile}");
        assert_eq!(store.case(hostile).await.unwrap(), None);
        assert_eq!(store.public_case(hostile).await.unwrap(), None);
    }
    assert_eq!(ids(store, &text("alice")).await.len(), 2);
    assert_eq!(ids(store, &text("100%_of'\"*<script>")).await, [odd.id()]);
    assert_eq!(ids(store, &text(&"long ".repeat(10_000))).await, Vec::<String>::new());
    assert_eq!(ids(store, &text(&"l".repeat(100_000))).await, Vec::<String>::new());
}

#[tokio::test]
async fn pages_follow_each_other_while_cases_come() {
    let world = World::new();
    let cases: Vec<Case> = (1..=25).map(case).collect();
    let store = filled(&world, &cases).await;
    let mut filter = Filter { limit: 10, ..text("alice") };
    let mut seen = Vec::new();
    loop {
        let page = store.list(&filter).await.unwrap();
        seen.extend(page.lines.into_iter().map(|line| line.id));
        // New cases do not move those that were there.
        store.record_case(&case(100 + seen.len() as u64));
        store.flush().await;
        filter.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let expected: Vec<String> = cases.iter().rev().map(|case| case.id().to_owned()).collect();
    assert_eq!(seen, expected);
}

/// What the index cannot tell is looked at, and no more of it for a page than the bound.
#[tokio::test]
async fn a_page_looks_at_no_more_than_its_bound() {
    let world = World::new();
    let mut cases = vec![message(1, "198.18.0.1", "zoe@pass.example")];
    cases.extend((2..3000).map(case));
    let store = filled(&world, &cases).await;
    // No network as wide is a word.
    let wide = Filter { client: "198.0.0.0/7".parse().ok(), limit: 10, ..Filter::default() };
    let page = store.list(&wide).await.unwrap();
    assert_eq!(page.lines, []);
    let next = page.next.unwrap();
    assert!(3000 - next.0 < 2 * LOOKED_AT_MAX as u64);
    let page = store.list(&Filter { before: Some(next), ..wide }).await.unwrap();
    assert_eq!((page.lines.len(), page.next), (1, None));
}

#[tokio::test]
async fn a_line_says_what_a_list_needs() {
    let world = World::new();
    let cases = cases();
    let store = filled(&world, &cases).await;
    let page = store.list(&all()).await.unwrap();
    let (line, case) = (&page.lines[0], &cases[3]);
    assert_eq!(line.recipients, case.facts.recipients[..RECIPIENTS_SHOWN]);
    assert_eq!(line.recipients_count, 4);
    assert_eq!((line.at, line.client), (case.facts.now, case.facts.client_address));
    assert_eq!((line.action, line.code), (Action::Accept, 250));
    assert_eq!(line.outcome, "250 2.0.0 Taken");
    let finding = line.findings.iter().find(|one| one.identity == Identity::Mailfrom).unwrap();
    assert_eq!((finding.result, &*finding.domain), (FindingResult::Pass, "pass.example"));
    assert!(!finding.cause.is_empty());
}

#[tokio::test]
async fn the_overview_counts() {
    let world = World::new();
    let mut yesterday = refused(10);
    yesterday.facts.now = NOON - DAY;
    let mut before = case(11);
    before.facts.now = NOON - 40 * DAY;
    let store = filled(&world, &[case(1), case(2), refused(3), yesterday, before]).await;
    let overview = store.overview(NOON + 60, 30).await.unwrap();
    assert_eq!((overview.today.cases, overview.yesterday.cases), (3, 1));
    assert_eq!((overview.period.cases, overview.before.cases, overview.cases_kept), (4, 1, 5));
    assert_eq!(overview.period.actions[&Action::Reject], 2);
    let fails = (Method::Spf, Identity::Mailfrom, FindingResult::Fail);
    assert_eq!((overview.period.findings[&fails], overview.today.findings[&fails]), (2, 1));
    assert_eq!((overview.per_day.len(), overview.per_hour.len()), (30, 13));
    let days: Vec<u64> = overview.per_day[28..].iter().map(|day| day.cases).collect();
    assert_eq!(days, [1, 3]);
    assert_eq!(overview.per_hour[12].cases, 3);
    assert_eq!(overview.per_day[29].until - overview.per_day[0].since, 30 * DAY);
    assert_eq!(overview.refused_domains, [("pass.example".to_owned(), 2)]);
    for (now, days) in [(0, 0), (u64::MAX, u32::MAX)] {
        assert_eq!(store.overview(now, days).await.unwrap().today.cases, 0);
    }
}
