//! `serve`, `config` and `demo`, as far as the program is concerned.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use crate::run::*;
use serde_json::Value;

/// A daemon, and its lines up to `ready`.
pub(crate) fn serve(arguments: &[&str]) -> (Child, Vec<String>) {
    let mut command = program(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().is_some_and(|line| line.contains("ready")) {
            break;
        }
    }
    (child, lines)
}

pub(crate) fn terminate(mut child: Child) -> Option<i32> {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    child.wait().unwrap().code()
}

const CONFIG: &str = "hostname = \"mx.here.example\"\n[[listen]]\ndoor = \"gateway\"\n\
                      address = \"127.0.0.1:0\"\nnext_hop = \"maildir:Maildir\"\n";

#[test]
fn serve_says_where_it_listens_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let (child, lines) = serve(&["serve", "--config", named(&path), "--zone", ZONE]);
    let [listening, ready] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(ready, "ready");
    let address = listening.strip_prefix("listening gateway ").unwrap();
    let mut greeting = String::new();
    let client = TcpStream::connect(address).unwrap();
    BufReader::new(client).read_line(&mut greeting).unwrap();
    assert!(greeting.starts_with("220 mx.here.example "), "{greeting}");
    assert_eq!(terminate(child), Some(0));
    assert!(folder.path().join("Maildir/new").is_dir(), "relative to the configuration");
}

#[test]
fn serve_announces_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let (child, lines) = serve(&["serve", "--json", "--config", named(&path), "--zone", ZONE]);
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["event"], "listening");
    assert_eq!(lines[0]["door"], "gateway");
    assert!(lines[0]["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(lines[1]["event"], "ready");
    assert_eq!(terminate(child), Some(0));
}

#[test]
fn serve_refuses_what_it_cannot_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    std::fs::write(&path, CONFIG.replace("127.0.0.1:0", &address)).unwrap();
    let output = run(&["serve", "--config", named(&path), "--zone", ZONE]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));
    std::fs::write(&path, "hostname = \"mx.here.example\"\n").unwrap();
    let output = run(&["serve", "--config", named(&path), "--zone", ZONE]);
    assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
    assert!(stderr(&output).contains("no [[listen]]"), "{}", stderr(&output));
}

#[test]
fn config_check_names_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    let check = |text: &str, more: &[&str]| {
        std::fs::write(&path, text).unwrap();
        let path = named(&path);
        run(&[&["config", "check", path], more].concat())
    };
    let good = check(CONFIG, &[]);
    assert_eq!(code(&good), 0, "{}", stderr(&good));
    let bad = check("hostname = \"mx.example\"\nhostnam = 1\n", &[]);
    assert_eq!((code(&bad), stdout(&bad).as_str()), (1, ""));
    assert!(stderr(&bad).contains("quivive.toml:2:1: unknown key `hostnam`"), "{}", stderr(&bad));
    let later = check("[methods]\ndkim = \"report\"\n", &["--json"]);
    assert_eq!(code(&later), 1);
    let checked: Value = serde_json::from_str(&stdout(&later)).unwrap();
    assert_eq!((&checked["valid"], &checked["errors"][0]["line"]), (&false.into(), &2.into()));
    assert!(checked["errors"][0]["text"].as_str().unwrap().contains("not in this version"));
}

