//! The vectors of the specification sheets, as anybody runs them: every method at once.

use std::collections::BTreeMap;
use std::fs;

use quivive_testkit::vectors::{Sheet, Vector, sheet};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::*;

/// The sheets of these methods.
const SHEETS: &[&str] = &["mail-from-mx", "rmx", "dmp", "caller-id", "sender-id", "lists"];

/// What a vector's line of a batch is.
fn line(vector: &Vector) -> String {
    let Vector { ip, helo, mail_from, message, submitter, .. } = vector;
    let mut line = json!({ "ip": ip.to_string(), "helo": helo, "mail_from": mail_from });
    if let Some(message) = message {
        line["message"] = json!(message);
    }
    if let Some(submitter) = submitter {
        line["submitter"] = json!(submitter);
    }
    line.to_string()
}

/// How a judgement differs from what a vector expects, if it does.
fn complaint(vector: &Vector, judgement: &Value) -> Option<String> {
    let findings = judgement["findings"].as_array()?;
    let found = findings.iter().find(|finding| {
        finding["method"] == vector.method.word() && finding["identity"] == vector.identity.word()
    });
    let expected = |name: &str| match name {
        "result" => Some(vector.expect.word()),
        "cause" => vector.cause.as_deref(),
        "decided_by" => vector.decided_by.as_deref(),
        _ => vector.domain.as_deref(),
    };
    let differs = |name: &&str| {
        expected(name).is_some_and(|value| found.is_none_or(|finding| finding[*name] != value))
    };
    let differing: Vec<&str> =
        ["result", "cause", "decided_by", "domain"].into_iter().filter(differs).collect();
    (!differing.is_empty())
        .then(|| format!("section {}: {}: {differing:?} {found:?}", vector.section, line(vector)))
}

fn by_settings(sheets: &[Sheet]) -> BTreeMap<(&str, String), Vec<&Vector>> {
    let mut groups: BTreeMap<_, Vec<&Vector>> = BTreeMap::new();
    for vector in sheets.iter().flat_map(|sheet| &sheet.vectors) {
        let section = vector.method.word().replace('-', "_");
        let config = match &*vector.settings {
            "" => String::new(),
            settings => format!("[{section}]\n{settings}\n"),
        };
        groups.entry((vector.method.word(), config)).or_default().push(vector);
    }
    groups
}

#[test]
fn every_vector_of_the_sheets() {
    let sheets: Vec<Sheet> = SHEETS.iter().map(|name| sheet(name)).collect();
    let folder = TempDir::new().unwrap();
    let zone = folder.path().join("vectors.zone");
    let all: String = sheets.iter().map(|sheet| format!("$ORIGIN .\n{}", sheet.zone)).collect();
    fs::write(&zone, all).unwrap();
    let config = folder.path().join("quivive.toml");
    let methods = "mail-from-mx,rmx,dmp,drip,caller-id,sender-id,iprev,dnsbl,dnswl";
    let mut complaints = Vec::new();
    let mut count = 0;
    for ((_, settings), vectors) in by_settings(&sheets) {
        fs::write(&config, &settings).unwrap();
        let lines: Vec<String> = vectors.iter().map(|vector| line(vector)).collect();
        let flags = ["--zone", named(&zone), "--config", named(&config), "--methods", methods];
        let arguments = [&["check", "--batch", "-", "--json"], &flags[..]].concat();
        let output = run_with_input(&arguments, lines.join("\n").as_bytes());
        assert_eq!(code(&output), 0, "{}{}", stderr(&output), stdout(&output));
        let text = stdout(&output);
        let judgements: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(judgements.len(), vectors.len());
        complaints.extend(
            vectors.iter().zip(&judgements).filter_map(|(vector, json)| complaint(vector, json)),
        );
        count += vectors.len();
    }
    assert_eq!(count, sheets.iter().map(|sheet| sheet.vectors.len()).sum::<usize>());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// One description of a domain's senders, and what each scheme makes of it in DNS.
#[test]
fn what_is_published_permits_those_who_are_named_and_nobody_else() {
    let described = ["example.test", "--host", "192.0.2.1", "--host", "2001:db8::1"];
    let output = run(&[&["publish"], &described[..], &["--method", "all"]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let folder = TempDir::new().unwrap();
    let zone = folder.path().join("published.zone");
    fs::write(&zone, format!("$TTL 300\n{}", stdout(&output))).unwrap();
    let message = folder.path().join("message");
    fs::write(&message, "From: a@example.test\n\nHello.\n").unwrap();
    let methods = "spf,sender-id,caller-id,mail-from-mx,rmx,dmp,drip";
    for (ip, result) in [
        ("192.0.2.1", "pass"),
        ("2001:db8::1", "pass"),
        ("192.0.2.2", "fail"),
        ("198.51.100.1", "fail"),
        ("2001:db8::2", "fail"),
    ] {
        let arguments = ["check", "--zone", named(&zone), "--ip", ip, "--helo", "example.test"];
        let more = ["--mail-from", "a@example.test", "--message", named(&message), "--json"];
        let output = run(&[&arguments[..], &more, &["--methods", methods]].concat());
        let judgement: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let findings = judgement["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 9, "{findings:?}");
        for finding in findings {
            assert_eq!(finding["result"], result, "{ip}: {finding}");
        }
    }
}
