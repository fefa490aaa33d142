//! What a record leads to, and what stands beside it.

use quivive_evidence::{Count, Severity};

use super::World;

#[test]
fn what_a_domain_publishes() {
    let world = World(vec![
        "two.example TXT v=spf1 -all",
        "two.example TXT v=spf1 a -all",
        "none.example TXT hello",
        "blank.example TXT  \" v=spf1 -all\"",
        "stray.example TXT v=spf1 -all",
        "stray.example TXT v=spf1;a",
        "old.example TXT v=spf1 -all",
        "old.example TYPE99 0b 76",
    ]);
    assert_eq!(world.codes("two.example"), [("multiple-records", "v=spf1 a -all".to_owned())]);
    assert_eq!(world.codes("none.example"), [("no-record", String::new())]);
    assert_eq!(world.codes("nowhere.example"), [("no-domain", String::new())]);
    assert_eq!(world.codes("blank.example"), [("leading-blank", " ".to_owned())]);
    assert_eq!(world.codes("stray.example"), [("stray-record", "v=spf1;a".to_owned())]);
    assert_eq!(world.codes("old.example"), [("obsolete-type", String::new())]);
}

#[test]
fn the_whole_tree_is_counted() {
    let world = World(vec![
        "big.example TXT v=spf1 include:one.example include:two.example mx -all",
        "big.example MX 10 mx.big.example",
        "mx.big.example A 192.0.2.1",
        "one.example TXT v=spf1 include:three.example include:three.example a:h.example \
         exists:%{i}.x.example ~all a",
        "three.example TXT v=spf1 a:h.example ip4:198.51.100.0/24 ?all",
        "two.example TXT v=spf1 a:h.example redirect=three.example",
        "h.example A 203.0.113.1",
        "h.example AAAA 2001:db8::1",
    ]);
    let report = world.lint("big.example");
    let term_limit = report.remarks.iter().find(|one| one.code == "term-limit").unwrap();
    assert_eq!(&report.record[term_limit.span.0..term_limit.span.1], "include:two.example");
    assert!(term_limit.message.contains("needs 12 look-up terms"), "{}", term_limit.message);
    assert_eq!(report.counts[0], Count { what: "look-up terms", used: 12, most: 10 });
    assert_eq!(report.tree[0].note, "12 look-up terms, permits 258 IPv4 addresses and IPv6");
    assert_eq!(report.tree[0].children[0].children[1].children.len(), 3);
}

#[test]
fn includes_that_do_not_work() {
    let world = World(vec![
        "a.example TXT v=spf1 include:gone.example include:silent.example \
         include:broken.example include:a.example include:nobody.example \
         include:everybody.example -all",
        "silent.example TXT hello",
        "broken.example TXT v=spf1 ip:192.0.2.1",
        "nobody.example TXT v=spf1 -all",
        "everybody.example TXT v=spf1 +all",
        "r.example TXT v=spf1 redirect=gone.example",
        "deep.example TXT v=spf1 include:r.example -all",
    ]);
    assert_eq!(
        world.codes("a.example"),
        [
            ("missing-domain", "include:gone.example".to_owned()),
            ("missing-record", "include:silent.example".to_owned()),
            ("broken-below", "include:broken.example".to_owned()),
            ("loop", "include:a.example".to_owned()),
            ("dead-include", "include:nobody.example".to_owned()),
            ("permits-all-below", "include:everybody.example".to_owned()),
        ]
    );
    assert_eq!(world.codes("r.example"), [("missing-domain", "redirect=gone.example".to_owned())]);
    assert_eq!(world.codes("deep.example"), [("missing-domain", "include:r.example".to_owned())]);
}

