//! `check`: results, the JSON of the contract, text for people, exit codes.

use std::fs::File;

use crate::run::*;
use serde_json::{Value, json};

const STRANGER: &str = "203.0.113.9";

#[track_caller]
fn assert_mailfrom(ip: &str, mail_from: &str, result: &str, cause: &str) {
    let judgement = check_json(ip, "mx.pass.example", mail_from, &[]);
    let finding = finding(&judgement, "mailfrom");
    assert_eq!(
        (finding["result"].as_str(), finding["cause"].as_str()),
        (Some(result), Some(cause))
    );
    let results = judgement["headers"]["authentication_results"].as_str().unwrap();
    assert!(results.contains(&format!("spf={result} ")), "{results}");
}

#[test]
fn every_result() {
    assert_mailfrom("192.0.2.3", "a@pass.example", "pass", "match");
    assert_mailfrom("198.51.100.7", "a@pass.example", "pass", "match");
    assert_mailfrom("2001:db8::3", "a@pass.example", "pass", "match");
    assert_mailfrom("::ffff:192.0.2.3", "a@pass.example", "pass", "match");
    assert_mailfrom(STRANGER, "a@fail.example", "fail", "match");
    assert_mailfrom(STRANGER, "a@soft.example", "softfail", "match");
    assert_mailfrom(STRANGER, "a@neutral.example", "neutral", "match");
    assert_mailfrom(STRANGER, "a@nothing.example", "none", "no-record");
    assert_mailfrom(STRANGER, "a@temp.example", "temperror", "dns-servfail");
    assert_mailfrom(STRANGER, "a@slow.example", "temperror", "dns-timeout");
    assert_mailfrom(STRANGER, "a@twice.example", "permerror", "multiple-records");
    assert_mailfrom("192.0.2.3", "jürgen@bücher.example", "pass", "match");
}

#[test]
fn a_null_sender_stands_for_postmaster_at_helo() {
    for mail_from in ["", "<>"] {
        let judgement = check_json(STRANGER, "fail.example", mail_from, &[]);
        let finding = finding(&judgement, "mailfrom");
        assert_eq!(finding["result"], "fail");
        assert_eq!(finding["domain"], "fail.example");
    }
}

#[test]
fn nothing_is_refused_for_its_form() {
    let helos = ["", " ", "-", "--json", "[192.0.2.1]", "a\tb", "x@y", "..", "é.example"];
    let senders = ["", "@", "@example.net", "a b@c d", "no-at-sign", "-a@b.example", "a@[::1]"];
    for helo in helos {
        check_json(STRANGER, helo, "a@pass.example", &[]);
    }
    for sender in senders {
        check_json(STRANGER, "mx.pass.example", sender, &["--rcpt", sender]);
    }
    let long = "x".repeat(5000);
    check_json(STRANGER, &long, &format!("{long}@{long}"), &[]);
}

#[test]
fn the_json_of_the_contract() {
    let flags = ["--json", "--rcpt", "b@here.example", "--receiver", "mx.here.example"];
    let output = check("198.51.100.7", "mx.pass.example", "a@pass.example", &flags);
    let text = stdout(&output);
    let judgement: Value = serde_json::from_str(&text).unwrap();
    let parts = [
        "{\"findings\":[{\"method\":",
        "],\"verdict\":{\"action\":",
        "},\"headers\":{\"received_spf\":",
        "},\"cost\":{\"questions\":{\"needed\":",
        "},\"questions\":[{\"question\":",
    ];
    let places = parts.map(|part| text.find(part).unwrap());
    assert!(places.is_sorted() && places[0] == 0, "{places:?}");
    let mailfrom = finding(&judgement, "mailfrom");
    assert_eq!(mailfrom["method"], "spf");
    assert_eq!(mailfrom["decided_by"], "include:_spf.net.example");
    assert_eq!(mailfrom["explanation"], Value::Null);
    assert_eq!(
        judgement["verdict"],
        json!({
            "action": "accept", "code": 250, "enhanced": "2.0.0", "text": "accepted",
            "reasons": [
                "spf helo none: mark (no action is set)",
                "spf mailfrom pass: mark (no action is set)",
            ],
            "recipients": [
                {"rcpt": "b@here.example", "action": "accept", "code": 250, "text": "accepted"},
            ],
        })
    );
    let headers = &judgement["headers"];
    assert_eq!(
        headers["authentication_results"],
        "mx.here.example; spf=pass smtp.mailfrom=pass.example; spf=none smtp.helo=mx.pass.example"
    );
    let received = headers["received_spf"].as_array().unwrap();
    assert_eq!(received.len(), 2, "one for each identity");
    assert!(received.iter().all(|value| !value.as_str().unwrap().contains(['\r', '\n', '\t'])));
    let cost = &judgement["cost"];
    assert_eq!(cost["questions"]["needed"], 5);
    assert!(cost["questions"]["ahead"].is_u64() && cost["rounds"].is_u64());
    assert!(cost["micros"].is_u64());
}