/// What `serve` would stumble over is told with file and cure.
#[test]
fn config_check_reads_the_files_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    let text = "hostname = \"mx.here.example\"\n[srs]\ndomain = \"here.example\"\n\
                secret_file = \"srs.secret\"\n[binding]\ngrants = \"grants\"\n[[listen]]\n\
                door = \"http\"\naddress = \"127.0.0.1:0\"\ntoken_file = \"http.tokens\"\n\
                tls = { certificate = \"c.pem\", key = \"k.pem\" }\n";
    std::fs::write(&path, text).unwrap();
    let check = |more: &[&str]| run(&[&["config", "check", named(&path)], more].concat());
    let told = check(&[]);
    assert_eq!(code(&told), 0, "{}", stderr(&told));
    assert!(stdout(&told).contains("`serve` cannot start with these files"), "{}", stdout(&told));
    for file in ["srs.secret; `quivive srs key new`", "grants", "http.tokens", "c.pem"] {
        assert!(stderr(&told).contains(file), "{file}: {}", stderr(&told));
    }
    assert_eq!(code(&check(&["--strict"])), 1);
    let checked: Value = serde_json::from_str(&stdout(&check(&["--json"]))).unwrap();
    assert_eq!((&checked["valid"], checked["files"].as_array().unwrap().len()), (&true.into(), 4));
    let secret = folder.path().join("srs.secret");
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef\n").unwrap();
    std::fs::write(folder.path().join("grants"), "a@here.example a\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = stderr(&check(&[]));
    assert!(open.contains("chmod 640") && !open.contains("grants"), "{open}");
}

#[test]
fn the_sample_is_good_and_shown_values_are_those_that_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    assert_eq!(code(&run(&["config", "sample", named(&path)])), 0);
    let sample = run(&["config", "sample"]);
    assert_eq!(std::fs::read(&path).unwrap(), sample.stdout);
    assert_eq!(code(&run(&["config", "sample", named(&path)])), 1, "written over a file");
    let output = run(&["config", "check", named(&path)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    std::fs::write(&path, CONFIG).unwrap();
    let shown = run(&["config", "show", named(&path)]);
    assert!(stdout(&shown).contains("hostname = \"mx.here.example\""), "{}", stdout(&shown));
    let again = folder.path().join("again.toml");
    std::fs::write(&again, &shown.stdout).unwrap();
    assert_eq!(run(&["config", "show", named(&again)]).stdout, shown.stdout);
}

#[test]
fn the_demo_keeps_its_promises() {
    let output = run(&["demo", "--once"]);
    let text = stdout(&output);
    assert_eq!(code(&output), 0, "{text}{}", stderr(&output));
    assert!(text.contains("All 35 messages were judged as promised."), "{text}");
    for result in ["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"] {
        let rows = text.lines().filter(|line| line.starts_with('✓'));
        let words = rows.filter(|row| row.split_whitespace().any(|word| word == result));
        assert_ne!(words.count(), 0, "{result}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains('✗'), "{text}");
}

#[test]
fn the_demo_goes_on_until_it_is_told_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(&["demo"]);
    command.env("TMPDIR", folder.path()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = None;
    for line in lines.by_ref().map(Result::unwrap) {
        let rest = line.trim().strip_prefix("swaks --server ");
        address = address.or(rest.map(|rest| rest.split(' ').next().unwrap().to_owned()));
        if line.ends_with("goes with it.") {
            break;
        }
    }
    let mut greeting = String::new();
    let client = TcpStream::connect(address.unwrap()).unwrap();
    BufReader::new(client).read_line(&mut greeting).unwrap();
    assert!(greeting.starts_with("220 mx.demo.example "), "{greeting}");
    assert_ne!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(terminate(child), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn the_demo_in_json() {
    let output = run(&["demo", "--once", "--json"]);
    let text = stdout(&output);
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 35);
    assert!(rows.iter().all(|row| row["kept"] == true), "{text}");
    assert_eq!(code(&output), 0);
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("mail-from"), "{shell}");
    }
    assert_eq!(code(&run(&["completions", "sh"])), 2);
    assert!(stdout(&run(&["man"])).contains(".TH quivive 1"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&run(&["man", named(folder.path())])), 0);
    for page in ["quivive.1", "quivive-check.1", "quivive-case-replay.1"] {
        assert!(folder.path().join(page).is_file(), "{page}");
    }
    assert_eq!(code(&run(&["man", "/nowhere/at/all"])), 1);
}