#[test]
fn look_ups_that_find_nothing() {
    let world = World(vec![
        "v.example TXT v=spf1 a:gone1.example a:gone2.example a:gone3.example mx -all",
        "v.example MX 0 .",
        "six.example TXT v=spf1 mx ip6:2001:db8::/48 -all",
        "six.example MX 10 a.six.example",
        "six.example MX 10 b.six.example",
        "six.example MX 10 c.six.example",
        "a.six.example A 192.0.2.1",
        "b.six.example A 192.0.2.3",
        "c.six.example A 192.0.2.5",
        "many.example TXT v=spf1 mx -all",
        "many.example MX 1 a.six.example",
        "many.example MX 2 a.six.example",
        "many.example MX 3 a.six.example",
        "many.example MX 4 a.six.example",
        "many.example MX 5 a.six.example",
        "many.example MX 6 a.six.example",
        "many.example MX 7 a.six.example",
        "many.example MX 8 a.six.example",
        "many.example MX 9 a.six.example",
        "many.example MX 10 a.six.example",
        "many.example MX 11 a.six.example",
    ]);
    let codes = world.codes("v.example");
    assert!(codes.contains(&("void-lookup-limit", "a:gone3.example".to_owned())), "{codes:?}");
    assert!(codes.contains(&("no-address", "a:gone1.example".to_owned())), "{codes:?}");
    assert!(codes.contains(&("null-mx", "mx".to_owned())), "{codes:?}");
    let report = world.lint("six.example");
    assert_eq!(report.remarks[0].code, "void-lookup-limit");
    assert_eq!(report.remarks[0].severity, Severity::Warning);
    assert!(report.remarks[0].message.contains("for IPv6 clients"));
    assert_eq!(world.codes("many.example"), [("mx-limit", "mx".to_owned())]);
}

#[test]
fn what_adds_nothing() {
    let world = World(vec![
        "r.example TXT v=spf1 ip4:192.0.2.0/24 a:h.example include:p.example ip4:198.51.100.7 \
         -all",
        "h.example A 192.0.2.9",
        "p.example TXT v=spf1 ip4:198.51.100.0/24 -all",
    ]);
    assert_eq!(
        world.codes("r.example"),
        [
            ("redundant-term", "a:h.example".to_owned()),
            ("redundant-network", "ip4:198.51.100.7".to_owned()),
        ]
    );
}

/// Whoever removes what adds nothing must not be refused for it.
#[test]
fn what_only_seems_to_add_nothing() {
    let world = World(vec![
        "one.example TXT v=spf1 a:h.example -ip4:192.0.2.9 ip4:192.0.2.0/24 -all",
        "two.example TXT v=spf1 ip4:192.0.2.0/24 -ip4:192.0.2.9 include:p.example -all",
        "six.example TXT v=spf1 ip4:192.0.2.8/31 -a:h.example include:p.example -all",
        "h.example A 192.0.2.9",
        "p.example TXT v=spf1 ip4:192.0.2.0/24 -all",
    ]);
    assert_eq!(world.codes("one.example"), []);
    let two = world.codes("two.example");
    assert_eq!(two[1], ("redundant-term", "include:p.example".to_owned()));
    assert_eq!(world.codes("six.example"), []);
}

#[test]
fn the_first_match_decides_whom_a_record_permits() {
    let world = World(vec![
        "e.example TXT v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all",
        "i.example TXT v=spf1 include:n.example -all",
        "n.example TXT v=spf1 -ip4:192.0.2.0/24 ?ip6:2000::/3 ip4:192.0.2.1 ip6:2001:db8::1 -all",
    ]);
    let note = |domain| world.lint(domain).tree[0].note.clone();
    assert_eq!(note("e.example"), "0 look-up terms, permits 255 IPv4 addresses");
    assert_eq!(note("i.example"), "1 look-up term");
    assert_eq!(world.codes("i.example"), [("dead-include", "include:n.example".to_owned())]);
}

/// Where `exists` does not match, it has found nothing.
#[test]
fn lists_that_do_not_have_the_client_are_void() {
    let world = World(vec![
        "e.example TXT v=spf1 exists:%{i}.a.example exists:%{i}.b.example exists:%{ir}.c.example \
         -all",
    ]);
    let report = world.lint("e.example");
    assert_eq!(report.counts[1], Count { what: "void look-ups", used: 3, most: 2 });
    let codes = world.codes("e.example");
    assert_eq!(codes, [("void-lookup-limit", "exists:%{ir}.c.example".to_owned())]);
}

#[test]
fn explanations() {
    let world = World(vec![
        "good.example TXT v=spf1 -all exp=why.%{d}",
        "why.good.example TXT %{i} is not ours",
        "bad.example TXT v=spf1 -all exp=why.%{d}",
        "why.bad.example TXT 100% forged",
        "gone.example TXT v=spf1 -all exp=why.%{d}",
    ]);
    assert_eq!(world.codes("good.example"), []);
    assert_eq!(world.codes("bad.example"), [("explanation", "exp=why.%{d}".to_owned())]);
    assert_eq!(world.codes("gone.example"), [("explanation", "exp=why.%{d}".to_owned())]);
}
