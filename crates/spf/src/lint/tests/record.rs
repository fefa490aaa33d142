//! What a record says by itself.

use std::collections::BTreeSet;

use super::{codes, one, told};

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
fn what_a_record_says_as_a_whole() {
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
    assert_eq!(codes("v=spf1 exists:%{l}.x.example exists:%{L}.x.example -all"), []);
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
    let asking = told("v=spf1 ip4:192.0.2.9 mx ip4:192.0.2.0/24 -all");
    assert!(asking[0].2.starts_with("put `ip4:192.0.2.0/24` here"), "{asking:?}");
    let opposite = told("v=spf1 ip4:192.0.2.1 -ip4:192.0.2.1 -all");
    assert_eq!(opposite[0].2, "keep `ip4:192.0.2.1` or `-ip4:192.0.2.1`");
    assert_eq!(codes("v=spf1 ip4:192.0.2.1/24 -all"), one("host-bits", "ip4:192.0.2.1/24"));
    assert_eq!(codes("v=spf1 ip4:0.0.0.0/0 -all"), one("wide-network", "ip4:0.0.0.0/0"));
    assert_eq!(codes("v=spf1 ip4:198.0.0.0/8 -all"), one("wide-network", "ip4:198.0.0.0/8"));
    assert_eq!(codes("v=spf1 ip6:2001::/20 -all"), one("wide-network", "ip6:2001::/20"));
    assert_eq!(codes("v=spf1 mx/8 -all"), one("wide-network", "mx/8"));
    assert_eq!(codes("v=spf1 ip4:10.0.0.0/8 -all"), one("no-public-address", "ip4:10.0.0.0/8"));
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