#[test]
fn the_trace_points_at_its_questions() {
    let judgement = check_json("198.51.100.7", "mx.pass.example", "a@pass.example", &[]);
    let questions = judgement["questions"].as_array().unwrap();
    let asked = |node: &Value| -> Vec<String> {
        let indexes = node["questions"].as_array().unwrap().iter();
        let asked = indexes.map(|index| &questions[index.as_u64().unwrap() as usize]["question"]);
        asked.map(|question| question.as_str().unwrap().to_owned()).collect()
    };
    let trace = &finding(&judgement, "mailfrom")["trace"];
    let [mx, include] = trace.as_array().unwrap().as_slice() else {
        panic!("two terms were evaluated: {trace}");
    };
    assert_eq!((&mx["term"], &mx["span"]), (&json!("mx"), &json!([7, 9])));
    assert_eq!(mx["result"], "no-match");
    assert_eq!(asked(mx), ["pass.example MX", "mx.pass.example A"]);
    assert_eq!(include["result"], "match");
    assert_eq!(asked(include), ["_spf.net.example TXT"]);
    assert_eq!(include["children"][0]["term"], "ip4:198.51.100.0/24");
    assert_eq!(include["children"][0]["result"], "match");
    let answer = questions.iter().find(|asked| asked["question"] == "pass.example MX").unwrap();
    assert_eq!(answer["answer"], json!({"status": "found", "records": ["10 mx.pass.example"]}));
    assert_eq!(answer["ttl"], 600);
    assert_eq!(answer["server"], Value::Null);
    assert_eq!(answer["ad"], false);
    assert!(answer["micros"].is_u64());
}

#[test]
fn the_domains_own_explanation() {
    let judgement = check_json(STRANGER, "mx.pass.example", "a@fail.example", &[]);
    let explanation = &finding(&judgement, "mailfrom")["explanation"];
    assert_eq!(explanation, "203.0.113.9 is \"no server\" of fail.example");
}

#[test]
fn identities_and_methods_are_chosen() {
    let one = check_json(STRANGER, "fail.example", "a@pass.example", &["--identities", "helo"]);
    assert_eq!(one["findings"].as_array().unwrap().len(), 1);
    assert_eq!(finding(&one, "helo")["result"], "fail");
    let both = ["--methods", "spf", "--identities", "helo,mailfrom"];
    let both = check_json(STRANGER, "fail.example", "a@pass.example", &both);
    assert_eq!(both["findings"].as_array().unwrap().len(), 2);
}

#[test]
fn a_configuration_decides() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    let text = "hostname = \"mx.here.example\"\n[resolver]\nzone = \"some.zone\"\n\
                [methods]\nspf = \"enforce\"\n[actions.spf.mailfrom]\nfail = \"reject\"\n";
    std::fs::write(&path, text).unwrap();
    std::fs::copy(ZONE, folder.path().join("some.zone")).unwrap();
    let output = run(&[
        "check",
        "--config",
        named(&path),
        "--ip",
        STRANGER,
        "--helo",
        "x.example",
        "--mail-from",
        "a@fail.example",
        "--rcpt",
        "b@here.example",
        "--json",
    ]);
    let judgement: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let verdict = &judgement["verdict"];
    assert_eq!(verdict["action"], "reject");
    assert_eq!((&verdict["code"], &verdict["enhanced"]), (&json!(550), &json!("5.7.23")));
    assert_eq!(verdict["recipients"][0]["action"], "reject");
    let results = judgement["headers"]["authentication_results"].as_str().unwrap();
    assert!(results.starts_with("mx.here.example; "), "{results}");
    assert_eq!(code(&output), 0, "whatever the result");
}

