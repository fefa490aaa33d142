//! Worlds for tests: domains whose records include one another, networks that touch and hold one
//! another, and the addresses at whose edges anything could come out otherwise.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use quivive_evidence::{
    Answer, DnsAnswer, Failure, Mx, Notebook, Outcome as Found, Question, RecordType, Source,
};

use crate::record::Name;
use crate::spans::NextEdge;
use crate::trace::Watch;
use crate::walk::Walk;
use crate::{Limits, Outcome, Record, Request};

/// How many domains a world has.
pub(crate) const DOMAINS: usize = 5;

/// Networks near each other, so that they hold one another, touch and repeat.
fn network() -> impl Strategy<Value = String> {
    let ipv4 = (select(vec![0_u8, 1, 2, 128, 255]), any::<u8>(), 20..=32_u8)
        .prop_map(|(c, d, prefix)| format!("ip4:192.0.{c}.{d}/{prefix}"));
    let ipv6 = (select(vec!["", "0:1:", "ffff:"]), any::<u8>(), 112..=128_u8)
        .prop_map(|(part, last, prefix)| format!("ip6:2001:db8:{part}:{last:x}/{prefix}"));
    let wide = select(vec![
        "ip4:0.0.0.0/0",
        "ip4:128.0.0.0/1",
        "ip4:255.255.255.255",
        "ip6:::/0",
        "ip6:2001:db8::/64",
    ]);
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
    pub(crate) fn records()(
        records in prop::collection::vec(prop::option::weighted(0.9, record()), DOMAINS)
    ) -> Vec<String> {
        records.into_iter().map(Option::unwrap_or_default).collect()
    }
}

/// What DNS says; some of what may be asked is not known.
pub(crate) fn notebook(records: &[String]) -> Notebook {
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

/// What DNS says, where it knows every name that is asked for any message alike.
pub(crate) fn knowing_notebook(records: &[String]) -> Notebook {
    let mut notebook = notebook(records);
    for index in 0..DOMAINS {
        let name: Arc<str> = format!("n{index}.test").into();
        let other = format!("n{}.test", (index + 1) % DOMAINS);
        let exchangers = [name.to_string(), other, format!("void.{name}")];
        let exchangers = (0..).zip(exchangers).take(index);
        let exchangers =
            exchangers.map(|(preference, host)| Mx { preference, exchange: host.into() });
        notebook.note(&name, DnsAnswer::A(found(vec![address(index), address(index + 90)])));
        notebook.note(&name, DnsAnswer::Aaaa(found(vec![address6(index)])));
        notebook.note(&name, DnsAnswer::Mx(found(exchangers.collect())));
        let nothing = |name: String, record_type| {
            (name, DnsAnswer::without_records(record_type, Found::NoName, Source::default()))
        };
        for (name, answer) in [
            nothing(format!("void.{name}"), RecordType::Aaaa),
            nothing(format!("unasked.{name}"), RecordType::A),
        ] {
            notebook.note(&name.into(), answer);
        }
    }
    notebook
}

/// An IPv4 address of a domain; that of the second is in [`notebook`], too.
fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 6 + index as u8)
}

fn address6(index: usize) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, index as u16)
}

fn found<T>(records: Vec<T>) -> Arc<Answer<T>> {
    Arc::new(Answer::new(Found::of(records), Source::default()))
}

/// The edges of all networks, with the addresses next to them.
pub(crate) fn edges(records: &[String]) -> BTreeSet<IpAddr> {
    let mut addresses = BTreeSet::from([[10, 0, 0, 1].into(), [0; 4].into(), [255; 4].into()]);
    for index in 0..DOMAINS {
        for bits in [address(index), address(index + 90)].map(Ipv4Addr::to_bits) {
            let near = [bits - 1, bits, bits + 1, bits & !255, (bits & !255) - 1, bits | 255];
            addresses.extend(near.map(Ipv4Addr::from_bits).map(IpAddr::from));
        }
        let bits = address6(index).to_bits();
        let hosts = u128::from(u64::MAX);
        let near = [bits - 1, bits, bits + 1, bits & !hosts, bits | hosts, (bits | hosts) + 1];
        addresses.extend(near.map(Ipv6Addr::from_bits).map(IpAddr::from));
    }
    for record in records.iter().filter_map(|record| Record::parse(record.as_bytes()).ok()) {
        for directive in record.places() {
            let mut watch = NextEdge::above(0);
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
            let edge = watch.edge().map(|edge| match directive.name() {
                Name::Ip4 => Ipv4Addr::from_bits(edge as u32).into(),
                _ => IpAddr::from(Ipv6Addr::from_bits(edge)),
            });
            assert!(edge.is_none_or(|edge| addresses.contains(&edge)), "{record:?} {edge:?}");
        }
    }
    addresses
}

/// What a walk comes to with all that it counted, what it explains, and what it asks.
pub(crate) type Whole<'e> = (Outcome<'e>, Option<String>, Vec<Question>);

pub(crate) fn walked<'e, W: Watch>(
    request: &'e Request<'_>,
    notebook: &'e Notebook,
    limits: Limits,
    watch: W,
) -> Whole<'e> {
    let mut walk = Walk::new(request, notebook, limits, watch);
    let conclusion = walk.run();
    (walk.outcome(conclusion), walk.explanation, walk.missing.into_questions())
}

pub(crate) fn request(address: IpAddr, domain: &str) -> Request<'_> {
    Request::of_sender(address, ("some-body", domain), "helo.test")
}
