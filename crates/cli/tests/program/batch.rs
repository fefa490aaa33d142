//! `check --batch`: one line out for each line in, in order, whatever the line.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::run::*;
use serde_json::{Value, json};

const BATCH: [&str; 5] = ["check", "--zone", ZONE, "--batch", "-"];

#[track_caller]
fn batch(input: &[u8]) -> (Vec<Value>, i32) {
    let output = run_with_input(&BATCH, input);
    let text = stdout(&output);
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, code(&output))
}

/// The kind of error that a single line gives.
#[track_caller]
fn kind(line: &[u8]) -> (Value, String) {
    let (lines, code) = batch(line);
    let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
    assert_eq!(code, 1);
    assert!(line["error"]["text"].is_string() && line.get("findings").is_none(), "{line}");
    (line["id"].clone(), line["error"]["kind"].as_str().unwrap().to_owned())
}

fn line(id: &Value, ip: &str, mail_from: &str) -> String {
    json!({"id": id, "ip": ip, "helo": "mx.pass.example", "mail_from": mail_from}).to_string()
}

#[test]
fn order_is_kept() {
    let senders = [
        ("192.0.2.3", "a@pass.example", "pass"),
        ("203.0.113.9", "a@fail.example", "fail"),
        ("203.0.113.9", "a@temp.example", "temperror"),
        ("203.0.113.9", "a@twice.example", "permerror"),
        ("203.0.113.9", "a@soft.example", "softfail"),
    ];
    let mut input = String::new();
    for id in 0..3000 {
        let (ip, mail_from, _) = senders[id % senders.len()];
        input += &line(&json!(id), ip, mail_from);
        input.push('\n');
    }
    let (lines, code) = batch(input.as_bytes());
    assert_eq!((lines.len(), code), (3000, 0));
    for (id, answer) in lines.iter().enumerate() {
        assert_eq!(answer["id"], id);
        assert_eq!(finding(answer, "mailfrom")["result"], senders[id % senders.len()].2);
    }
}

#[test]
fn a_line_is_what_check_json_says() {
    let (lines, _) = batch(line(&Value::Null, "198.51.100.7", "a@pass.example").as_bytes());
    let mut from_line = lines[0].clone();
    let mut alone = check_json("198.51.100.7", "mx.pass.example", "a@pass.example", &[]);
    assert_eq!(from_line.as_object_mut().unwrap().remove("id"), Some(Value::Null));
    for judgement in [&mut from_line, &mut alone] {
        judgement["cost"]["micros"] = Value::Null;
    }
    assert_eq!(from_line, alone);
}

#[test]
fn an_id_is_any_value_and_comes_back_as_it_was() {
    for id in [
        "\"x\"",
        "null",
        "true",
        "1.0",
        "-0",
        "123456789012345678901234567890",
        "[1,{\"a\":\"\\u00e9\"}]",
        "{\"findings\":7}",
    ] {
        let line =
            format!("{{\"mail_from\":\"\",\"helo\":\"x\",\"ip\":\"192.0.2.1\",\"id\":{id}}}\r\n");
        let output = run_with_input(&BATCH, line.as_bytes());
        let text = stdout(&output);
        assert!(text.starts_with(&format!("{{\"id\":{id},\"findings\":[")), "{text}");
        assert_eq!(code(&output), 0);
    }
}

#[test]
fn bad_lines_are_answered_in_their_place() {
    let good = line(&json!("good"), "192.0.2.3", "a@pass.example");
    let mut input = good.clone().into_bytes();
    input.extend_from_slice(b"\n\n{\"id\":2}\n\xff\xfe\n");
    input.extend_from_slice(&vec![b' '; (1 << 20) + 1]);
    input.extend_from_slice(format!("\n[]\n{good}").as_bytes());
    let (lines, code) = batch(&input);
    assert_eq!(code, 1);
    let kinds: Vec<&str> =
        lines.iter().map(|line| line["error"]["kind"].as_str().unwrap_or("-")).collect();
    assert_eq!(kinds, ["-", "syntax", "field", "encoding", "too-long", "syntax", "-"]);
    assert_eq!(lines[2]["id"], 2);
    assert_eq!(lines[6]["id"], "good");
}

