use std::collections::BTreeSet;

use quivive_evidence::{DnsQuestion, Notebook, Question, what_if};

use super::*;

/// Everything that is said about a text without asking anybody: code, place, cure.
fn told(record: &str) -> Vec<(&'static str, String, String)> {
    let subject = Subject { record: Some(record.to_owned()), domain: None };
    let report = SpfLint::default().lint(&subject, &Notebook::default()).report;
    let place = |remark: &Remark| report.record[remark.span.0..remark.span.1].to_owned();
    report.remarks.iter().map(|one| (one.code, place(one), one.help.clone())).collect()
}

/// That one thing is said about a term between good ones, and which cure is offered.
#[track_caller]
fn slip(term: &str, code: &str, help: &str) {
    let told = told(&format!("v=spf1 a {term} -all"));
    let [(said, _, cure)] = &*told else { panic!("{term}: {told:?}") };
    assert_eq!((*said, &**cure), (code, help), "{term}");
}

/// As [`slip`], where the cure is all that counts.
#[track_caller]
fn cure(term: &str, written: &str) {
    let told = told(&format!("v=spf1 a {term} -all"));
    let [(_, _, help)] = &*told else { panic!("{term}: {told:?}") };
    assert_eq!(help, &format!("write `{written}`"), "{term}");
    let mended = self::told(&format!("v=spf1 a {written} -all"));
    assert!(mended.iter().all(|(code, ..)| !is_error(code)), "{written}: {mended:?}");
}

fn is_error(code: &str) -> bool {
    ["unknown-mechanism", "missing-argument", "domain-end", "ipv4-network"].contains(&code)
}

#[test]
fn good_records_are_left_alone() {
    for record in [
        "v=spf1 -all",
        "V=SPF1 A MX IP4:192.0.2.0/24 -ALL",
        "v=spf1  ip4:192.0.2.1   ip6:2001:db8::/32 ~all ",
        "v=spf1 redirect=_spf.example.com",
        "v=spf1 include:_spf.google.com include:spf.protection.outlook.com -all",
        "v=spf1 exists:%{i}._spf.%{d} -all exp=why.%{d} ra=postmaster rp=10 rr=all",
        "v=spf1 -ip4:192.0.2.7 ip4:192.0.2.0/24 -all",
        "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/26 -all",
        "v=spf1 include:_spf1.example.com include:_spf2.example.com -all",
        "v=spf1 ?include:a.example ~all",
    ] {
        assert_eq!(told(record), [], "{record}");
    }
}

#[test]
fn names_of_terms() {
    cure("ip:192.0.2.1", "ip4:192.0.2.1");
    cure("ipv4:192.0.2.0/24", "ip4:192.0.2.0/24");
    cure("+ipv6:2001:db8::/48", "+ip6:2001:db8::/48");
    cure("ip:2001:db8::1", "ip6:2001:db8::1");
    cure("inculde:_spf.example.net", "include:_spf.example.net");
    cure("includes:_spf.example.net", "include:_spf.example.net");
    cure("exist:%{i}.example.net", "exists:%{i}.example.net");
    cure("host:mx.example.net", "a:mx.example.net");
    cure("ip:mx.example.net", "a:mx.example.net");
    cure("exp:why.example.net", "exp=why.example.net");
    let all = "there are: all, include, a, mx, ptr, ip4, ip6, exists; redirect= and exp=";
    slip("nonsense", "unknown-mechanism", all);
    slip(":", "unknown-mechanism", all);
}

#[test]
fn ends_of_records() {
    for (end, written) in [
        ("-a11", "-all"),
        ("~al1", "~all"),
        ("-alll", "-all"),
        ("-al", "-all"),
        ("-all.", "-all"),
        ("_all", "-all"),
        ("=all", "-all"),
        ("- all", "-all"),
        ("-ail", "-all"),
    ] {
        let told = told(&format!("v=spf1 a {end}"));
        let help = format!("write `{written}`");
        assert!(told.iter().any(|(_, _, cure)| *cure == help), "{end}: {told:?}");
    }
    let told = told("v=spf1 a -redirect=example.com");
    assert_eq!(told[0].2, "write `redirect=example.com`");
    assert_eq!(self::told("v=spf1 a redirect:example.com")[0].2, "write `redirect=example.com`");
}

