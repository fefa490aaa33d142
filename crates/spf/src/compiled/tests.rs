//! Compiling a record changes nothing: what a walk over its table comes to is what a walk over all
//! of its terms comes to, whatever the client's address.

use proptest::prelude::*;
use quivive_evidence::Tracer;

use super::*;
use crate::test_world::{DOMAINS, edges, notebook, records, request, walked};
use crate::{Limits, Record};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn compiling_changes_nothing(records in records()) {
        let (cold, warm) = (notebook(&records), notebook(&records));
        let addresses = edges(&records);
        for _ in 0..COMPILED_AT {
            for domain in 0..DOMAINS {
                let domain = format!("n{domain}.test");
                let request = request([10, 0, 0, 1].into(), &domain);
                walked(&request, &warm, Limits::default(), ());
            }
        }
        for address in addresses {
            for domain in ["n0.test", "n1.test"] {
                let request = request(address, domain);
                let limits = Limits::default();
                let full = walked(&request, &cold, limits, Tracer::default());
                let compiled = walked(&request, &warm, limits, ());
                prop_assert_eq!(full, compiled, "{} {} {:?}", address, domain, &records);
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
            Candidates::Unread => record.places().count(),
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
    let (record, compiled) =
        compiled("v=spf1 ip4:10.0.0.0/9 ip4:10.128.0.0/9 ip4:10.1.0.0/16 -all");
    let table = Table::of(&record, &compiled.steps).unwrap();
    assert_eq!(table.ipv4.values().copied().collect::<Vec<_>>(), [3, 0, 1, 3]);
    let starts: Vec<_> = table.ipv4.starts().collect();
    let expected = [[10, 0, 0, 0], [10, 128, 0, 0], [11, 0, 0, 0]];
    assert_eq!(starts, expected.map(IpAddr::from));
    assert_eq!(table.ipv6.values().count(), 1);
}
