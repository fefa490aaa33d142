//! Asking ahead of need, and keeping answers, changes no result, cause, trace, count or
//! explanation; and however a record is made, few questions are put ahead of need.

mod world;

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use quivive_evidence::{
    AHEAD_OTHER_ROUND_MAX, AHEAD_QUESTIONS_MAX, AHEAD_TXT_ROUND_MAX, Facts, FindingResult,
    Identity, Question, RecordType,
};
use quivive_spf::{COMPILED_AT, Limits, QUESTIONS_MAX, Spf};
use world::{Run, World, all, strictly};

const NAMES: usize = 8;

/// Enough for a record to be compiled.
const NETWORKS: &str = " ?ip4:192.0.2.64/26 ip4:192.0.2.96 ip4:192.0.2.100/31 ~ip4:192.0.2.128/30 \
    ip4:10.0.0.0/8 ip4:10.1.0.0/16 ip6:2001:db8::/48 ip6:2001:db8:1::/48 ip4:198.51.100.0/25";

fn spf() -> Spf {
    Spf::new(Identity::Mailfrom, Limits::default())
}

fn facts() -> Facts {
    facts_of([192, 0, 2, 1])
}

fn facts_of(client: [u8; 4]) -> Facts {
    let mut facts = Facts::new(client.into());
    facts.helo = "n1.test".to_owned();
    facts.reverse_path = "some-body@n0.test".to_owned();
    facts.receiver = "receiver.test".to_owned();
    facts
}

/// One term, about one of the world's names.
fn term() -> impl Strategy<Value = String> {
    let mechanism = select(vec![
        "ip4:192.0.2.0/24",
        "ip4:198.51.100.7",
        "ip6:2001:db8::/32",
        "a",
        "a:NAME",
        "a:NAME/24",
        "mx",
        "mx:NAME",
        "ptr",
        "ptr:NAME",
        "include:NAME",
        "include:%{d2}",
        "include:NAME",
        "exists:%{i}.NAME",
        "exists:%{l}.NAME",
        "exists:%{ir}.%{v}.%{p}",
        "exists:%{p2}",
        "all",
        "redirect=NAME",
        "exp=explain.NAME",
        "a:%{h}",
        "mx:missing.NAME",
        "include:broken..NAME",
    ]);
    (select(vec!["", "-", "~", "?"]), mechanism, 0..NAMES).prop_map(|(qualifier, term, name)| {
        let qualifier = if term.contains('=') { "" } else { qualifier };
        format!("{qualifier}{}", term.replace("NAME", &format!("n{name}.test")))
    })
}

fn record() -> impl Strategy<Value = String> {
    prop::collection::vec(term(), 0..7).prop_map(|terms| format!("v=spf1 {}", terms.join(" ")))
}

/// What one name has besides its policy.
fn other() -> impl Strategy<Value = (u8, u8, Vec<Index>)> {
    (0..4_u8, 0..5_u8, prop::collection::vec(any::<Index>(), 0..12))
}

