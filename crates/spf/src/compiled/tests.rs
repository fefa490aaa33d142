//! Compiling a record changes nothing: what a walk over its table comes to is what a walk over all
//! of its terms comes to, whatever the client's address.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use quivive_evidence::{
    Answer, DnsAnswer, Failure, Missing, Notebook, Outcome as Found, RecordType, Source, Tracer,
};

use super::*;
use crate::walk::Walk;
use crate::{Limits, Outcome, Request};

/// How many domains a world has.
const DOMAINS: usize = 5;

/// Networks near each other, so that they hold one another, touch and repeat.
fn network() -> impl Strategy<Value = String> {
    let ipv4 = (select(vec![0_u8, 1, 2, 128, 255]), any::<u8>(), 20..=32_u8)
        .prop_map(|(c, d, prefix)| format!("ip4:192.0.{c}.{d}/{prefix}"));
    let ipv6 = (select(vec!["", "0:1:", "ffff:"]), any::<u8>(), 112..=128_u8)
        .prop_map(|(part, last, prefix)| format!("ip6:2001:db8:{part}:{last:x}/{prefix}"));
    let wide = select(vec!["ip4:0.0.0.0/0", "ip4:128.0.0.0/1", "ip4:255.255.255.255", "ip6:::/0"]);
    prop_oneof![8 => ipv4, 3 => ipv6, 1 => wide.prop_map(str::to_owned)]
}

fn asking() -> impl Strategy<Value = String> {
    let term = select(vec![
        "include:NAME",
        "include:NAME",
        "include:Missing.NAME",
        "include:a..NAME",
        "a",
        "a:NAME/24//64",
        "mx:NAME",
        "ptr",
        "exists:%{i}.NAME",
        "exists:%{l}.%{p}.NAME",
        "exists:unasked.NAME",
        "a:void.NAME",
    ]);
    (term, 0..DOMAINS).prop_map(|(term, domain)| term.replace("NAME", &format!("n{domain}.test")))
}

fn record() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        12 => network(),
        4 => asking(),
        1 => Just("all".to_owned()),
        1 => Just("unknown=%{d}".to_owned()),
    ];
    let directive = (select(vec!["", "", "-", "~", "?"]), term)
        .prop_map(|(sign, term)| if term.contains('=') { term } else { format!("{sign}{term}") });
    let terms = prop_oneof![
        prop::collection::vec(directive.clone(), 0..6),
        prop::collection::vec(directive, 6..40),
    ];
    let end = select(vec!["", " redirect=n1.test", " exp=explain.n0.test", " exp=%{p}.n0.test"]);
    (terms, end).prop_map(|(terms, end)| format!("v=spf1 {}{end}", terms.join(" ")))
}

prop_compose! {
    fn records()(
        records in prop::collection::vec(prop::option::weighted(0.9, record()), DOMAINS)
    ) -> Vec<String> {
        records.into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// What DNS says; some of what may be asked is not known.
fn notebook(records: &[String]) -> Notebook {
    let mut notebook = Notebook::default();
    let mut note = |name: &str, answer| notebook.note(&name.into(), answer);
    let without =
        |record_type, outcome| DnsAnswer::without_records(record_type, outcome, Source::default());
    for (index, record) in records.iter().enumerate() {
        let name = format!("n{index}.test");
        note(&name, DnsAnswer::Txt(found(vec![record.as_str().into()])));
        note(&format!("missing.{name}"), without(RecordType::Txt, Found::NoName));
        note(&format!("explain.{name}"), DnsAnswer::Txt(found(vec!["%{i} is not ours".into()])));
        note(&format!("void.{name}"), without(RecordType::A, Found::NoData));
        match index {
            0 => note(&name, without(RecordType::A, Found::Failed(Failure::Timeout))),
            1 => note(&name, DnsAnswer::A(found(vec![[192, 0, 2, 7].into()]))),
            2 => note(&name, without(RecordType::Mx, Found::NoName)),
            _ => {}
        }
    }
    notebook
}

fn found<T>(records: Vec<T>) -> Arc<Answer<T>> {
    Arc::new(Answer::new(Found::of(records), Source::default()))
}

/// The edges of all networks, with the addresses next to them.
fn edges(records: &[String]) -> BTreeSet<IpAddr> {
    let mut addresses = BTreeSet::from([[10, 0, 0, 1].into(), [0; 4].into(), [255; 4].into()]);
    for record in records.iter().filter_map(|record| Record::parse(record.as_bytes()).ok()) {
        for directive in record.packed().directives() {
            let mut watch = NextEdge { client: 0, edge: None };
            match directive.name() {
                Name::Ip4 => {
                    let (network, prefix) = directive.ipv4();
                    let hosts = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
                    let first = network.to_bits() & !hosts;
                    for bits in [first.wrapping_sub(1), first, first | hosts] {
                        addresses.insert(Ipv4Addr::from_bits(bits).into());
                        addresses.insert(Ipv4Addr::from_bits(bits.wrapping_add(1)).into());
                    }
                    watch.compared(network.into(), prefix);
                }
                Name::Ip6 => {
                    let (network, prefix) = directive.ipv6();
                    let hosts = u128::MAX.checked_shr(prefix.into()).unwrap_or(0);
                    let first = network.to_bits() & !hosts;
                    for bits in [first.wrapping_sub(1), first, first | hosts] {
                        addresses.insert(Ipv6Addr::from_bits(bits).into());
                        addresses.insert(Ipv6Addr::from_bits(bits.wrapping_add(1)).into());
                    }
                    watch.compared(network.into(), prefix);
                }
                _ => {}
            }
            // The tables look for the same edges.
            let edge = watch.edge.map(|edge| match directive.name() {
                Name::Ip4 => Ipv4Addr::from_bits(edge as u32).into(),
                _ => IpAddr::from(Ipv6Addr::from_bits(edge)),
            });
            assert!(edge.is_none_or(|edge| addresses.contains(&edge)), "{record:?} {edge:?}");
        }
    }
    addresses
}

/// What a walk comes to, and all that it counted.
type Whole<'e> = (Outcome<'e>, Option<String>, Missing);

fn walked<'e, W: Watch>(request: &'e Request<'_>, notebook: &'e Notebook, watch: W) -> Whole<'e> {
    let mut walk = Walk::new(request, notebook, Limits::default(), watch);
    let conclusion = walk.run();
    (walk.outcome(conclusion), walk.explanation, walk.missing)
}

