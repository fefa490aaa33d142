//! Records as text: what is written parses to the same again.

use proptest::prelude::*;
use quivive_spf::{Directive, DomainSpec, MacroString, Mechanism, Record, SyntaxErrorKind};

/// A macro with all its parts.
fn a_macro(letters: &'static str) -> impl Strategy<Value = String> {
    let letters = letters.chars().collect::<Vec<_>>();
    let parts = (
        prop::sample::select(letters),
        any::<bool>(),
        prop::option::of(1_u64..200),
        prop_oneof![Just(""), Just("r"), Just("R")],
        "[.,/_=+-]{0,3}",
    );
    parts.prop_map(|(letter, upper, keep, reverse, delimiters)| {
        let letter = if upper { letter.to_ascii_uppercase() } else { letter };
        let keep = keep.map_or(String::new(), |keep| keep.to_string());
        format!("%{{{letter}{keep}{reverse}{delimiters}}}")
    })
}

fn text(letters: &'static str) -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-zA-Z0-9_.!~&-]{0,8}",
        2 => a_macro(letters),
        1 => Just("%%".to_owned()),
        1 => Just("%_".to_owned()),
        1 => Just("%-".to_owned()),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

fn domain_spec() -> impl Strategy<Value = String> {
    let end =
        prop_oneof!["\\.[a-z]{2,6}\\.?", "\\.[a-z0-9]{1,4}-[a-z0-9]{1,4}", a_macro("sldoipvh")];
    (text("sldoipvh"), end).prop_map(|(text, end)| text + &end)
}

fn prefixes() -> impl Strategy<Value = String> {
    let ipv4 =
        prop::option::of(0_u8..=32).prop_map(|it| it.map_or(String::new(), |it| format!("/{it}")));
    let ipv6 = prop::option::of(0_u8..=128)
        .prop_map(|it| it.map_or(String::new(), |it| format!("//{it}")));
    (ipv4, ipv6).prop_map(|(ipv4, ipv6)| ipv4 + &ipv6)
}

fn mechanism() -> impl Strategy<Value = String> {
    let target = || {
        prop::option::of(domain_spec())
            .prop_map(|it| it.map_or(String::new(), |it| format!(":{it}")))
    };
    prop_oneof![
        Just("all".to_owned()),
        domain_spec().prop_map(|it| format!("include:{it}")),
        domain_spec().prop_map(|it| format!("exists:{it}")),
        (target(), prefixes()).prop_map(|(target, prefixes)| format!("a{target}{prefixes}")),
        (target(), prefixes()).prop_map(|(target, prefixes)| format!("MX{target}{prefixes}")),
        target().prop_map(|target| format!("ptr{target}")),
        (any::<std::net::Ipv4Addr>(), 0_u8..=32)
            .prop_map(|(it, prefix)| format!("ip4:{it}/{prefix}")),
        any::<std::net::Ipv4Addr>().prop_map(|it| format!("ip4:{it}")),
        (any::<std::net::Ipv6Addr>(), 0_u8..=128)
            .prop_map(|(it, prefix)| format!("ip6:{it}/{prefix}")),
    ]
}

fn record() -> impl Strategy<Value = String> {
    let directive = ("[+?~-]?", mechanism()).prop_map(|(sign, mechanism)| sign + &mechanism);
    let modifier = |name: &'static str| {
        prop::option::of(domain_spec().prop_map(move |it| format!("{name}={it}")))
    };
    let parts = (
        prop::collection::vec(directive, 0..8),
        modifier("redirect"),
        modifier("EXP"),
        any::<bool>(),
    );
    parts.prop_map(|(mut terms, redirect, explanation, first)| {
        let modifiers = redirect.into_iter().chain(explanation);
        for modifier in modifiers {
            let at = if first { 0 } else { terms.len() };
            terms.insert(at, modifier);
        }
        terms.insert(0, "v=spf1".to_owned());
        terms.join(" ")
    })
}

