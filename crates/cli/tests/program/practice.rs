//! Local practice through `check`: each setting shows in the verdict's reasons.

use std::fs;

use serde_json::Value;

use crate::run::*;

/// The judgement of a message from this client by a configuration.
#[track_caller]
fn judged(config: &str, ip: &str, mail_from: &str, more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    let actions = "[actions.spf.mailfrom]\nfail = \"reject\"\n";
    fs::write(&path, format!("hostname = \"mx.here.example\"\n{config}{actions}")).unwrap();
    check_json(ip, "x", mail_from, &[&["--config", named(&path)], more].concat())
}

fn reasons(judgement: &Value) -> Vec<&str> {
    let reasons = judgement["verdict"]["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason.as_str().unwrap()).collect()
}

#[test]
fn each_setting_has_its_reason() {
    let forged = ("203.0.113.9", "a@fail.example");
    for (config, action, said) in [
        ("", "reject", "spf mailfrom fail: reject ([actions.spf.mailfrom])"),
        (
            "[local]\nrelays = [\"203.0.113.0/24\"]\n",
            "accept",
            "nothing is checked: 203.0.113.9 is trusted ([local] relays)",
        ),
        (
            "[local]\nforwarders = [\"203.0.113.9\"]\n",
            "accept",
            "spf mailfrom fail: mark ([local] forwarders)",
        ),
        (
            "[local]\ndry_run = true\n",
            "accept",
            "dry run: reject would have followed, with 550 5.7.23 SPF: 203.0.113.9 is not \
             permitted to send mail for fail.example (its record says `-all`); fail.example says: \
             \"203.0.113.9 is 'no server' of fail.example\"",
        ),
    ] {
        let judgement = judged(config, forged.0, forged.1, &[]);
        assert_eq!(judgement["verdict"]["action"], action, "{config}");
        assert!(reasons(&judgement).contains(&said), "{config}: {:?}", reasons(&judgement));
    }
}

#[test]
fn domains_that_must_pass() {
    let config = "[local]\nmust_pass = [\"soft.example\", \"temp.example\"]\n";
    let judgement = judged(config, "203.0.113.9", "a@soft.example", &[]);
    assert_eq!(judgement["verdict"]["action"], "reject");
    let said = "spf mailfrom softfail: reject ([local] must_pass)";
    assert!(reasons(&judgement).contains(&said), "{:?}", reasons(&judgement));
    let judgement = judged(config, "203.0.113.9", "a@temp.example", &[]);
    assert_eq!(judgement["verdict"]["action"], "defer");
}

#[test]
fn the_client_before_our_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let message = folder.path().join("message");
    let top = "Received: from mx.fail.example (unknown [203.0.113.9]) by gateway.here.example";
    fs::write(&message, format!("{top}\r\nSubject: x\r\n\r\nx\r\n")).unwrap();
    let config = "[local]\nupstreams = [\"192.0.2.25\"]\n";
    let flags = ["--message", named(&message)];
    let judgement = judged(config, "192.0.2.25", "a@fail.example", &flags);
    assert_eq!(judgement["verdict"]["action"], "reject");
    assert_eq!(
        reasons(&judgement)[0],
        "the client is 203.0.113.9, as 192.0.2.25 before us tells ([local] upstreams)"
    );
    // Without the message there is nothing to go by.
    let judgement = judged(config, "192.0.2.25", "a@fail.example", &[]);
    assert_eq!(judgement["verdict"]["action"], "accept");
    assert!(reasons(&judgement)[0].contains("only the message's header"), "{judgement}");
    assert_eq!(judgement["findings"], Value::Array(Vec::new()));
}

#[test]
fn a_guess_is_labelled() {
    let config = "[spf]\nbest_guess = \"v=spf1 a/24 mx/24\"\n";
    let judgement = judged(config, "192.0.2.77", "a@mx.pass.example", &[]);
    let finding = finding(&judgement, "mailfrom");
    assert_eq!((&finding["result"], &finding["cause"]), (&"neutral".into(), &"best-guess".into()));
    let results = judgement["headers"]["authentication_results"].as_str().unwrap();
    assert!(results.contains("spf=neutral reason=\"best guess\""), "{results}");
    let told = reasons(&judgement);
    assert!(told.iter().any(|reason| reason.ends_with("by [spf] best_guess")), "{judgement}");
}

#[test]
fn a_refusal_in_ones_own_words() {
    let config = "[refusal]\ntext = \"No, says {receiver}: {reason}. Ask postmaster.\"\n";
    let judgement = judged(config, "203.0.113.9", "a@fail.example", &[]);
    assert_eq!(
        judgement["verdict"]["text"],
        "No, says mx.here.example: 203.0.113.9 is not permitted to send mail for fail.example (its \
         record says `-all`). Ask postmaster."
    );
}
