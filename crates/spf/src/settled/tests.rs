use proptest::prelude::*;
use quivive_evidence::{Notebook, Tracer};

use super::*;
use crate::test_world::{DOMAINS, edges, knowing_notebook, notebook, records, request, walked};

/// Domains include only those behind them, so that few walks end at a limit.
fn without_loops(records: &[String]) -> Vec<String> {
    let straight = |(index, record): (usize, &String)| {
        (0..=index).fold(record.clone(), |record, before| {
            record.replace(&format!("include:n{before}."), &format!("a:n{before}."))
        })
    };
    records.iter().enumerate().map(straight).collect()
}

fn use_often(notebook: &Notebook) {
    for _ in 0..SETTLED_AT {
        for domain in 0..DOMAINS {
            for client in ["10.0.0.1", "2001:db8:9::1"] {
                let domain = format!("n{domain}.test");
                let request = request(client.parse().unwrap(), &domain);
                walked(&request, notebook, Limits::default(), ());
            }
        }
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    let limits = (0..4_usize, 0..12_usize);
    let limits =
        limits.prop_map(|(void_lookups_max, terms_max)| Limits { void_lookups_max, terms_max });
    prop_oneof![1 => Just(Limits::default()), 1 => limits]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Result, cause, decider, counts, explanation and questions, at the edges of every network.
    #[test]
    fn settling_changes_nothing(records in records(), limits in limits(), loops in any::<bool>()) {
        let records = if loops { records } else { without_loops(&records) };
        let (cold, warm) = (knowing_notebook(&records), knowing_notebook(&records));
        use_often(&warm);
        for address in edges(&records) {
            for domain in ["n0.test", "n1.test", "n3.test"] {
                let request = request(address, domain);
                let full = walked(&request, &cold, limits, Tracer::default());
                let settled = walked(&request, &warm, limits, ());
                prop_assert_eq!(full, settled, "{} {} {:?}", address, domain, &records);
            }
        }
    }
}

/// The first domains of a world; the others publish nothing.
fn world(records: &[&str]) -> Vec<String> {
    let mut records: Vec<String> = records.iter().map(|record| (*record).to_owned()).collect();
    records.resize(DOMAINS, String::new());
    records
}

/// What is kept of a domain for IPv4: none before it is settled.
fn kept(notebook: &Notebook, domain: &str, role: Role) -> Option<Option<usize>> {
    let memo = notebook.txt_with_derived(domain)?.1?.memo();
    let policy: &Option<Policy<u32>> = match role {
        Role::Own => &memo.get::<ForOwn<u32>>()?.0,
        Role::Included => &memo.get::<ForIncluded<u32>>()?.0,
    };
    Some(policy.as_ref().map(|policy| policy.spans.values().count()))
}

#[test]
fn a_policy_is_settled_at_the_twentieth_use() {
    let records = world(&["v=spf1 ip4:10.0.0.0/8 include:n1.test -all", "v=spf1 a:n2.test ?all"]);
    let notebook = knowing_notebook(&records);
    let request = request([192, 0, 2, 8].into(), "n0.test");
    for uses in 1..=SETTLED_AT {
        let (outcome, _, _) = walked(&request, &notebook, Limits::default(), ());
        assert_eq!((outcome.decided_by(), outcome.terms), (Some("include:n1.test"), 2));
        let own = kept(&notebook, "n0.test", Role::Own);
        assert_eq!(own, (uses == SETTLED_AT).then_some(Some(7)), "{uses}");
    }
    assert_eq!(kept(&notebook, "n1.test", Role::Included), None, "it is part of the first");
    let copy = notebook.clone();
    assert_eq!(kept(&copy, "n0.test", Role::Own), None, "a copy begins without");
    assert!(kept(&notebook, "n0.test", Role::Own).is_some());
}

fn networks(count: usize) -> String {
    (0..count).map(|index| format!(" ip4:10.{}.{}.0/25", index / 256, index % 256)).collect()
}

#[test]
fn what_is_too_much_is_walked() {
    let own = |records: &[&str]| {
        let notebook = knowing_notebook(&world(records));
        use_often(&notebook);
        (kept(&notebook, "n0.test", Role::Own), kept(&notebook, "n1.test", Role::Included))
    };
    let record = |networks: &str| format!("v=spf1{networks} -all");
    // A network has a span of its own and one behind it.
    let most = networks(OWN_SPANS_MAX / 2);
    assert_eq!(own(&[&record(&most)]).0, Some(Some(OWN_SPANS_MAX + 1)));
    assert_eq!(own(&[&record(&networks(OWN_SPANS_MAX / 2 + 1))]).0, Some(None));
    // Networks side by side, each of which decides by itself.
    let adjacent =
        |count: usize| (0..count).map(|at| format!(" ip4:0.0.{at}.0/24")).collect::<String>();
    assert_eq!(own(&[&record(&adjacent(ENDS_MAX - 1))]).0, Some(Some(ENDS_MAX)));
    assert_eq!(own(&[&record(&adjacent(ENDS_MAX))]).0, Some(None));
    let includes = "v=spf1 include:n1.test -all";
    let most = networks(INCLUDED_SPANS_MAX / 2);
    let settled = (Some(None), Some(Some(INCLUDED_SPANS_MAX + 1)));
    assert_eq!(own(&[includes, &record(&most)]), settled);
    let more = networks(INCLUDED_SPANS_MAX / 2 + 1);
    assert_eq!(own(&[includes, &record(&more)]), (Some(None), Some(None)));
    // Few spans, but long to find.
    let repeated = " ip4:10.0.0.0/8".repeat(2000);
    assert_eq!(own(&[includes, &record(&repeated)]).1, Some(Some(3)));
    let long = repeated.clone() + &networks(64).replace("10.", "11.") + &repeated;
    assert_eq!(own(&[includes, &record(&long)]).1, Some(None));
}

#[test]
fn what_is_not_for_all_messages_alike_stays_open() {
    let open = |records: &[&str], notebook: fn(&[String]) -> Notebook| {
        let notebook = notebook(&world(records));
        use_often(&notebook);
        kept(&notebook, "n0.test", Role::Own)
    };
    let settled = |record: &str| open(&[record], knowing_notebook);
    assert_eq!(settled("v=spf1 exists:%{i}.n0.test -all"), Some(None));
    assert_eq!(settled("v=spf1 exists:%{l}.n0.test -all"), Some(None));
    assert_eq!(settled("v=spf1 ptr -all"), Some(None));
    assert_eq!(settled("v=spf1 -all exp=explain.n0.test"), Some(None));
    assert_eq!(settled("v=spf1 exists:%{d} -all"), Some(Some(1)));
    assert_eq!(settled("v=spf1 ip4:10.0.0.0/8 exists:%{i}.n0.test -all"), Some(Some(3)));
    assert_eq!(settled("v=spf1 include:n0.test -all"), Some(None), "a limit ends the walk");
    assert_eq!(settled("v=spf1 ip4:10.0.0.0/33"), Some(Some(1)), "an error is settled");
    assert_eq!(open(&["v=spf1 exists:unasked.n0.test"], notebook), Some(None));
}

#[test]
fn limits_are_met_where_the_walk_meets_them() {
    let includes = |count: usize| " include:n2.test".repeat(count);
    let records = [
        &format!("v=spf1{} include:n1.test -all", includes(5)),
        &format!("v=spf1{} a:void.n1.test ?all", includes(3)),
        "v=spf1 ip4:10.0.0.0/8 ?all",
    ];
    let records = world(&records);
    let (cold, warm) = (knowing_notebook(&records), knowing_notebook(&records));
    use_often(&warm);
    assert!(kept(&warm, "n0.test", Role::Own).flatten().is_some());
    for terms_max in 0..12 {
        for void_lookups_max in 0..2 {
            let limits = Limits { void_lookups_max, terms_max };
            for address in ["10.1.2.3", "11.1.2.3", "::1"] {
                let request = request(address.parse().unwrap(), "n0.test");
                let full = walked(&request, &cold, limits, Tracer::default());
                assert_eq!(walked(&request, &warm, limits, ()), full, "{limits:?} {address}");
            }
        }
    }
}