#[test]
fn text_for_people() {
    let output = check("198.51.100.7", "mx.pass.example", "a@pass.example", &[]);
    let text = stdout(&output);
    for line in [
        "spf helo       none      mx.pass.example  (no-record)\n",
        "spf mailfrom   pass      pass.example  (match: include:_spf.net.example)\n",
        "  ├─ mx  no match\n",
        "  │    ? pass.example MX: 10 mx.pass.example (ttl 600)\n",
        "  └─ include:_spf.net.example  match  ◀\n",
        "        └─ ip4:198.51.100.0/24  match  ◀\n",
        "verdict  accept  250 2.0.0 accepted\n",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn strangers_text_moves_no_cursor() {
    let output = check(STRANGER, "a\u{1b}[2Jb\r\nc", "x\u{202e}@fail.example", &[]);
    let text = stdout(&output);
    assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{text}");
}

#[test]
fn usage_is_exit_2() {
    let ip = ["check", "--ip", STRANGER, "--helo", "x", "--mail-from", "a@b.example"];
    let wrong: &[&[&str]] = &[
        &[],
        &["check"],
        &["check", "--ip", "300.1.1.1", "--helo", "x", "--mail-from", ""],
        &["check", "--batch", "-", "--ip", STRANGER],
        &["check", "--batch", "-", "--methods", "dkim", "--zone", ZONE],
        &[ip.as_slice(), &["--methods", "spf,xyz"]].concat(),
        &[ip.as_slice(), &["--methods", "spf,dkim", "--zone", ZONE]].concat(),
        &[ip.as_slice(), &["--identities", "nose"]].concat(),
        &[ip.as_slice(), &["--zone", ZONE, "--resolver", "127.0.0.1"]].concat(),
        &[ip.as_slice(), &["--resolver", "localhost"]].concat(),
        &["lint"],
        &["publish", "example.com"],
        &["publish", "example.com", "--host", "192.0.2.1", "--no-mail"],
        &["callback", "a@b.example"],
        &["case"],
        &["case", "list", "--result", "maybe"],
        &["case", "list", "--client", "somebody"],
        &["held", "list", "--json"],
    ];
    for arguments in wrong {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert_ne!(stderr(&output), "", "{arguments:?}");
    }
    assert!(stderr(&run(&["callback", "a@b.example"])).contains("not in this version"));
    let dkim = [ip.as_slice(), &["--methods", "dkim", "--zone", ZONE]].concat();
    assert!(stderr(&run(&dkim)).contains("method `dkim` is not in this version"));
}

#[test]
fn what_cannot_be_read_is_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let missing = named(&missing);
    let output = check(STRANGER, "x", "a@pass.example", &["--message", missing]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains(missing), "{}", stderr(&output));
    for flag in ["--zone", "--config"] {
        let ip = ["check", "--ip", STRANGER, "--helo", "x", "--mail-from", "", flag, missing];
        let output = run(&ip);
        assert_eq!(code(&output), 1, "{flag}");
        assert!(stderr(&output).contains(missing), "{}", stderr(&output));
    }
    let zone = folder.path().join("bad.zone");
    std::fs::write(&zone, "a.example. A 192.0.2.1\nb.example. A 192.0.2.300\n").unwrap();
    let ip = ["check", "--ip", STRANGER, "--helo", "x", "--mail-from", "", "--zone"];
    let output = run(&[&ip, [named(&zone)].as_slice()].concat());
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("bad.zone: line 2"), "{}", stderr(&output));
}

#[test]
fn messages_are_bounded() {
    const OCTETS_MAX: u64 = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message");
    let file = File::create(&path).unwrap();
    let message = ["--message", named(&path)];
    file.set_len(OCTETS_MAX).unwrap();
    assert_eq!(code(&check(STRANGER, "x", "a@pass.example", &message)), 0);
    file.set_len(OCTETS_MAX + 1).unwrap();
    let output = check(STRANGER, "x", "a@pass.example", &message);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("is longer than 67108864 octets"), "{}", stderr(&output));
}