#[test]
fn what_stands_between_terms() {
    slip("ip4 192.0.2.1", "missing-colon", "write `ip4:192.0.2.1`");
    slip("ip4: 192.0.2.1", "stray-blank", "write `ip4:192.0.2.1`");
    slip("include _spf.example.net", "missing-colon", "write `include:_spf.example.net`");
    slip("ip4192.0.2.1", "missing-colon", "write `ip4:192.0.2.1`");
    slip("ip4;192.0.2.1", "missing-colon", "write `ip4:192.0.2.1`");
    slip("includespf.example.net", "missing-colon", "write `include:spf.example.net`");
    slip("192.0.2.1", "bare-address", "write `ip4:192.0.2.1`");
    slip("2001:db8::/32", "bare-address", "write `ip6:2001:db8::/32`");
    slip(
        "_spf.example.net",
        "bare-domain",
        "write `include:_spf.example.net` for a provider, `a:_spf.example.net` for a host",
    );
    slip("mx,ptr:", "separator", "write each as a term of its own, with blanks between them");
    slip("mx;", "separator", "write `mx`");
    slip("ip4:192.0.2.1,192.0.2.9", "separator", "write `ip4:192.0.2.1 ip4:192.0.2.9`");
    slip("ip4:192.0.2.1;mx", "separator", "write `ip4:192.0.2.1 mx`");
    slip("ip4:192.0.2.1ip4:192.0.2.9", "missing-blank", "write `ip4:192.0.2.1 ip4:192.0.2.9`");
    let told = told("v=spf1 ip4:192.0.2.1-all");
    assert_eq!((told[0].0, &*told[0].2), ("missing-blank", "write `ip4:192.0.2.1 -all`"));
}

#[test]
fn characters() {
    slip("\"mx\"", "quotes", "write `mx`");
    slip("\u{201c}mx\u{201d}", "quotes", "write `mx`");
    slip("mx\tptr", "blank", "separate terms by blanks alone");
    slip("mx\u{a0}ptr", "blank", "type the blank anew");
    slip("m\u{200b}x", "invisible", "write `mx`");
    slip("include:b\u{fc}cher.example", "not-ascii", "write `include:xn--bcher-kva.example`");
    slip("m\u{0}x", "not-ascii", "write `mx`");
    let told = told("v=spf1 a \u{2013}all");
    assert_eq!((told[0].0, &*told[0].2), ("dash", "write `-all`"));
}