#[test]
fn every_kind_of_error() {
    let with = |more: &str| {
        let line = format!(
            "{{\"id\":\"i\",\"ip\":\"192.0.2.1\",\"helo\":\"x\",\"mail_from\":\"\",{more}}}"
        );
        let (id, kind) = kind(line.as_bytes());
        assert_eq!(id, "i");
        kind
    };
    assert_eq!(kind(b"{\"id\":1,"), (json!(1), "syntax".to_owned()));
    assert_eq!(kind(b"{\"id\":1} {}"), (json!(1), "field".to_owned()));
    assert_eq!(kind(b"{\"id\":1,\"id\":2}"), (json!(1), "field".to_owned()));
    let array = b"[1,\"192.0.2.1\",\"h\",\"a@b.example\",null,null,null,null,null]";
    assert_eq!(kind(array), (Value::Null, "syntax".to_owned()));
    assert_eq!(with("\"methods\":[]"), "field");
    assert_eq!(with("\"identities\":[]"), "field");
    assert_eq!(with("\"identities\":[\"signature\"]"), "not-in-this-version");
    assert_eq!(kind(b"{\"id\":1}"), (json!(1), "field".to_owned()));
    assert_eq!(with("\"mailfrom\":\"a\""), "field");
    assert_eq!(with("\"rcpt\":\"a\""), "field");
    assert_eq!(with("\"methods\":[\"nose\"]"), "method");
    assert_eq!(with("\"identities\":[\"nose\"]"), "identity");
    assert_eq!(with("\"methods\":[\"dkim\"]"), "not-in-this-version");
    assert_eq!(with("\"message_file\":\"/nowhere/at/all\""), "message-file");
    assert_eq!(with("\"message_file\":\"-\""), "message-file");
    assert_eq!(with("\"message_base64\":\"!\""), "message");
    assert_eq!(with("\"message\":\"\",\"message_file\":\"-\""), "message");
    let ip = b"{\"id\":[],\"ip\":\"1.2.3\",\"helo\":\"x\",\"mail_from\":\"\"}";
    assert_eq!(kind(ip), (json!([]), "ip".to_owned()));
    let (_, kind) = kind(b"{\"id\":[],\"ip\":7,\"helo\":\"x\",\"mail_from\":\"\"}");
    assert_eq!(kind, "field");
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    for text in ["[".repeat(200_000), format!("{{\"id\":{}", "[".repeat(200_000))] {
        assert_eq!(kind(text.as_bytes()).1, "syntax");
    }
}

#[test]
fn a_line_chooses_for_itself() {
    let input = "{\"ip\":\"192.0.2.3\",\"helo\":\"x\",\"mail_from\":\"<a@pass.example>\",\
                 \"rcpt\":[\"b@c.example\",\"d@e.example\"],\"auth_user\":\"u\",\
                 \"methods\":[\"spf\"],\"identities\":[\"mailfrom\"]}";
    let (lines, code) = batch(input.as_bytes());
    assert_eq!(code, 0);
    assert_eq!(lines[0]["findings"].as_array().unwrap().len(), 1);
    assert_eq!(finding(&lines[0], "mailfrom")["result"], "pass");
    assert_eq!(lines[0]["verdict"]["recipients"][1]["rcpt"], "d@e.example");
}

#[test]
fn whoever_asks_one_by_one_is_answered_one_by_one() {
    let mut command = program(&BATCH);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for id in 0..20 {
        writeln!(stdin, "{}", line(&json!(id), "192.0.2.3", "a@pass.example")).unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"], id);
    }
    drop(stdin);
    assert!(answers.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let mut command = program(&BATCH);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let endless = std::thread::spawn(move || {
        let line = line(&json!(1), "192.0.2.3", "a@pass.example") + "\n";
        while stdin.write_all(line.as_bytes()).is_ok() {}
    });
    let output = child.wait_with_output().unwrap();
    endless.join().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (1, ""));
}

#[test]
fn from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    std::fs::write(&path, line(&json!(1), "192.0.2.3", "a@pass.example") + "\n").unwrap();
    let output = run(&["check", "--zone", ZONE, "--batch", named(&path)]);
    assert_eq!((code(&output), stdout(&output).lines().count()), (0, 1));
    let output = run(&["check", "--zone", ZONE, "--batch", named(&folder.path().join("none"))]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("none"));
}
