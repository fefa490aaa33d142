use super::*;
use quivive_evidence::Question;

fn ask(zone: &Zone, name: &str, record_type: RecordType) -> DnsAnswer {
    let Question::Dns(question) = Question::dns(name, record_type) else { unreachable!() };
    zone.answer(&question)
}

fn status(zone: &Zone, name: &str, record_type: RecordType) -> &'static str {
    ask(zone, name, record_type).status()
}

fn texts(zone: &Zone, name: &str, record_type: RecordType) -> Vec<String> {
    ask(zone, name, record_type).record_texts()
}

const WORLD: &str = r#"
; several origins, no SOA
$TTL 600
$ORIGIN example.test.
@           IN TXT  "v=spf1 ip4:192.0.2.0/24 " "-all"
www     300 IN A    192.0.2.1
            IN AAAA 2001:db8::1
            A 192.0.2.2
mail        CNAME   www
alias       CNAME   mail
gone        CNAME   nowhere
loop        CNAME   pool
pool        CNAME   loop
@           MX 10 mail
@           MX ( 20      ; a comment " with a quotation mark
               backup )
a.b.c       A 192.0.2.3
*.wild      TXT wildcard
host.wild   A 192.0.2.4
octets      TXT "\150\"\\;" plain\032text
spf99       SPF "v=spf1 -all"
rmx         TYPE65280 \# 4 c0000201
acl         APL 1:192.0.2.0/24 !2:2001:db8::/32
            TXT second
empty       APL
lines       APL ( 1:10.0.0.0/8 ; ten
                  1:192.168.0.0/16 )
null        MX 0 .
;!servfail broken
;!timeout  slow.example.test. TXT
slow        A 192.0.2.5
$ORIGIN other.test.
@ TXT other
;!timeout broken.other.test
"#;

fn world() -> Zone {
    Zone::parse(WORLD.as_bytes()).unwrap()
}