fn request(address: IpAddr, domain: &str) -> Request<'_> {
    Request::of_sender(address, ("some-body", domain), "helo.test")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn compiling_changes_nothing(records in records()) {
        let (cold, warm) = (notebook(&records), notebook(&records));
        let addresses = edges(&records);
        for _ in 0..COMPILED_AT {
            for domain in 0..DOMAINS {
                let domain = format!("n{domain}.test");
                walked(&request([10, 0, 0, 1].into(), &domain), &warm, ());
            }
        }
        for address in addresses {
            for domain in ["n0.test", "n1.test"] {
                let request = request(address, domain);
                let (full, explanation, missing) = walked(&request, &cold, Tracer::default());
                let (compiled, its_explanation, its_missing) = walked(&request, &warm, ());
                prop_assert_eq!(full, compiled, "{} {} {:?}", address, domain, &records);
                prop_assert_eq!(&explanation, &its_explanation);
                prop_assert_eq!(missing.questions(), its_missing.questions());
            }
        }
    }
}

fn compiled(record: &str) -> (Record, Compiled) {
    let record = Record::parse(record.as_bytes()).unwrap();
    let compiled = Compiled::of(&record);
    (record, compiled)
}

fn networks(count: usize) -> String {
    let network = |index: usize| format!(" ip4:10.{}.{}.0/24", index / 256, index % 256);
    format!("v=spf1{}", (0..count).map(network).collect::<String>())
}

/// How many directives are looked at for an address, evaluation by evaluation.
fn looked_at(record: &str, evaluations: u32) -> Vec<usize> {
    let (record, compiled) = compiled(record);
    (0..evaluations)
        .map(|_| match compiled.candidates(&record, [172, 16, 0, 1].into()) {
            Candidates::All(steps) => steps.len(),
            Candidates::Some(_, places, rest) => places.len() + rest.len(),
            Candidates::Unpacked(directives) => directives.count(),
        })
        .collect()
}

#[test]
fn a_table_comes_with_the_twentieth_evaluation() {
    let looked_at = looked_at(&(networks(100) + " a -all"), COMPILED_AT + 1);
    assert_eq!(looked_at[..19], [102; 19]);
    assert_eq!(looked_at[19..], [2; 2]);
}

#[test]
fn few_networks_and_many_directives_have_no_table() {
    assert_eq!(looked_at(&networks(NETWORKS_MIN - 1), 30), [NETWORKS_MIN - 1; 30]);
    assert_eq!(looked_at(&networks(NETWORKS_MIN), 30)[29], 0);
    assert_eq!(looked_at(&networks(DIRECTIVES_MAX), 30)[29], 0);
    assert_eq!(looked_at(&networks(DIRECTIVES_MAX + 1), 30), [DIRECTIVES_MAX + 1; 30]);
    let (_, compiled) = compiled(&networks(DIRECTIVES_MAX + 1));
    assert!(compiled.steps.is_empty(), "what is too much takes no memory");
}

#[test]
fn equal_spans_are_one() {
    let (record, _) = compiled("v=spf1 ip4:10.0.0.0/9 ip4:10.128.0.0/9 ip4:10.1.0.0/16 -all");
    let table = Table::of(&record);
    assert_eq!(table.ipv4.lowest, 3);
    let spans: Vec<_> =
        table.ipv4.others.iter().map(|(start, at)| (Ipv4Addr::from_bits(*start), *at)).collect();
    let expected = [([10, 0, 0, 0], 0), ([10, 128, 0, 0], 1), ([11, 0, 0, 0], 3)];
    assert_eq!(spans, expected.map(|(start, at)| (start.into(), at)));
    assert!(table.ipv6.others.is_empty());
}