#[test]
fn arguments() {
    cure("a:192.0.2.1", "ip4:192.0.2.1");
    cure("include:192.0.2.0/24", "ip4:192.0.2.0/24");
    cure("ip4:2001:db8::1", "ip6:2001:db8::1");
    cure("ip6:192.0.2.1", "ip4:192.0.2.1");
    cure("ip4:192.0.2.9/255.255.255.255", "ip4:192.0.2.9/32");
    cure("ip4:192.0.2.0/255.255.255.0", "ip4:192.0.2.0/24");
    cure("ip4:192.0.2.*", "ip4:192.0.2.0/24");
    cure("ip4:192.0.2", "ip4:192.0.2.0/24");
    cure("ip4:192.000.002.001", "ip4:192.0.2.1");
    cure("ip4:192.0.2.1:25", "ip4:192.0.2.1");
    cure("ip4:192.0.2.4-192.0.2.7", "ip4:192.0.2.4/30");
    cure("ip6:[2001:db8::1]", "ip6:2001:db8::1");
    cure("mx/24/64", "mx/24//64");
    cure("mx/024", "mx/24");
    cure("a:mx.example.net/", "a:mx.example.net");
    slip("ip4:192.0.2.1/33", "prefix-length", "write a number from 0 to 32");
    slip("ip6:2001:db8::/129", "prefix-length", "write a number from 0 to 128");
    slip("mx//129", "prefix-length", "write a number from 0 to 128");
    slip(
        "include",
        "missing-argument",
        "write what it is about behind a colon, as in `include:_spf.example.net`",
    );
    slip(
        "include:",
        "missing-argument",
        "write what it is about behind a colon, as in `include:_spf.example.net`",
    );
    slip("include:localhost", "domain-end", "write the whole name, with its top-level domain");
    slip("a:%d.example.net", "macro", "write `%{d}` for the macro, `%%` for a percent sign");
    slip("a:%{d", "macro", "close the macro with `}`");
    slip(
        "a:%{c}.example",
        "explanation-macro",
        "the letters c, r and t may stand only in the text that `exp=` points to",
    );
    slip(
        "ip4:mx.example.net",
        "ipv4-network",
        "write `a:mx.example.net` for a host, `include:mx.example.net` for a provider",
    );
    slip(
        "ip4:192.0.2.256",
        "ipv4-network",
        "write an address such as `ip4:192.0.2.1`, or a network such as `ip4:192.0.2.0/24`",
    );
}

#[test]
fn what_a_record_says_as_a_whole() {
    let codes =
        |record: &str| told(record).iter().map(|one| (one.0, one.1.clone())).collect::<Vec<_>>();
    let one = |code, place: &str| vec![(code, place.to_owned())];
    assert_eq!(codes("v=spf1"), one("no-all", ""));
    assert_eq!(codes("v=spf1 a"), one("no-all", ""));
    assert_eq!(codes("v=spf1 -all a"), one("after-all", "a"));
    assert_eq!(codes("v=spf1 -all a mx exp=%{d}"), one("after-all", "a mx"));
    assert_eq!(codes("v=spf1 mx/33 -all"), one("prefix-length", "/33"));
    assert_eq!(
        codes("v=spf1 redirect=a.example -all"),
        one("redirect-with-all", "redirect=a.example")
    );
    assert_eq!(codes("v=spf1 a all"), one("all-pass", "all"));
    assert_eq!(codes("v=spf1 a ?all"), one("all-neutral", "?all"));
    assert_eq!(codes("v=spf1 ptr -all"), one("ptr", "ptr"));
    assert_eq!(codes("v=spf1 a:%{p}.x.example -all"), one("ptr-macro", "a:%{p}.x.example"));
    assert_eq!(
        codes("v=spf1 include:%{l}.x.example -all"),
        one("sender-macro", "include:%{l}.x.example")
    );
    assert_eq!(codes("v=spf1 exists:x.example -all"), one("constant-exists", "exists:x.example"));
    assert_eq!(
        codes("v=spf1 -include:x.example -all"),
        one("negated-include", "-include:x.example")
    );
    assert_eq!(codes("v=spf1 mx mx -all"), one("repeated-term", "mx"));
    assert_eq!(codes("v=spf1 ip4=192.0.2.1 -all"), one("equals-for-colon", "ip4=192.0.2.1"));
    assert_eq!(
        codes("v=spf1 redirct=x.example -all"),
        one("unknown-modifier", "redirct=x.example")
    );
    assert_eq!(codes("v=spf1 a v=spf1 -all"), one("repeated-version", "v=spf1"));
    assert_eq!(codes("v=spf1 a ~all exp=x.example"), one("unused-explanation", "exp=x.example"));
    assert_eq!(
        codes("v=spf1 a exp=x.example exp=y.example -all"),
        one("repeated-modifier", "exp=y.example")
    );
    assert_eq!(
        codes("v=spf1 include:http://x.example -all"),
        one("odd-name", "include:http://x.example")
    );
    assert_eq!(codes("v=spf1 a:x..example -all"), one("impossible-name", "a:x..example"));
    assert_eq!(
        codes("v=spf1 include:_spf.goggle.com -all"),
        one("look-alike", "include:_spf.goggle.com")
    );
}

