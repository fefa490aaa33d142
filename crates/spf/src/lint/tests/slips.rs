//! Terms that break the grammar.

use super::{cure, slip, told};

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
