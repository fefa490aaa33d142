//! `user`: who may log in at a submission listener.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::run::*;

const CONFIG: &str = "\
hostname = \"mx.here.example\"
[methods]
binding = \"enforce\"
[[listen]]
door = \"submission\"
address = \"127.0.0.1:0\"
tls = { certificate = \"c.pem\", key = \"k.pem\" }
users = \"users\"
next_hop = \"smtp:127.0.0.1:25\"
";

fn user(words: &[&str], file: &Path, password: &str) -> Output {
    let arguments = [&["user"], words, &["--file", named(file)]].concat();
    run_with_input(&arguments, password.as_bytes())
}

#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(code(output), 0, "{}", stderr(output));
    stdout(output)
}

#[track_caller]
fn failed(output: &Output) -> String {
    assert_eq!((code(output), stdout(output).as_str()), (1, ""));
    stderr(output)
}

#[test]
fn users_are_added_changed_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    let output = user(&["add", "alice"], &file, "correct horse\n");
    assert_eq!(done(&output), "");
    let said = "alice is added. A running daemon knows it within a second.\n";
    assert_eq!(stderr(&output), said);
    let made = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    // RFC 5803 section 3, and the PHC form of argon2id.
    let line = made.lines().find(|line| line.starts_with("alice:")).unwrap();
    assert!(line.starts_with("alice:$argon2id$v=19$"), "{line}");
    assert!(line.contains(":SCRAM-SHA-256$10000:"), "{line}");
    assert!(!made.contains("correct horse"));
    // Once more, and it is somebody who is there already, however it is spelled.
    let said = failed(&user(&["add", "Alice"], &file, "other\n"));
    assert!(said.contains("there is a user `alice` already"), "{said}");
    assert!(said.contains("`quivive user passwd alice`"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), made);
    let changed = user(&["passwd", "alice", "--json"], &file, "other\n");
    let changed: Value = serde_json::from_str(&done(&changed)).unwrap();
    assert_eq!(changed, json!({"user": "alice", "done": "changed"}));
    assert_ne!(fs::read_to_string(&file).unwrap(), made);
    done(&user(&["passwd", "bob"], &file, "battery staple\n"));
    let list = done(&user(&["list"], &file, ""));
    assert_eq!(list, "alice  SCRAM-SHA-256 PLAIN LOGIN\nbob    SCRAM-SHA-256 PLAIN LOGIN\n");
    let list = done(&user(&["list", "--json"], &file, ""));
    let first: Value = serde_json::from_str(list.lines().next().unwrap()).unwrap();
    let mechanisms = json!(["SCRAM-SHA-256", "PLAIN", "LOGIN"]);
    assert_eq!(first, json!({"user": "alice", "mechanisms": mechanisms}));
    done(&user(&["remove", "ALICE"], &file, ""));
    assert!(failed(&user(&["remove", "alice"], &file, "")).contains("there is no user `alice`"));
    assert!(done(&user(&["list"], &file, "")).starts_with("bob "));
}

#[test]
fn what_cannot_be_done_is_said_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    let said = failed(&user(&["list"], &file, ""));
    assert!(said.contains("`quivive user passwd NAME --file "), "{said}");
    for (name, password, error) in [
        ("a:b", "x\n", "cannot be a user's name"),
        ("", "x\n", "cannot be a user's name"),
        ("alice", "", "a password has from 1 to"),
        ("alice", "a\u{7}b\n", "a password has from 1 to"),
    ] {
        let said = failed(&user(&["passwd", name], &file, password));
        assert!(said.contains(error), "{name:?} {password:?}: {said}");
        assert!(!file.exists());
    }
    done(&user(&["passwd", "alice"], &file, "x\n"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for words in [&["list"][..], &["passwd", "alice"], &["remove", "alice"]] {
        let said = failed(&user(words, &file, "x\n"));
        let cure = format!("say: chmod 640 {}", file.display());
        assert!(said.contains(&cure), "{said}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "alice:not a hash:\n").unwrap();
    let said = failed(&user(&["list"], &file, ""));
    assert!(said.contains("users:1: "), "{said}");
    // Without a file, or with several, one has to be named.
    let config = folder.path().join("quivive.toml");
    fs::write(&config, CONFIG.split("[[listen]]").next().unwrap()).unwrap();
    let none = run(&["user", "list", "--config", named(&config)]);
    assert_eq!(code(&none), 2, "{}", stderr(&none));
    let second = CONFIG.split_once("[[listen]]").unwrap().1.replace("\"users\"", "\"others\"");
    fs::write(&config, format!("{CONFIG}[[listen]]{second}")).unwrap();
    let two = run(&["user", "list", "--config", named(&config)]);
    assert_eq!(code(&two), 2);
    assert!(stderr(&two).contains("name the --file"), "{}", stderr(&two));
}

#[test]
fn the_configuration_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("quivive.toml");
    fs::write(&config, CONFIG).unwrap();
    let set = ["user", "passwd", "alice", "--config", named(&config)];
    done(&run_with_input(&set, b"correct horse\r\n"));
    let users = folder.path().join("users");
    assert!(users.is_file(), "relative to the configuration");
    let list = run(&["user", "list", "--config", named(&config)]);
    assert!(done(&list).starts_with("alice "));
}