#[test]
fn networks() {
    let codes =
        |record: &str| told(record).iter().map(|one| (one.0, one.1.clone())).collect::<Vec<_>>();
    let one = |code, place: &str| vec![(code, place.to_owned())];
    assert_eq!(
        codes("v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.128/25 -all"),
        one("overlapping-networks", "ip4:192.0.2.128/25")
    );
    assert_eq!(
        codes("v=spf1 ip4:192.0.2.128/25 ip4:192.0.2.0/24 -all"),
        one("overlapping-networks", "ip4:192.0.2.128/25")
    );
    assert_eq!(
        codes("v=spf1 ip4:192.0.2.0/24 -ip4:192.0.2.7 -all"),
        one("overlapping-networks", "-ip4:192.0.2.7")
    );
    assert_eq!(
        codes("v=spf1 ip6:2001:db8::1 ip6:2001:DB8::1/128 -all"),
        one("repeated-network", "ip6:2001:DB8::1/128")
    );
    assert_eq!(codes("v=spf1 ip4:192.0.2.1/24 -all"), one("host-bits", "ip4:192.0.2.1/24"));
    assert_eq!(codes("v=spf1 ip4:0.0.0.0/0 -all"), one("wide-network", "ip4:0.0.0.0/0"));
    assert_eq!(codes("v=spf1 ip4:198.0.0.0/8 -all"), one("wide-network", "ip4:198.0.0.0/8"));
    assert_eq!(codes("v=spf1 ip6:2001::/20 -all"), one("wide-network", "ip6:2001::/20"));
    assert_eq!(codes("v=spf1 mx/8 -all"), one("wide-network", "mx/8"));
    assert_eq!(codes("v=spf1 ip4:192.168.1.1 -all"), one("no-public-address", "ip4:192.168.1.1"));
    assert_eq!(
        codes("v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all"),
        one("neighbouring-networks", "ip4:192.0.2.128/25")
    );
    let many: String = (0..4000).map(|_| "ip4:192.0.2.1 ").collect();
    let report = told(&format!("v=spf1 {many}-all"));
    assert_eq!(report.len(), quivive_evidence::REMARKS_MAX);
}

#[test]
fn length() {
    let networks: String = (0..30).map(|index| format!("ip4:192.0.2.{} ", index * 2)).collect();
    let told = told(&format!("v=spf1 {networks}-all"));
    let codes: BTreeSet<_> = told.iter().map(|one| one.0).collect();
    assert_eq!(codes, BTreeSet::from(["long-record", "several-strings"]));
}

