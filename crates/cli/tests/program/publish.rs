//! `publish`: records as lines of a zone, splitting, flattening, what is said beside them.

use std::fs;

use serde_json::Value;

use crate::run::*;

#[track_caller]
fn publish(arguments: &[&str]) -> (String, String, i32) {
    let output = run(&[&["publish"], arguments].concat());
    (stdout(&output), stderr(&output), code(&output))
}

#[test]
fn lines_of_a_zone() {
    let (zone, said, code) =
        publish(&["Example.COM", "--host", "192.0.2.1", "--host", "2001:db8::/48"]);
    assert_eq!(zone, "example.com. TXT \"v=spf1 ip4:192.0.2.1 ip6:2001:db8::/48 -all\"\n");
    assert_eq!((&*said, code), ("spf: nothing to find fault with\n", 0));
    let (zone, said, code) = publish(&[
        "example.com",
        "--mx",
        "--host",
        "example.com",
        "--host",
        "mail.example.net",
        "--include",
        "_spf.example.org",
        "--policy",
        "softfail",
    ]);
    assert_eq!(
        zone,
        "example.com. TXT \"v=spf1 mx a a:mail.example.net include:_spf.example.org ~all\"\n"
    );
    assert!(said.contains("nobody was asked"), "{said}");
    assert_eq!(code, 0);
    let (zone, ..) = publish(&["example.com", "--no-mail"]);
    assert_eq!(zone, "example.com. TXT \"v=spf1 -all\"\n");
}

#[test]
fn what_is_printed_can_be_read_as_a_zone() {
    let addresses: Vec<String> = (0..100).map(|index| format!("192.0.{}.1", index * 2)).collect();
    let hosts: Vec<&str> = addresses.iter().flat_map(|host| ["--host", host]).collect();
    let (zone, ..) = publish(&[&["example.com", "--mx"], &hosts[..]].concat());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.zone");
    fs::write(&path, zone + "example.com. MX 10 mx.example.com.\nmx.example.com. A 198.51.100.1\n")
        .unwrap();
    for (ip, result) in [("192.0.198.1", "pass"), ("198.51.100.1", "pass"), ("192.0.1.1", "fail")] {
        let arguments = ["check", "--zone", named(&path), "--ip", ip, "--helo", "x", "--json"];
        let output = run(&[&arguments[..], &["--mail-from", "a@example.com"]].concat());
        let judgement: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(finding(&judgement, "mailfrom")["result"], result, "{ip}");
    }
}

#[test]
fn flattening_says_what_goes_stale_and_what_stays() {
    let arguments = ["example.com", "--include", "pass.example", "--flatten", "--zone", ZONE];
    let (zone, said, code) = publish(&arguments);
    assert_eq!(
        zone,
        "example.com. TXT \"v=spf1 ip4:192.0.2.3 ip4:198.51.100.0/24 ip6:2001:db8::3 -all\"\n"
    );
    assert!(said.contains("`include:pass.example` became 3 networks"), "{said}");
    assert!(said.contains("every 10 minutes"), "{said}");
    assert_eq!(code, 0);
    let arguments = ["example.com", "--include", "gone.example", "--flatten", "--zone", ZONE];
    let (zone, said, code) = publish(&arguments);
    assert_eq!(zone, "example.com. TXT \"v=spf1 include:gone.example -all\"\n");
    assert!(said.contains("`include:gone.example` stays: gone.example does not exist"), "{said}");
    assert_eq!(code, 1, "{said}");
}

#[test]
fn json() {
    let (text, said, code) =
        publish(&["example.com", "--host", "192.0.2.1", "--method", "all", "--json"]);
    assert_eq!((&*said, code), ("", 0));
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["method"], "spf");
    assert_eq!(first["records"][0]["type"], "TXT");
    assert_eq!(first["records"][0]["zone"], "example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"");
    assert_eq!(first["lint"]["findings"], Value::Array(Vec::new()));
}

#[test]
fn what_cannot_be_meant_is_said() {
    for (arguments, said) in [
        (&["example.com"][..], "--no-mail"),
        (&["example.com", "--host", "192.0.2.1", "--no-mail"], "leave out"),
        (&["a b", "--mx"], "is no domain"),
        (&["example.com", "--host", "192.0.2.300"], "is no"),
        (&["example.com", "--mx", "--method", "dkim"], "there are: "),
        (&["example.com", "--mx", "--method", "maybe"], "is no method"),
    ] {
        let (zone, error, code) = publish(arguments);
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert_eq!((&*zone, code > 0), ("", true));
    }
}