prop_compose! {
    fn world()(
        records in prop::collection::vec(prop::option::weighted(0.9, record()), NAMES),
        others in prop::collection::vec(other(), NAMES),
        reverse in prop::collection::vec(any::<Index>(), 0..4),
        networks in select(vec!["", NETWORKS]),
        explanation in select(vec!["%{i} is not %{o}", "see %{p}", "%{x}", "caf\u{e9}"]),
    ) -> World {
        let mut world = World::default();
        let name = |index: usize| format!("n{index}.test");
        for (index, (record, (address, mx, hosts))) in records.iter().zip(others).enumerate() {
            if let Some(record) = record {
                let record = record.replacen("v=spf1", &format!("v=spf1{networks}"), 1);
                world.txt(&name(index), &[&record]);
            }
            world.txt(&format!("explain.{}", name(index)), &[explanation]);
            match address {
                0 => world.ipv4(&name(index), &[[192, 0, 2, 1]]),
                1 => world.ipv4(&name(index), &[[198, 51, 100, 1], [198, 51, 100, 2]]),
                2 => world.fail(&name(index), RecordType::A),
                _ => {}
            }
            let hosts: Vec<String> =
                hosts.iter().map(|host| name(host.index(NAMES + 4))).collect();
            match mx {
                0 => world.fail(&name(index), RecordType::Mx),
                _ => world.mx(&name(index), &hosts.iter().map(String::as_str).collect::<Vec<_>>()),
            }
        }
        let names: Vec<String> = reverse.iter().map(|index| name(index.index(NAMES))).collect();
        world.ptr("1.2.0.192.in-addr.arpa", &names.iter().map(String::as_str).collect::<Vec<_>>());
        world
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn asking_ahead_changes_nothing(world in world(), kept in any::<u64>()) {
        let facts = facts();
        let strict = world.run(spf(), &facts, strictly);
        let eager = world.run(spf(), &facts, all);
        // Any of those ahead of need may stay away for a while.
        let mut bits = kept;
        let some = world.run(spf(), &facts, |round| {
            let ahead = round.ahead.iter().filter(|_| {
                bits = bits.rotate_left(1);
                bits & 1 == 1
            });
            round.needed.iter().chain(ahead).cloned().collect()
        });
        prop_assert_eq!(&strict.finding, &eager.finding);
        prop_assert_eq!(&strict.finding, &some.finding);
        prop_assert!(eager.rounds.len() <= strict.rounds.len());
        // In strict order exactly the needed questions are asked, and always some of the eager
        // ones.
        let needed: HashSet<_> = strict.finding.needed.iter().cloned().collect();
        prop_assert_eq!(&needed, &strict.asked);
        prop_assert!(eager.asked.is_superset(&needed));
        prop_assert!(needed.len() <= QUESTIONS_MAX + 12);
    }

    /// What is kept with an answer, a parsed record or a table made of it, changes nothing: neither
    /// result, cause and explanation nor trace and questions.
    #[test]
    fn keeping_answers_changes_nothing(world in world(), client in any::<u8>()) {
        let facts = facts_of([192, 0, 2, client]);
        let cold = world.run(spf(), &facts, all).finding;
        for _ in 0..COMPILED_AT {
            world.run(spf(), &facts_of([192, 0, 2, client ^ 1]), all);
        }
        prop_assert_eq!(cold, world.run(spf(), &facts, all).finding);
    }

    #[test]
    fn the_caps_hold(world in world()) {
        let run = world.run(spf(), &facts(), all);
        for round in &run.rounds {
            let txt = |question: &&Question| question.to_string().ends_with(" TXT");
            prop_assert!(round.ahead.iter().filter(txt).count() <= AHEAD_TXT_ROUND_MAX);
            let other = round.ahead.iter().filter(|question| !txt(question)).count();
            prop_assert!(other <= AHEAD_OTHER_ROUND_MAX);
            for question in &round.ahead {
                let text = question.to_string();
                prop_assert!(!text.contains("some-body") && !text.ends_with(" PTR"), "{}", text);
            }
        }
        let ahead: HashSet<_> = run.rounds.iter().flat_map(|round| &round.ahead).collect();
        prop_assert!(ahead.len() <= AHEAD_QUESTIONS_MAX);
    }

    #[test]
    fn the_order_of_records_is_irrelevant(
        mut hosts in prop::collection::vec(0..14_usize, 0..12),
        seed in any::<u64>(),
    ) {
        let run = |hosts: &[usize]| {
            let mut world = World::default();
            let names: Vec<String> = hosts.iter().map(|host| format!("h{host}.test")).collect();
            world.txt("n0.test", &["v=spf1 mx -all"]);
            world.mx("n0.test", &names.iter().map(String::as_str).collect::<Vec<_>>());
            for host in 0..12 {
                world.ipv4(&format!("h{host}.test"), &[[192, 0, 2, if host == 5 { 1 } else { 9 }]]);
            }
            world.run(spf(), &facts(), all).finding.result
        };
        hosts.sort_unstable();
        hosts.dedup();
        // Hosts 12 and 13 do not exist; with two of them the void limit holds whatever the order.
        let before = run(&hosts);
        let length = hosts.len();
        for index in (1..length).rev() {
            hosts.swap(index, usize::try_from(seed % (index as u64 + 1)).unwrap());
        }
        prop_assert_eq!(before, run(&hosts));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Addresses, texts beside the policy, and names of the client come in any order.
    #[test]
    fn the_order_within_an_answer_is_irrelevant(
        terms in prop::collection::vec(
            select(vec!["a", "-a:n1.test/31", "ptr", "~ptr:n1.test", "?exists:n2.test", "mx"]),
            0..5,
        ),
        addresses in prop::collection::vec(0..5_u8, 1..6),
        names in prop::collection::vec(0..NAMES, 0..8),
        beside in prop::collection::vec(select(vec!["v=spf10 -all", "x", "spf2.0/pra"]), 0..3),
    ) {
        let run = |turned: bool| {
            fn in_order<T>(mut list: Vec<T>, turned: bool) -> Vec<T> {
                if turned {
                    list.reverse();
                }
                list
            }
            let mut world = World::default();
            let policy = format!("v=spf1 {} -all", terms.join(" "));
            let texts = beside.iter().copied().chain([&*policy]).collect();
            world.txt("n0.test", &in_order(texts, turned));
            world.mx("n0.test", &["n1.test"]);
            for index in 0..3 {
                let one = |last: &u8| [192, 0, 2, (*last + index) % 5];
                let all = in_order(addresses.iter().map(one).collect(), turned);
                world.ipv4(&format!("n{index}.test"), &all);
            }
            let names: Vec<String> = names.iter().map(|name| format!("n{name}.test")).collect();
            let names = in_order(names.iter().map(String::as_str).collect(), turned);
            world.ptr("1.2.0.192.in-addr.arpa", &names);
            let finding = world.run(spf(), &facts(), all).finding;
            (finding.result, finding.cause, finding.decided_by)
        };
        prop_assert_eq!(run(false), run(true));
    }
}

/// How many questions about the victim's names a run puts.
fn on_victim(run: &Run) -> usize {
    run.asked.iter().filter(|question| question.to_string().contains("victim")).count()
}

/// Ten `mx` of ten missing hosts each: uncapped, a hundred questions to the victim's name server.
#[test]
fn many_mx_are_no_amplifier() {
    let mut world = World::default();
    let mut record = "v=spf1".to_owned();
    for domain in 0..10 {
        record.push_str(&format!(" mx:d{domain}.test"));
        let hosts: Vec<String> = (0..10).map(|host| format!("h{host}d{domain}.victim")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        world.mx(&format!("d{domain}.test"), &hosts);
    }
    world.txt("n0.test", &[&record]);
    let strict = world.run(spf(), &facts(), strictly);
    assert_eq!(strict.finding.result, FindingResult::Permerror);
    assert_eq!(strict.finding.cause, "void-lookup-limit");
    assert_eq!(on_victim(&strict), 3);
    let eager = world.run(spf(), &facts(), all);
    assert_eq!(eager.finding, strict.finding);
    assert!(on_victim(&eager) <= 1 + AHEAD_OTHER_ROUND_MAX, "{}", on_victim(&eager));
}

/// Ten includes of missing domains: in strict order the first already ends the check.
#[test]
fn many_includes_are_no_amplifier() {
    let mut world = World::default();
    let includes: Vec<String> = (0..10).map(|index| format!("include:i{index}.victim")).collect();
    world.txt("n0.test", &[&format!("v=spf1 {}", includes.join(" "))]);
    let strict = world.run(spf(), &facts(), strictly);
    assert_eq!(strict.finding.cause, "include-no-record");
    assert_eq!(on_victim(&strict), 1);
    let eager = world.run(spf(), &facts(), all);
    assert_eq!(eager.finding, strict.finding);
    assert_eq!(on_victim(&eager), 1 + AHEAD_TXT_ROUND_MAX);
}

/// An include tree made to explode: every record includes the next ten.
#[test]
fn an_exploding_tree_ends_at_the_term_limit() {
    let mut world = World::default();
    for level in 0..5 {
        for index in 0..10 {
            let next: Vec<String> =
                (0..10).map(|next| format!("include:l{}n{next}.test", level + 1)).collect();
            world.txt(&format!("l{level}n{index}.test"), &[&format!("v=spf1 {}", next.join(" "))]);
        }
    }
    world.txt("n0.test", &["v=spf1 include:l0n0.test"]);
    let run = world.run(spf(), &facts(), all);
    assert_eq!(
        (run.finding.result, run.finding.cause),
        (FindingResult::Permerror, "include-no-record".into())
    );
    assert!(run.asked.len() <= 11 + AHEAD_QUESTIONS_MAX);
}

/// A record that includes itself ends at the term limit, with one question.
#[test]
fn a_loop_ends_at_the_term_limit() {
    let mut world = World::default();
    world.txt("n0.test", &["v=spf1 include:n0.test -all"]);
    let run = world.run(spf(), &facts(), all);
    assert_eq!(run.finding.cause, "term-limit");
    assert_eq!(run.asked.len(), 1);
}

/// A cold check costs its dependency chain, not the number of its records.
#[test]
fn siblings_are_asked_together() {
    let mut world = World::default();
    world.txt("n0.test", &["v=spf1 include:a.test include:b.test mx -all"]);
    world.txt("a.test", &["v=spf1 ip4:198.51.100.1 -all"]);
    world.txt("b.test", &["v=spf1 ip4:198.51.100.2 -all"]);
    world.mx("n0.test", &["m1.test", "m2.test"]);
    world.ipv4("m1.test", &[[198, 51, 100, 3]]);
    world.ipv4("m2.test", &[[192, 0, 2, 1]]);
    assert_eq!(world.run(spf(), &facts(), strictly).rounds.len(), 6);
    assert_eq!(world.run(spf(), &facts(), all).rounds.len(), 3);
}