/// A world of records as `what_if` reads them; every other name does not exist.
struct World(Vec<&'static str>);

impl World {
    fn lint(&self, domain: &str) -> LintReport {
        let mut notebook = Notebook::default();
        for answer in what_if(&self.0, 0).unwrap() {
            answer.note(&mut notebook).unwrap();
        }
        let subject = Subject { domain: Some(domain.to_owned()), record: None };
        loop {
            let Linting { report, missing } = SpfLint::default().lint(&subject, &notebook);
            if missing.is_empty() {
                return report;
            }
            for question in missing.into_iter().filter_map(dns) {
                let known =
                    self.0.iter().any(|record| record.split(' ').next() == Some(&question.name));
                let outcome = if known {
                    quivive_evidence::Outcome::NoData
                } else {
                    quivive_evidence::Outcome::NoName
                };
                let answer = quivive_evidence::DnsAnswer::without_records(
                    question.record_type,
                    outcome,
                    quivive_evidence::Source::default(),
                );
                notebook.note(&question.name, answer);
            }
        }
    }

    fn codes(&self, domain: &str) -> Vec<(&'static str, String)> {
        let report = self.lint(domain);
        let place = |remark: &Remark| report.record[remark.span.0..remark.span.1].to_owned();
        report.remarks.iter().map(|one| (one.code, place(one))).collect()
    }
}

fn dns(question: Question) -> Option<DnsQuestion> {
    match question {
        Question::Dns(question) => Some(question),
        _ => None,
    }
}

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
    assert_eq!(report.remarks[0].severity, quivive_evidence::Severity::Warning);
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

#[test]
fn questions_are_bounded() {
    let record: String = (0..1000).map(|index| format!("a:h{index}.example ")).collect();
    let subject = Subject { domain: None, record: Some(format!("v=spf1 {record}-all")) };
    let linting = SpfLint::default().lint(&subject, &Notebook::default());
    assert_eq!(linting.missing.len(), LINT_QUESTIONS_MAX);
}

#[test]
fn records_that_are_followed_are_bounded() {
    // Each record includes the next one twice: without a bound, 2^30 of them.
    let mut notebook = Notebook::default();
    let records: Vec<String> = (0..30)
        .map(|at| {
            format!("{at}.example TXT v=spf1 include:{0}.example include:{0}.example -all", at + 1)
        })
        .collect();
    for answer in what_if(&records, 0).unwrap() {
        answer.note(&mut notebook).unwrap();
    }
    let subject = Subject { domain: Some("0.example".to_owned()), record: None };
    let report = SpfLint::default().lint(&subject, &notebook).report;
    assert!(report.counts[0].used <= 2 * (LINT_RECORDS_MAX + 1));
    assert!(report.remarks.iter().any(|one| one.code == "term-limit"));
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Texts that are nearly records: parts of terms, glued by what may or may not separate them.
    fn nearly_a_record() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "[a-z0-9.:/=%{}~?+-]{0,12}",
            "\\PC{0,3}",
            prop::sample::select(vec![
                "v=spf1",
                "ip4:",
                "ip6:",
                "include:",
                "192.0.2.1",
                "2001:db8::/32",
                "_spf.example.com",
                "all",
                "-",
                "%{i}",
                "redirect=",
                "exp=",
                "a/24",
                "mx//64",
                "exists:",
                "ptr",
                "\u{201c}",
                "\u{2013}",
                "\n",
                "\t",
                "/255.255.255.0",
                ",",
                ";",
                "ip4:192.0.2.1-192.0.2.9",
            ])
            .prop_map(str::to_owned),
        ];
        let glue = prop::sample::select(vec!["", " ", "  "]);
        prop::collection::vec((part, glue), 0..20).prop_map(|parts| {
            let parts = parts.into_iter().map(|(part, glue)| part + glue);
            std::iter::once("v=spf1 ".to_owned()).chain(parts).collect()
        })
    }

    proptest! {
        #[test]
        fn spans_can_be_shown_and_cures_are_not_empty(record in nearly_a_record()) {
            let subject = Subject { record: Some(record), domain: Some("example.com".to_owned()) };
            let Linting { report, .. } = SpfLint::default().lint(&subject, &Notebook::default());
            for remark in &report.remarks {
                let (start, end) = remark.span;
                let shown = report.record.get(start..end);
                prop_assert!(shown.is_some(), "{remark:?} {:?}", report.record);
                prop_assert!(!remark.message.is_empty() && !remark.help.is_empty());
                prop_assert!(!remark.message.ends_with('.'), "{remark:?}");
            }
        }

        #[test]
        fn there_is_an_error_where_the_record_breaks_the_grammar(record in nearly_a_record()) {
            use quivive_evidence::Severity;
            let subject = Subject { record: Some(record.clone()), domain: None };
            let report = SpfLint::default().lint(&subject, &Notebook::default()).report;
            let is_broken = crate::Record::parse(record.as_bytes()).is_err();
            // A line feed at the very end is the end of a file, and no part of the record.
            prop_assume!(!record.ends_with('\n'));
            let is_of_grammar =
                |one: &Remark| one.severity == Severity::Error && one.code != "term-limit";
            let is_told = report.remarks.iter().any(is_of_grammar);
            prop_assert_eq!(is_told, is_broken, "{:?}", report.remarks);
        }
    }
}