/// What a record says, without how it is written.
fn meaning(record: &Record) -> impl PartialEq + std::fmt::Debug + use<'_> {
    let directives: Vec<_> = record
        .directives()
        .map(|directive| (directive.qualifier, mechanism_of(directive)))
        .collect();
    let redirect = record.redirect().map(|modifier| target_of(modifier.target));
    let explanation = record.explanation().map(|modifier| target_of(modifier.target));
    (directives, redirect, explanation)
}

/// A mechanism with its target by itself.
fn mechanism_of(directive: Directive<'_>) -> impl PartialEq + std::fmt::Debug + use<'_> {
    let nowhere = DomainSpec::Literal(None);
    let (mechanism, target) = match directive.mechanism {
        Mechanism::Include(target) => (Mechanism::Include(nowhere), Some(target)),
        Mechanism::Exists(target) => (Mechanism::Exists(nowhere), Some(target)),
        Mechanism::A(target, prefix) => (Mechanism::A(None, prefix), target),
        Mechanism::Mx(target, prefix) => (Mechanism::Mx(None, prefix), target),
        Mechanism::Ptr(target) => (Mechanism::Ptr(None), target),
        mechanism => (mechanism, None),
    };
    (mechanism, target.map(target_of))
}

/// A name without macros and escapes is the same in any case.
fn target_of(target: DomainSpec<'_>) -> impl PartialEq + std::fmt::Debug + use<'_> {
    match target {
        DomainSpec::Literal(name) => (name.map(str::to_owned), None),
        DomainSpec::Macros(macros) if !macros.text().contains('%') => {
            let name = macros.text().strip_suffix('.').unwrap_or(macros.text());
            (Some(name.to_ascii_lowercase()), None)
        }
        DomainSpec::Macros(macros) => (None, Some(macros)),
    }
}

proptest! {
    #[test]
    fn a_record_written_and_parsed_is_the_same(text in record()) {
        let parsed = Record::parse(text.as_bytes());
        prop_assert!(parsed.is_ok(), "{text}: {parsed:?}");
        let parsed = parsed.unwrap();
        let written = parsed.to_string();
        let again = Record::parse(written.as_bytes());
        prop_assert!(again.is_ok(), "{written}: {again:?}");
        let again = again.unwrap();
        prop_assert_eq!(meaning(&parsed), meaning(&again), "{} {}", text, written);
        prop_assert_eq!(again.to_string(), written);
    }

    /// Whatever else is wrong: what is not printable ASCII is told of first, and nothing is missed.
    #[test]
    fn every_octet_is_looked_at(
        text in record(),
        strange in prop_oneof![0..b' ', 0x7f..=0xff_u8],
        place in any::<prop::sample::Index>(),
        is_broken: bool,
    ) {
        let mut octets = text.into_bytes();
        let place = "v=spf1 ".len() + place.index(octets.len());
        octets.resize(octets.len().max(place), b' ');
        octets.insert(place, strange);
        if is_broken {
            octets.extend(b" unknown");
        }
        let error = Record::parse(&octets).unwrap_err();
        prop_assert_eq!((error.kind, error.span), (SyntaxErrorKind::Octet, place..place + 1));
    }

    #[test]
    fn an_explanation_written_and_parsed_is_the_same(text in text("sldoipvhcrt")) {
        let parsed = MacroString::parse_explanation(&text).unwrap();
        let written = parsed.to_string();
        prop_assert_eq!(MacroString::parse_explanation(&written).unwrap(), parsed, "{} {}", text, written);
    }

    #[test]
    fn whatever_parses_can_be_written(octets in "v=spf1( [a-z0-9:=/.%{}~?+-]{1,12}){0,4}") {
        if let Ok(parsed) = Record::parse(octets.as_bytes()) {
            let written = parsed.to_string();
            let again = Record::parse(written.as_bytes());
            prop_assert!(again.is_ok(), "{octets}: {written}: {again:?}");
            let again = again.unwrap();
            prop_assert_eq!(meaning(&parsed), meaning(&again));
        }
    }
}
