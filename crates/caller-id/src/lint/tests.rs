use quivive_evidence::LintReport;
use quivive_testkit::lint::{lint, told};

use super::CallerIdLint;

const WORLD: &str = "
out.a.test.     A    192.0.2.1
out.a.test.     AAAA 2001:db8::1
a.test.         MX   10 out.a.test.
b.test.         MX   10 out.a.test.
_ep.c.test.     TXT  \"<ep xmlns='http://ms.net/1'><out><m><r>198.51.100.0/24</r></m></out></ep>\"
_ep.loop.test.  TXT  \"<ep xmlns='http://ms.net/1'><out><m><indirect>a.test</indirect></m></out></ep>\"
_ep.bad.test.   TXT  \"<ep\"
_ep.try.test.   TXT  \"<ep xmlns='http://ms.net/1' testing='1'><out><m><mx/></m></out></ep>\"
";

fn document(out: &str) -> String {
    format!("<ep xmlns='http://ms.net/1'>{out}</ep>")
}

/// What is said of a document of `a.test`.
fn of(text: &str) -> LintReport {
    lint(&CallerIdLint, "a.test", Some(text), WORLD)
}

#[track_caller]
fn says(text: &str, expected: &[(&str, &str)]) {
    assert_eq!(told(&of(text)), expected, "{text}");
}

/// As [`says`], of what stands in `m`.
#[track_caller]
fn servers_say(parts: &str, expected: &[(&str, &str)]) {
    says(&document(&format!("<out><m>{parts}</m></out>")), expected);
}

fn networks(report: &LintReport) -> Vec<String> {
    report.networks.iter().map(ToString::to_string).collect()
}

#[test]
fn good_documents_are_left_alone() {
    for out in [
        "<out><noMailServers/></out>",
        "<out><m/></out>",
        "<out><m><mx/><a>192.0.2.1</a><r>192.0.2.0/24</r></m></out>",
        "<out><m><r>192.0.2.0/24</r><r>!192.0.2.128/28</r></m></out>",
        "<out><m><indirect>c.test</indirect></m><m><a>out.a.test</a></m></out>",
        "<scope><domain>a.test</domain></scope><out directOnly='true'><m/></out>",
    ] {
        says(&document(out), &[]);
    }
    let report = of(&document("<out><m><indirect>c.test</indirect></m><m><a/><mx/></m></out>"));
    assert!(networks(&report).contains(&"198.51.100.0/24".to_owned()));
    assert!(networks(&report).contains(&"192.0.2.1/32".to_owned()));
    assert_eq!(report.tree[0].children[0].children[0].text, "<r>198.51.100.0/24</r>");
    assert_eq!(report.counts[0].used, 1);
}

#[test]
fn faults_with_their_places() {
    says("x", &[("no-document", "x")]);
    says("<ep/>", &[("wrong-root", "<ep/>")]);
    says("<!DOCTYPE ep><ep/>", &[("document-type", "<!DOCTYPE ep>")]);
    says(&document("<out><n/></out>"), &[("unknown-element", "<n/>")]);
    says(
        &document("<out><m><r>192.0.2.0/33</r></m></out>"),
        &[("bad-value", "<r>192.0.2.0/33</r>")],
    );
    says(
        &document("<out><noMailServers/><m/></out>"),
        &[("no-mail-servers-and-m", "<out><noMailServers/><m/></out>")],
    );
    says(&document("<out>&b;</out>"), &[("foreign-entity", "&b;")]);
    says("<ep", &[("bad-xml", "<ep")]);
    says(&document("<out><m></out>"), &[("bad-xml", "</out>")]);
    says("<ep xmlns='http://ms.net/1'><out>", &[("bad-xml", "<out>")]);
    // Line feeds are no lines of a report.
    let text = document("\n<out>\n<m><a>10.0.0.1</a></m></out>");
    says(&text, &[("no-public-address", "<a>10.0.0.1</a>")]);
}

#[test]
fn what_says_nothing() {
    says(&document(""), &[("no-servers", "")]);
    says(&document("<out/>"), &[("no-servers", "")]);
    let testing = "<ep xmlns='http://ms.net/1' testing='true'><out><m/></out></ep>";
    says(testing, &[("testing", "")]);
    says(
        &document("<scope><domain>b.test</domain></scope><out><m/></out>"),
        &[("other-scope", "")],
    );
}

#[test]
fn servers() {
    servers_say("<r>192.0.2.1/24</r>", &[("host-bits", "<r>192.0.2.1/24</r>")]);
    servers_say("<r>0.0.0.0/0</r>", &[("wide-network", "<r>0.0.0.0/0</r>")]);
    servers_say("<a>gone.a.test</a>", &[("no-address", "<a>gone.a.test</a>")]);
    servers_say("<mx>gone.a.test</mx>", &[("no-address", "<mx>gone.a.test</mx>")]);
    servers_say(
        "<r>192.0.2.0/24</r><r>!198.51.100.0/24</r>",
        &[("useless-exclusion", "<r>!198.51.100.0/24</r>")],
    );
    servers_say("<indirect>c.test</indirect><mx/>", &[("beside-indirect", "<mx/>")]);
    let below = |domain: &str, code: &str| {
        let part = format!("<indirect>{domain}</indirect>");
        servers_say(&part, &[(code, &part)]);
    };
    below("b.test", "no-document-below");
    below("a.test", "loop");
    below("loop.test", "loop");
    below("bad.test", "broken-below");
    below("try.test", "nothing-below");
    let many: String = (0..12).map(|_| "<m><indirect>c.test</indirect></m>").collect();
    let report = of(&document(&format!("<out>{many}</out>")));
    assert_eq!(told(&report), [("indirect-limit", "<indirect>c.test</indirect>")]);
}

#[test]
fn records() {
    let of = |records: &str| lint(&CallerIdLint, "d.test", None, records);
    assert_eq!(told(&of("")), [("no-record", "")]);
    assert_eq!(told(&of("_ep.d.test. TXT \"v=spf1 -all\"")), [("no-record", "")]);
    assert_eq!(told(&of(";!servfail _ep.d.test")), [("dns-failure", "")]);
    let whole = document("<out><noMailServers/></out>");
    let one = |text: &str| format!("_ep.d.test. TXT \"{text}\"\n");
    assert_eq!(told(&of(&one(&whole))), []);
    assert_eq!(told(&of(&one(&format!("01{whole}")))), [("numbered-alone", "")]);
    let (first, second) = whole.split_at(30);
    let two = |one_prefix: &str, other_prefix: &str| {
        one(&format!("{other_prefix}{second}")) + &one(&format!("{one_prefix}{first}"))
    };
    let report = of(&two("01", "02"));
    assert_eq!((told(&report), &*report.record), (vec![], &*whole));
    assert!(told(&of(&two("01", "01"))).iter().any(|(code, _)| *code == "duplicate-prefix"));
    let beside = of(&(two("01", "02") + &one("v=spf1 -all")));
    assert_eq!(told(&beside), [("foreign-text", "")]);
    let alias = format!("_ep.d.test. CNAME _ep.e.test.\n_ep.e.test. TXT \"{whole}\"\n");
    assert_eq!(told(&of(&alias)), []);
}