#[test]
fn records_of_several_origins() {
    let zone = world();
    let spf = texts(&zone, "example.test", RecordType::Txt);
    assert_eq!(spf, ["v=spf1 ip4:192.0.2.0/24 -all"]);
    assert_eq!(texts(&zone, "Other.TEST.", RecordType::Txt), ["other"]);
    assert_eq!(texts(&zone, "www.example.test", RecordType::A), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(texts(&zone, "www.example.test", RecordType::Aaaa), ["2001:db8::1"]);
    let mx = texts(&zone, "example.test", RecordType::Mx);
    assert_eq!(mx, ["10 mail.example.test", "20 backup.example.test"]);
    assert_eq!(texts(&zone, "null.example.test", RecordType::Mx), ["0 ."]);
}

#[test]
fn ttls_come_from_the_entry_or_the_directive() {
    let ttl = |name, record_type| ask(&world(), name, record_type).source().ttl;
    assert_eq!(ttl("www.example.test", RecordType::A), 300);
    assert_eq!(ttl("www.example.test", RecordType::Aaaa), 600);
    assert_eq!(ttl("alias.example.test", RecordType::A), 300);
    let bare = Zone::parse(b"a.test A 192.0.2.1").unwrap();
    assert_eq!(ask(&bare, "a.test", RecordType::A).source().ttl, ZONE_TTL);
}

#[test]
fn text_is_octets() {
    let DnsAnswer::Txt(answer) = ask(&world(), "octets.example.test", RecordType::Txt) else {
        unreachable!()
    };
    assert_eq!(&*answer.records().unwrap()[0].0, b"\x96\"\\;plain text");
    let zone = Zone::parse("a TXT \"gr\u{fc}n\" b\u{e4}ume".as_bytes()).unwrap();
    assert_eq!(texts(&zone, "a", RecordType::Txt), ["gr\u{fc}nb\u{e4}ume"]);
}

#[test]
fn types_by_number_and_lists_of_prefixes() {
    let zone = world();
    let rdata = |name, number| texts(&zone, name, RecordType::Other(number));
    assert_eq!(rdata("rmx.example.test", 65280), ["c0000201"]);
    assert_eq!(rdata("acl.example.test", 42), ["00011803c0000200022084 20010db8".replace(' ', "")]);
    assert_eq!(texts(&zone, "acl.example.test", RecordType::Txt), ["second"]);
    assert_eq!(rdata("empty.example.test", 42), [""]);
    assert_eq!(rdata("lines.example.test", 42), ["000108010a00011002c0a8"]);
    assert_eq!(rdata("spf99.example.test", 99), ["0b763d73706631202d616c6c"]);
}

#[test]
fn aliases_are_followed_within_the_zone() {
    let zone = world();
    assert_eq!(texts(&zone, "alias.example.test", RecordType::A), ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(status(&zone, "alias.example.test", RecordType::Txt), "nodata");
    assert_eq!(status(&zone, "gone.example.test", RecordType::A), "nxdomain");
    assert_eq!(status(&zone, "loop.example.test", RecordType::A), "alias-loop");
    assert_eq!(status(&zone, "loop.example.test", CNAME), "found");
}

#[test]
fn alias_chains_are_bounded() {
    let mut zone = Zone::new();
    for step in 0..=ALIAS_STEPS_MAX {
        zone.add_cname(&format!("a{step}"), &format!("a{}", step + 1)).unwrap();
    }
    zone.add_a(&format!("a{}", ALIAS_STEPS_MAX + 1), [192, 0, 2, 1].into()).unwrap();
    assert_eq!(status(&zone, "a1", RecordType::A), "found");
    assert_eq!(status(&zone, "a0", RecordType::A), "alias-loop");
}

#[test]
fn what_is_not_there() {
    let zone = world();
    assert_eq!(status(&zone, "nowhere.example.test", RecordType::A), "nxdomain");
    assert_eq!(status(&zone, "nowhere.test", RecordType::A), "nxdomain");
    assert_eq!(status(&zone, "www.example.test", RecordType::Txt), "nodata");
    // Empty non-terminals.
    assert_eq!(status(&zone, "b.c.example.test", RecordType::A), "nodata");
    assert_eq!(status(&zone, "test", RecordType::A), "nodata");
    assert_eq!(status(&zone, "", RecordType::A), "nodata");
    // No names at all.
    for name in ["a..example.test", &"a".repeat(64), &["a"; 128].join(".")] {
        assert_eq!(status(&zone, name, RecordType::A), "nxdomain");
    }
    assert_eq!(status(&Zone::new(), "", RecordType::A), "nxdomain");
}

#[test]
fn wildcards_speak_for_names_that_do_not_exist() {
    let zone = world();
    assert_eq!(texts(&zone, "any.wild.example.test", RecordType::Txt), ["wildcard"]);
    assert_eq!(texts(&zone, "a.b.wild.example.test", RecordType::Txt), ["wildcard"]);
    assert_eq!(texts(&zone, "*.wild.example.test", RecordType::Txt), ["wildcard"]);
    assert_eq!(status(&zone, "any.wild.example.test", RecordType::A), "nodata");
    // A name that exists, one below it, and the wildcard's own parent are none of its business.
    assert_eq!(status(&zone, "host.wild.example.test", RecordType::Txt), "nodata");
    assert_eq!(status(&zone, "a.host.wild.example.test", RecordType::Txt), "nxdomain");
    assert_eq!(status(&zone, "wild.example.test", RecordType::Txt), "nodata");
}

#[test]
fn comments_make_failures() {
    let zone = world();
    assert_eq!(status(&zone, "broken.example.test", RecordType::A), "servfail");
    assert_eq!(status(&zone, "broken.example.test", RecordType::Other(99)), "servfail");
    assert_eq!(status(&zone, "slow.example.test", RecordType::Txt), "timeout");
    assert_eq!(status(&zone, "slow.example.test", RecordType::A), "found");
    assert_eq!(status(&zone, "broken.other.test", RecordType::Txt), "timeout");
    let plain = Zone::parse(b"a TXT \";!servfail a\"\n;! a remark\n;!!\n").unwrap();
    assert_eq!(texts(&plain, "a", RecordType::Txt), [";!servfail a"]);
}

#[test]
fn failures_of_all_types_but_some() {
    let mut zone = Zone::new();
    zone.add_txt("a.test", "text").unwrap();
    zone.fail_except("a.test", &[RecordType::Txt], Failure::Timeout).unwrap();
    assert_eq!(status(&zone, "a.test", RecordType::Txt), "found");
    assert_eq!(status(&zone, "a.test", RecordType::A), "timeout");
}

#[test]
fn a_soa_record_bounds_negative_answers() {
    let text = b"$ORIGIN a.test.\n@ 900 SOA ns host 1 2 3 4 60\nb TXT b\n";
    let zone = Zone::parse(text).unwrap();
    assert_eq!(ask(&zone, "c.a.test", RecordType::A).source().ttl, 60);
    assert_eq!(ask(&zone, "b.a.test", RecordType::A).source().ttl, 60);
    assert_eq!(ask(&zone, "c.b.test", RecordType::A).source().ttl, ZONE_TTL);
}

#[test]
fn one_answer_is_handed_out_for_all_time() {
    let zone = world();
    let DnsAnswer::Txt(first) = ask(&zone, "x.wild.example.test", RecordType::Txt) else {
        unreachable!()
    };
    let DnsAnswer::Txt(second) = ask(&zone, "y.wild.example.test", RecordType::Txt) else {
        unreachable!()
    };
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

#[test]
fn errors_name_the_place_and_the_cure() {
    let cases = [
        ("a A 192.0.2.1\n  b c\n", "line 2, column "),
        ("a A 192.0.2.1\na A 192.0.2\n", "line 2, column "),
        ("a TXT \"open\nb A 192.0.2.1\n", "line 1, column 7: a quotation mark is not closed"),
        ("a TXT \"open\\\"", "line 1, column 7: a quotation mark is not closed"),
        ("$TTL 1h\n", "line 1, column "),
        ("a CH A 192.0.2.1\n", "line 1, column "),
        ("\n\n  ;!servfial a\n", "line 3, column 3: `;!servfial` is no failure; write `;!servfail"),
        (";!timeout\n", "line 1, column 1: the name is missing"),
        (";!timeout a..b\n", "line 1, column 1: `a..b` is no domain name"),
        (";!timeout a NONE\n", "line 1, column 1: `NONE` is no record type"),
        (";!timeout a A b\n", "line 1, column 1: `b` is one word too many"),
        ("\na IN APL 1:192.0.2.0\n", "line 2, column 10: `1:192.0.2.0` is no APL item"),
        ("a A 192.0.2.1\n$INCLUDE other\n", "line 2, column 1: $INCLUDE is not supported"),
        ("\na A \\# 3 010203\n", "line 2, column 1: the data is no A data"),
        ("\na SPF \\999\n", "line 2, column 7: this is no character-string"),
        ("\n( a A 192.0.2.1\n\n", "line 2, column 1: a parenthesis is not closed"),
        ("a A 192.0.2.1 )\n", "line 1, column 15: a parenthesis is closed that"),
    ];
    for (text, expected) in cases {
        let error = Zone::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
        assert!(error.contains("; "), "{error}");
    }
    let error = Zone::read("/nonexistent/a.zone").unwrap_err().to_string();
    assert!(error.starts_with("cannot read the zone file /nonexistent/a.zone: "), "{error}");
}

#[test]
fn windows_line_ends_and_a_missing_last_one() {
    let zone = Zone::parse(b"a.test. IN TXT \"one\"\r\nb.test. IN A 192.0.2.1").unwrap();
    assert_eq!(texts(&zone, "a.test", RecordType::Txt), ["one"]);
    assert_eq!(texts(&zone, "b.test", RecordType::A), ["192.0.2.1"]);
}

#[test]
fn master_text_says_the_same_again() {
    let mut zone = world();
    zone.add_txt("a.test", "x".repeat(600)).unwrap();
    zone.add_txt("b.test", (0..=255).collect::<Vec<u8>>()).unwrap();
    zone.add_txt_strings("c.test", &[] as &[&str]).unwrap();
    zone.add_a("odd;\"name$.test", [192, 0, 2, 9].into()).unwrap();
    zone.fail_except("d.test", &[RecordType::Txt], Failure::Timeout).unwrap();
    let text = zone.to_master_text();
    let again = Zone::parse(text.as_bytes()).unwrap();
    assert_eq!(again.len(), zone.len());
    assert_eq!(status(&again, "d.test", RecordType::Mx), "timeout");
    for (owner, set) in zone.sets() {
        let other = again.nodes[owner].set(set.record_type).unwrap();
        assert_eq!(other.records, set.records, "{text}");
        assert_eq!(other.ttl, set.ttl);
    }
}

#[test]
fn a_large_file_is_read() {
    use std::fmt::Write;
    let mut text = String::from("$ORIGIN large.test.\n");
    for index in 0..100_000 {
        writeln!(text, "n{index} IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"").unwrap();
    }
    assert_eq!(Zone::parse(text.as_bytes()).unwrap().len(), 100_000);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Whether RFC 4592 section 3.3.1 has an answer from a wildcard, told by lists of names.
    fn by_the_book(owners: &[Vec<&str>], asked: &[&str]) -> &'static str {
        let exists = |name: &[&str]| owners.iter().any(|owner| owner.ends_with(name));
        if owners.iter().any(|owner| owner == asked) {
            return "found";
        }
        if exists(asked) {
            return "nodata";
        }
        let encloser = (1..=asked.len()).find(|up| exists(&asked[*up..])).unwrap();
        let wildcard = [&["*"], &asked[encloser..]].concat();
        match owners.contains(&wildcard) {
            true => "found",
            false if exists(&wildcard) => "nodata",
            false => "nxdomain",
        }
    }

    fn name() -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "*"]), 1..5)
    }

    proptest! {
        #[test]
        fn wildcards_follow_the_book(
            owners in prop::collection::vec(name(), 1..5),
            asked in name(),
        ) {
            let mut zone = Zone::new();
            for owner in &owners {
                zone.add_txt(&owner.join("."), "text").unwrap();
            }
            let expected = by_the_book(&owners, &asked);
            prop_assert_eq!(status(&zone, &asked.join("."), RecordType::Txt), expected);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "([a-z@.*$ \t\n();\"\\\\0-9#!:/-]|TXT|IN|APL|\\$ORIGIN|A |\u{fc}|\r){0,60}") {
            let _ = Zone::parse(text.as_bytes());
        }

        #[test]
        fn no_octets_make_the_reader_panic(octets in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Zone::parse(&octets);
        }
    }
}

#[test]
fn a_file_without_end_is_refused() {
    let error = Zone::read("/dev/zero").unwrap_err();
    assert!(matches!(error, ZoneError::TooLarge { .. }), "{error}");
}
