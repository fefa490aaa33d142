use quivive_evidence::{Lint, LintReport, Notebook, Question, Severity, Subject};
use quivive_testkit::lint::{lint, told};

use super::{DmpLint, DripLint, MailFromMxLint, RmxLint};

const HOSTS: &str = "
out.a.test.    A      192.0.2.1
out.a.test.    AAAA   2001:db8::1
inside.a.test. A      10.0.0.1
alias.a.test.  CNAME  out.a.test.
";

/// What is said of `a.test`.
#[track_caller]
fn of(linter: &dyn Lint, zone: &str) -> LintReport {
    lint(linter, "a.test", None, &format!("{HOSTS}{zone}"))
}

#[track_caller]
fn says(linter: &dyn Lint, zone: &str, expected: &[(&str, &str)]) {
    assert_eq!(told(&of(linter, zone)), expected, "{zone}");
}

/// As [`says`], of a text.
#[track_caller]
fn text_says(linter: &dyn Lint, text: &str, expected: &[(&str, &str)]) {
    assert_eq!(told(&lint(linter, "a.test", Some(text), HOSTS)), expected, "{text}");
}

fn networks(report: &LintReport) -> Vec<String> {
    report.networks.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_published() {
    for linter in [&MailFromMxLint as &dyn Lint, &RmxLint::default(), &DmpLint, &DripLint] {
        let report = of(linter, "");
        assert_eq!((told(&report), report.published), (vec![("no-record", "")], false));
        let report = of(
            linter,
            "*.a.test. MX 10 in.a.test.\n*.a.test. A 192.0.2.9\n\
                                 *.a.test. TXT \"v=spf1 -all\"\n*.a.test. AAAA 2001:db8::9\n",
        );
        let is_rmx = linter.method() == quivive_evidence::Method::Rmx;
        assert!(!report.published, "{} {:?}", linter.method(), report.remarks);
        assert_eq!(told(&report), [("no-record", "")], "{is_rmx}");
    }
}

#[test]
fn dns_gives_no_answer() {
    let failing = ";!servfail a.test\n";
    for linter in [&MailFromMxLint as &dyn Lint, &RmxLint::default(), &DmpLint, &DripLint] {
        let names = ["mail-from", "_rmx", "_smtp-client", "*.ipv4.relays._email_"];
        let zone: String = names.iter().map(|name| format!(";!servfail {name}.a.test\n")).collect();
        let report = of(linter, &format!("{zone}{failing}"));
        assert_eq!(told(&report), [("dns-failure", "")], "{}", linter.method());
        assert!(!report.published);
    }
}

#[test]
fn mail_from_mx_hosts() {
    let zone = "mail-from.a.test. MX 0 out.a.test.\n";
    let report = of(&MailFromMxLint, zone);
    assert_eq!((told(&report), &*report.record), (vec![], "0 out.a.test"));
    assert_eq!(networks(&report), ["192.0.2.1/32", "2001:db8::1/128"]);
    assert_eq!(report.tree[0].children[0].note, "192.0.2.1, 2001:db8::1");
    says(&MailFromMxLint, "mail-from.a.test. MX 0 .\n", &[]);
    says(
        &MailFromMxLint,
        "mail-from.a.test. MX 0 alias.a.test.\nmail-from.a.test. MX 5 gone.a.test.\n\
         mail-from.a.test. MX 0 inside.a.test.\n",
        &[
            ("alias", "0 alias.a.test"),
            ("no-public-address", "0 inside.a.test"),
            ("no-address", "5 gone.a.test"),
            ("preference", "5 gone.a.test"),
        ],
    );
    says(
        &MailFromMxLint,
        "mail-from.a.test. MX 0 out.a.test.\nmail-from.a.test. MX 0 .\n",
        &[("null-mx-beside-others", "0 .")],
    );
    let many: String = (0..11)
        .map(|index| {
            format!(
                "mail-from.a.test. MX 0 m{index}.b.test.\n\
                                     m{index}.b.test. A 192.0.2.1\n"
            )
        })
        .collect();
    let report = of(&MailFromMxLint, &many);
    assert_eq!(told(&report)[0].0, "mx-limit");
    assert_eq!((report.counts[0].used, report.counts[0].most), (11, 10));
    text_says(
        &MailFromMxLint,
        "0 out.a.test\nout.a.test\nx out.a.test",
        &[("mx-record", "out.a.test"), ("mx-record", "x out.a.test")],
    );
}

#[test]
fn rmx_entries() {
    let rmx = RmxLint::default();
    for good in [
        "ipv4:192.0.2.0/24",
        "!ipv4:192.0.2.66 ipv4:192.0.2.0/24 ipv6:2001:db8::/32",
        "host:out.a.test",
        "unused:",
        "full: ipv4:192.0.2.1",
    ] {
        text_says(&rmx, good, &[]);
    }
    for (text, code, place) in [
        ("ipv4:192.0.2.1 ipv4:192.0.2.0/33", "bad-prefix", "ipv4:192.0.2.0/33"),
        ("ipv4:192.0.2.1 ipv4:x", "bad-address", "ipv4:x"),
        ("host:", "bad-name", "host:"),
        ("!unused:", "bad-negation", "!unused:"),
        ("unused:x", "bad-argument", "unused:x"),
        ("ipv4:192.0.2.1 tls:ab", "unknown-entry-type", "tls:ab"),
        ("v=spf1 -all", "no-rmx-record", "v=spf1 -all"),
        ("\\# 2 0108", "truncated-entry", "\\#0108"),
        ("\\# 3 0108", "no-rdata", "\\# 3 0108"),
        ("8:", "private-entry-type", "8:"),
        ("ipv4:0.0.0.0/0", "wide-network", "ipv4:0.0.0.0/0"),
        ("ipv4:10.1.0.0/16", "no-public-address", "ipv4:10.1.0.0/16"),
        ("ipv4:192.0.2.1/24", "host-bits", "ipv4:192.0.2.1/24"),
        ("ipv4:192.0.2.0/24 !ipv4:192.0.2.5", "overlapping-networks", "!ipv4:192.0.2.5"),
        ("ipv4:192.0.2.0/24 ipv4:192.0.2.5", "overlapping-networks", "ipv4:192.0.2.5"),
        ("unused: ipv4:192.0.2.5", "never-reached", "ipv4:192.0.2.5"),
        ("!ipv4:192.0.2.5", "permits-nobody", "!ipv4:192.0.2.5"),
        ("", "empty-record", ""),
        ("host:gone.a.test", "no-address", "host:gone.a.test"),
        ("apl:gone.a.test", "no-list", "apl:gone.a.test"),
        ("domain:a.test", "reverse-name", "domain:a.test"),
    ] {
        let report = lint(&rmx, "a.test", Some(text), HOSTS);
        let told = told(&report);
        assert!(told.contains(&(code, place)), "{text}: {told:?}");
        let others = told.iter().filter(|(one, _)| *one != code).count();
        assert!(others == 0 || text == "8:", "{text}: {told:?}");
    }
    let report = lint(&rmx, "a.test", Some("\\# 3 01080a"), HOSTS);
    assert_eq!((&*report.record, told(&report)[0].0), ("ipv4:10.0.0.0/8", "no-public-address"));
}

#[test]
fn rmx_limits() {
    let rmx = RmxLint::default();
    let hosts = |name: &str, count: usize| vec![format!("host:{name}"); count].join(" ");
    let report = lint(&rmx, "a.test", Some(&hosts("out.a.test", 11)), HOSTS);
    assert_eq!(told(&report), [("look-up-limit", "host:out.a.test")]);
    assert_eq!((report.counts[0].used, report.counts[0].most), (11, 10));
    let report = lint(&rmx, "a.test", Some(&hosts("gone.a.test", 3)), HOSTS);
    assert!(told(&report).contains(&("void-look-up-limit", "host:gone.a.test")));
    assert_eq!(report.count(Severity::Error), 1);
    // Only IPv6 clients find nothing.
    let report = lint(&rmx, "a.test", Some(&hosts("inside.a.test", 3)), HOSTS);
    assert_eq!((report.counts[1].used, report.count(Severity::Error)), (3, 0));
}

#[test]
fn rmx_places() {
    let rmx = RmxLint::default();
    says(&rmx, "_rmx.a.test. TXT \"ipv4:192.0.2.1\"\n", &[]);
    // Both forms say the same: a space and a zero, the address as RDATA.
    says(
        &rmx,
        "_rmx.a.test. TXT \"ipv4:192.0.2.1\"\n_rmx.a.test. TYPE65280 \\# 6 0120c0000201\n",
        &[],
    );
    says(
        &rmx,
        "_rmx.a.test. TXT \"ipv4:192.0.2.1\"\n_rmx.a.test. TYPE65280 \\# 6 0120c0000202\n",
        &[("forms-differ", "")],
    );
    says(
        &rmx,
        "_rmx.a.test. TXT \"ipv4:192.0.2.1\"\n_rmx.a.test. TXT \"!ipv4:192.0.2.2\"\n",
        &[("several-records", "")],
    );
    says(
        &rmx,
        "_rmx.a.test. TXT \"ipv4:192.0.2.1\"\n_rmx.a.test. TXT \"and more\"\n",
        &[("foreign-text", "and more")],
    );
    says(
        &rmx,
        "_rmx.a.test. TXT \"ipv4:192.0.2.1\"\n_ipv4._rmx.a.test. TXT \"unused:\"\n",
        &[("never-read", "")],
    );
    let report =
        of(&rmx, "_ipv4._rmx.a.test. TXT \"ipv4:192.0.2.1\"\n_ipv6._rmx.a.test. TXT \"unused:\"\n");
    assert_eq!((told(&report), &*report.record), (vec![], "ipv4:192.0.2.1\nunused:"));
    let report = of(&rmx, "a.test. TXT \"ipv4:192.0.2.1\"\n");
    assert_eq!(told(&report), [("no-record", ""), ("text-at-domain", "ipv4:192.0.2.1")]);
    says(&rmx, "a.test. TYPE65280 \\# 6 0120c0000201\n", &[]);
    let report = of(
        &rmx,
        "_rmx.a.test. TXT \"apl:l.a.test\"\nl.a.test. APL 1:192.0.2.0/24 !1:192.0.2.7/32\n",
    );
    assert_eq!(networks(&report), ["192.0.2.0/24", "192.0.2.7/32"]);
    says(
        &rmx,
        "_rmx.a.test. TXT \"apl:l.a.test\"\nl.a.test. TYPE42 \\# 3 000120\n",
        &[("bad-apl", "apl:l.a.test")],
    );
}

#[test]
fn dmp_records() {
    const GOOD: &str =
        "_smtp-client.a.test. TXT \"dmp=\"\n*._smtp-client.a.test. TXT \"dmp=deny\"\n";
    let with = |zone: &str| format!("{GOOD}{zone}");
    says(&DmpLint, GOOD, &[]);
    says(
        &DmpLint,
        &with("1.2.0.192.in-addr._smtp-client.a.test. TXT \"dmp=allow\"\n"),
        &[("wildcard-hole", "")],
    );
    says(
        &DmpLint,
        &with(
            "*.in-addr._smtp-client.a.test. TXT \"dmp=deny\"\n\
               1.2.0.192.in-addr._smtp-client.a.test. TXT \"dmp=allow\"\n",
        ),
        &[],
    );
    let report = of(&DmpLint, &with("*.in-addr._smtp-client.a.test. TXT \"dmp=allow\"\n"));
    assert_eq!(
        (told(&report), networks(&report)),
        (vec![("allows-all", "")], vec!["0.0.0.0/0".to_owned()])
    );
    says(
        &DmpLint,
        "_smtp-client.a.test. TXT \"dmp=\"\n_smtp-client.a.test. TXT \"dmp=hots\"\n\
         _smtp-client.a.test. TXT \"dmp=allow\"\n_smtp-client.a.test. TXT \"x\"\n",
        &[
            ("no-default", ""),
            ("unknown-value", "dmp=hots"),
            ("stray-value", "dmp=allow"),
            ("foreign-text", "x"),
        ],
    );
    says(&DmpLint, "*._smtp-client.a.test. TXT \"dmp=deny\"\n", &[("no-base", "")]);
    says(
        &DmpLint,
        "_smtp-client.a.test. TXT \"dmp=\"\n*._smtp-client.a.test. TXT \"dmp=allow\"\n",
        &[("default-allows", "")],
    );
    says(
        &DmpLint,
        &with("_smtp-client.a.test. TXT \"dmp=altdomain:b.test.\"\n"),
        &[("extension", "dmp=altdomain:b.test.")],
    );
    text_says(&DmpLint, "dmp=allow\ndmp=alow", &[("unknown-value", "dmp=alow")]);
    text_says(&DmpLint, "v=spf1", &[("no-dmp-record", "v=spf1")]);
}

#[test]
fn drip_records() {
    const GOOD: &str = "*.ipv4.relays._email_.a.test. A 0.0.0.0\n\
                        *.ipv6.relays._email_.a.test. AAAA ::\n";
    says(&DripLint, GOOD, &[]);
    let one = "192_0_2_1.ipv4.relays._email_.a.test. A 192.0.2.1\n";
    says(&DripLint, one, &[("no-default", ""), ("no-default", "")]);
    says(
        &DripLint,
        "*.ipv4.relays._email_.a.test. A 192.0.2.1\n*.ipv6.relays._email_.a.test. AAAA ::\n",
        &[("foreign-default", "192.0.2.1")],
    );
    text_says(&DripLint, "0.0.0.0\nx", &[("bad-address", "x")]);
}

/// What is asked does not grow with what is published.
#[test]
fn questions_are_bounded() {
    let hosts: Vec<String> = (0..1000).map(|index| format!("host:h{index}.a.test")).collect();
    let subject = Subject { domain: Some("a.test".to_owned()), record: Some(hosts.join(" ")) };
    let linting = RmxLint::default().lint(&subject, &Notebook::default());
    assert_eq!(linting.missing.len(), quivive_evidence::LINT_QUESTIONS_MAX);
    assert!(linting.missing.iter().all(|question| matches!(question, Question::Dns(_))));
    assert!(linting.report.remarks.iter().any(|remark| remark.code == "not-followed"));
}
