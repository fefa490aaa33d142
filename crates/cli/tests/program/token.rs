//! `token`, and the HTTP interface as far as the program is concerned.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::daemon::{serve, terminate};
use crate::run::*;
use serde_json::{Value, json};

const CONFIG: &str = "hostname = \"mx.here.example\"\n[[listen]]\ndoor = \"http\"\n\
                      address = \"127.0.0.1:0\"\ntoken_file = \"tokens\"\n";

fn make(file: &Path, name: &str, more: &[&str]) -> String {
    let arguments = ["token", "new", name, "--scope", "check,cases", "--file", named(file)];
    let output = run(&[&arguments, more].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    stdout(&output)
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let text = make(&file, "first", &[]);
    assert!(text.starts_with("quivive_") && text.ends_with('\n') && text.lines().count() == 1);
    let made = make(&file, "second", &["--days", "1", "--json"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["name"], &made["valid"]), (&json!("second"), &json!(true)));
    assert_eq!(made["scopes"], json!(["check", "cases"]));
    let list = run(&["token", "list", "--file", named(&file)]);
    let lines = stdout(&list);
    let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "first   check,cases");
    assert!(lines[1].starts_with("second  check,cases        until 2"), "{lines:?}");
    let list = run(&["token", "list", "--json", "--file", named(&file)]);
    let lines: Vec<Value> =
        stdout(&list).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["expires"], Value::Null);
    assert_eq!(lines[1]["expires"], made["expires"]);
    assert!(lines.iter().all(|line| line.get("token").is_none()));
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(!kept.contains(text.trim()) && !kept.contains(made["token"].as_str().unwrap()));
    assert_eq!(code(&run(&["token", "revoke", "first", "--file", named(&file)])), 0);
    let again = run(&["token", "revoke", "first", "--file", named(&file)]);
    assert_eq!(code(&again), 1);
    assert!(stderr(&again).contains("there is no token `first`"), "{}", stderr(&again));
}

#[test]
fn what_cannot_be_done_is_said_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let absent = run(&["token", "list", "--file", named(&file)]);
    assert_eq!(code(&absent), 1);
    assert!(stderr(&absent).contains("`quivive token new NAME --scope check --file "));
    make(&file, "first", &[]);
    let taken = run(&["token", "new", "first", "--scope", "check", "--file", named(&file)]);
    assert_eq!(code(&taken), 1);
    assert!(stderr(&taken).contains("there is a token `first` already"), "{}", stderr(&taken));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    for words in [["list", ""], ["revoke", "first"]] {
        let words = words.iter().copied().filter(|word| !word.is_empty());
        let words: Vec<&str> = ["token"].into_iter().chain(words).collect();
        let open = run(&[&words[..], &["--file", named(&file)]].concat());
        assert_eq!(code(&open), 1);
        let cure = format!("say: chmod 640 {}", file.display());
        assert!(stderr(&open).contains(&cure), "{}", stderr(&open));
    }
    for usage in [
        &["token", "list"][..],
        &["token", "new", "a", "--file", "f"],
        &["token", "new", "a", "--scope", "spam", "--file", "f"],
        &["token", "new", "a", "--scope", "check", "--days", "0", "--file", "f"],
    ] {
        assert_eq!(code(&run(usage)), 2, "{usage:?}");
    }
}

#[test]
fn the_configuration_names_the_file_and_serve_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("quivive.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let none = run(&["serve", "--config", named(&config), "--zone", ZONE]);
    assert_eq!((code(&none), stdout(&none).as_str()), (1, ""));
    assert!(stderr(&none).contains("there is no token file "), "{}", stderr(&none));
    let new = ["token", "new", "a", "--scope", "check", "--config", named(&config)];
    let token = stdout(&run(&new)).trim().to_owned();
    assert!(folder.path().join("tokens").is_file(), "relative to the configuration");
    let (child, lines) = serve(&["serve", "--config", named(&config), "--zone", ZONE]);
    let address = lines[0].strip_prefix("listening http ").unwrap();
    let answer = |token: &str| {
        let body = r#"{"ip":"192.0.2.3","helo":"h","mail_from":"a@pass.example"}"#;
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /v1/check HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let judged = answer(&token);
    assert!(judged.starts_with("HTTP/1.1 200 OK\r\n"), "{judged}");
    let (_, body) = judged.split_once("\r\n\r\n").unwrap();
    let mut over_http: Value = serde_json::from_str(body).unwrap();
    let mut alone = check_json("192.0.2.3", "h", "a@pass.example", &["--config", named(&config)]);
    for judgement in [&mut over_http, &mut alone] {
        judgement["cost"]["micros"] = Value::Null;
        judgement["headers"]["authentication_results"] = Value::Null;
        judgement["headers"]["received_spf"] = Value::Null;
    }
    assert_eq!(over_http, alone, "the objects of `check --json`");
    assert!(answer("quivive_x").starts_with("HTTP/1.1 401 "));
    assert_eq!(terminate(child), Some(0));
}
