//! `quivive srs`: the vectors of Mail::SRS and PostSRSd, bad input, and the keys.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{serve, terminate};
use crate::run::{code, named, run, stderr, stdout};

/// 2020-01-01 00:01 UTC.
const NOW: &str = "1577836860";

struct World {
    folder: TempDir,
}

impl World {
    fn new(secrets: &str) -> Self {
        let world = Self { folder: TempDir::new().unwrap() };
        fs::write(world.secret_file(), secrets).unwrap();
        world
    }

    fn secret_file(&self) -> PathBuf {
        self.folder.path().join("srs.secret")
    }

    fn srs(&self, arguments: &[&str]) -> std::process::Output {
        let path = self.secret_file();
        run(&[&["srs"], arguments, &["--secret-file", named(&path)]].concat())
    }

    /// The address that a command gives, alone on its output.
    #[track_caller]
    fn address(&self, arguments: &[&str]) -> String {
        let output = self.srs(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}: {}", stderr(&output));
        assert_eq!(stderr(&output), "", "{arguments:?}");
        let text = stdout(&output);
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        text.trim_end().to_owned()
    }

    /// Why a command gives none.
    #[track_caller]
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.srs(arguments);
        assert_eq!((code(&output), &*stdout(&output)), (1, ""), "{arguments:?}");
        stderr(&output)
    }
}

fn suite(name: &str) -> Option<Value> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites/srs");
    let text = fs::read_to_string(beside.join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
#[allow(clippy::print_stderr)]
fn the_suite_of_mail_srs() {
    let Some(suite) = suite("srs-mail-srs.json") else {
        eprintln!("skipped: the suite is not there");
        return;
    };
    let vectors = suite["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 20);
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap_or_default();
        let number = |key: &str| vector[key].as_u64().unwrap().to_string();
        let secrets = vector["secrets"].as_array().unwrap().iter();
        let secrets: Vec<_> = secrets.map(|secret| secret.as_str().unwrap()).collect();
        let world = World::new(&secrets.join("\n"));
        // To find an original any domain will do.
        let domain = vector["alias"].as_str().unwrap_or("any.example");
        let (time, age, length) = (number("time"), number("max_age_days"), number("hash_length"));
        let output = world.srs(&[
            text("op"),
            text("address"),
            "--domain",
            domain,
            "--now",
            &time,
            "--max-age-days",
            &age,
            "--separator",
            text("separator"),
            "--hash-length",
            &length,
        ]);
        let expected = match vector["expect"].as_str() {
            Some(address) => (0, format!("{address}\n")),
            None => (1, String::new()),
        };
        assert_eq!((code(&output), stdout(&output)), expected, "{vector}: {}", stderr(&output));
    }
}

/// What PostSRSd refuses and Mail::SRS does not is the door's.
#[test]
#[allow(clippy::print_stderr)]
fn the_suite_of_postsrsd() {
    let Some(suite) = suite("postsrsd-1.10.json") else {
        eprintln!("skipped: the suite is not there");
        return;
    };
    let world = World::new(suite["secret"].as_str().unwrap());
    let vectors = suite["vectors"].as_array().unwrap();
    assert!(vectors.len() >= 14);
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().unwrap_or_default();
        let output =
            world.srs(&[text("op"), text("address"), "--domain", "example.com", "--now", NOW]);
        let expected = match (vector["expect"].as_str(), text("error")) {
            (Some(address), _) => (0, format!("{address}\n")),
            (None, "Already rewritten") => (0, format!("{}\n", text("address"))),
            (None, _) => (1, String::new()),
        };
        assert_eq!((code(&output), stdout(&output)), expected, "{vector}");
    }
}

#[test]
fn separators_lengths_and_dialects() {
    let world = World::new("tops3cr3t\n");
    let forward = |more: &[&str]| {
        let asked = ["forward", "test@otherdomain.com", "--domain", "example.com", "--now", NOW];
        world.address(&[&asked, more].concat())
    };
    for separator in ["=", "+", "-"] {
        let address = forward(&["--separator", separator]);
        assert_eq!(address, format!("SRS0{separator}vmyz=2W=otherdomain.com=test@example.com"));
        let back = world.address(&["reverse", &address, "--domain", "x.example", "--now", NOW]);
        assert_eq!(back, "test@otherdomain.com");
    }
    assert!(forward(&["--hash-length", "8"]).starts_with("SRS0=vmyz7Bwa=2W="));
    assert!(forward(&["--dialect", "exim"]).contains("=2w=otherdomain.com=test@"));
    for wrong in [["--separator", "*"], ["--separator", "=="], ["--hash-length", "0"]] {
        let asked = ["forward", "a@b.example", "--domain", "example.com"];
        assert_eq!(code(&world.srs(&[&asked, &wrong[..]].concat())), 2, "{wrong:?}");
    }
}

#[test]
fn what_is_long_is_printed_with_a_warning() {
    let world = World::new("tops3cr3t\n");
    let address = format!("{}@{}.example", "a".repeat(64), "b".repeat(55));
    for length in [120, 320] {
        let domain = format!("{}.example", "b.".repeat((length - 73) / 2));
        let sender = format!("{}@{domain}", "a".repeat(64));
        let output = world.srs(&["forward", &sender, "--domain", "example.com", "--now", NOW]);
        assert_eq!(code(&output), 0);
        let text = stdout(&output);
        assert!(text.contains(&"a".repeat(64)), "{text}");
        assert!(stderr(&output).contains("warning: this address is longer"), "{}", stderr(&output));
        let back = world.srs(&["reverse", text.trim_end(), "--domain", "x", "--now", NOW]);
        assert_eq!(stdout(&back).trim_end(), sender);
    }
    let huge = format!("{}{address}", "a".repeat(2000));
    let refusal = world.refusal(&["forward", &huge, "--domain", "example.com"]);
    assert!(refusal.contains("longer than 1024 octets"), "{refusal}");
}

#[test]
fn bad_input() {
    let world = World::new("tops3cr3t\n");
    let address = "SRS0=vmyz=2W=otherdomain.com=test@example.com";
    for (recipient, now, reason) in [
        ("SRS0=vmyy=2W=otherdomain.com=test@example.com", NOW, "Hash invalid"),
        ("SRS0=vmyz=otherdomain.com=2W=test@example.com", NOW, "Bad base32 character"),
        ("SRS0=vmyz=2W=test=otherdomain.com@example.com", NOW, "Hash invalid"),
        (address, "1580000000", "Time stamp out of date"),
        (address, "1577750460", "Time stamp out of date"),
        ("SRS0=@example.com", NOW, "No hash"),
        ("a@example.com", NOW, "Not an SRS address"),
        ("user=source.example@example.com", NOW, "early form without a hash"),
        ("SRS0", NOW, "has no @"),
    ] {
        let now = ["--max-age-days", "21", "--now", now];
        let asked = ["reverse", recipient, "--domain", "example.com"];
        let refusal = world.refusal(&[&asked, &now[..]].concat());
        assert!(refusal.contains(reason), "{recipient}: {refusal}");
    }
    for (sender, domain, reason) in [
        ("", "example.com", "null sender"),
        ("bla", "example.com", "has no @"),
        ("SRS1=x@b.example", "example.com", "No host in SRS1"),
        ("a@b.example", "not a domain", "no domain"),
    ] {
        let refusal = world.refusal(&["forward", sender, "--domain", domain]);
        assert!(refusal.contains(reason), "{sender}: {refusal}");
    }
}

#[test]
fn the_early_form_comes_back_where_a_domain_migrates() {
    let world = World::new("tops3cr3t\n");
    let asked = ["reverse", "user=source.example@Old.example", "--unsigned-domain"];
    let back = world
        .address(&[&asked, &["new.example", "--unsigned-domain"][..], &["old.example"]].concat());
    assert_eq!(back, "user@source.example");
    let refusal = world.refusal(&[&asked, &["new.example"][..]].concat());
    assert!(refusal.contains("--unsigned-domain takes it"), "{refusal}");
    // What is signed wrongly is not taken for it.
    let forged = "SRS0=FAKE=2W=source.example=user@old.example";
    let refusal = world.refusal(&["reverse", forged, "--unsigned-domain", "old.example"]);
    assert!(refusal.contains("SRS"), "{refusal}");
}

#[test]
fn quoted_and_international_local_parts() {
    let world = World::new("tops3cr3t\n");
    for (sender, inside) in [
        ("user=with=equals@domain.com", "=domain.com=user=with=equals@example.com"),
        ("\"a b\"@domain.com", "=domain.com=a b\"@example.com"),
        ("\"a@b\"@domain.com", "=domain.com=a@b\"@example.com"),
        ("jörg@bücher.example", "=bücher.example=jörg@example.com"),
    ] {
        let address = world.address(&["forward", sender, "--domain", "example.com", "--now", NOW]);
        assert!(address.ends_with(inside), "{address}");
        let back = world.address(&["reverse", &address, "--domain", "x", "--now", NOW]);
        assert_eq!(back, sender);
    }
    // Needless quotes are dropped.
    let asked = ["forward", "\"user=with=equals\"@domain.com", "--domain", "example.com"];
    let address = world.address(&[&asked, &["--now", NOW][..]].concat());
    assert_eq!(address, "SRS0=HOQX=2W=domain.com=user=with=equals@example.com");
}

#[test]
fn as_json() {
    let world = World::new("newer\ntops3cr3t\n");
    let address = "SRS0=vmyz=2W=otherdomain.com=test@example.com";
    let later = "1577923260";
    let asked = ["reverse", address, "--domain", "example.com", "--now", later, "--json"];
    let answer: Value = serde_json::from_str(&world.address(&asked)).unwrap();
    assert_eq!(answer["address"], "test@otherdomain.com");
    assert_eq!(answer["result"], "pass");
    assert_eq!((&answer["form"], &answer["dialect"]), (&"SRS0".into(), &"mail-srs".into()));
    assert_eq!((&answer["secret"], &answer["age_days"]), (&2.into(), &1.into()));
    let asked = ["forward", "a@example.com", "--domain", "example.com", "--json"];
    let answer: Value = serde_json::from_str(&world.address(&asked)).unwrap();
    assert_eq!(
        (&answer["result"], &answer["address"]),
        (&"unchanged".into(), &"a@example.com".into())
    );
    assert_eq!(world.refusal(&["reverse", "a@b.c", "--json"]).matches('\n').count(), 1);
}

#[test]
fn without_secrets_nothing_goes() {
    for secrets in ["", "\n\n"] {
        let world = World::new(secrets);
        let refusal = world.refusal(&["forward", "a@b.example", "--domain", "example.com"]);
        assert!(refusal.contains("there is no secret in it; `quivive srs key new`"), "{refusal}");
    }
    let world = World::new("");
    fs::remove_file(world.secret_file()).unwrap();
    let refusal = world.refusal(&["forward", "a@b.example", "--domain", "example.com"]);
    assert!(refusal.contains("there is no secrets file "), "{refusal}");
    let neither = run(&["srs", "forward", "a@b.example", "--domain", "example.com"]);
    assert_eq!((code(&neither), &*stdout(&neither)), (2, ""));
}

const DOORS: &str = "hostname = \"mx.here.example\"\n[srs]\ndomain = \"example.com\"\n\
    secret_file = \"srs.secret\"\n\
    [[listen]]\ndoor = \"tcp-table\"\naddress = \"127.0.0.1:0\"\nmap = \"forward\"\n\
    [[listen]]\ndoor = \"tcp-table\"\naddress = \"127.0.0.1:0\"\nmap = \"reverse\"\n\
    [[listen]]\ndoor = \"socketmap\"\naddress = \"127.0.0.1:0\"\n";

/// What a listener answers to a question, as long as the answer.
fn ask(listening: &str, question: &str, octets: usize) -> String {
    let (_, address) = listening.rsplit_once(' ').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(question.as_bytes()).unwrap();
    let mut answer = vec![0; octets];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn mail_servers_look_addresses_up() {
    let world = World::new("tops3cr3t\n");
    let config = world.folder.path().join("quivive.toml");
    fs::write(&config, DOORS).unwrap();
    fs::set_permissions(world.secret_file(), fs::Permissions::from_mode(0o600)).unwrap();
    let (daemon, lines) = serve(&["serve", "--config", named(&config)]);
    let [forward, reverse, socketmap, _] = lines.as_slice() else { panic!("{lines:?}") };
    let address = world.address(&["forward", "test@otherdomain.com", "--domain", "example.com"]);
    let expected = format!("200 {address}\n");
    let answer = ask(forward, "get test@otherdomain.com\n", expected.len());
    assert_eq!(answer, expected);
    let expected = "200 test@otherdomain.com\n";
    assert_eq!(ask(reverse, &format!("get {address}\n"), expected.len()), expected);
    let expected = "500 Not an SRS address.\n";
    assert_eq!(ask(reverse, "get test@example.com\n", expected.len()), expected);
    let expected = format!("{}:OK {address},", address.len() + 3);
    let question = "28:forward test@otherdomain.com,";
    assert_eq!(ask(socketmap, question, expected.len()), expected);
    assert_eq!(terminate(daemon), Some(0));
}

#[test]
fn secrets_that_others_may_read_are_refused_with_the_cure() {
    let world = World::new("tops3cr3t\n");
    let config = world.folder.path().join("quivive.toml");
    fs::write(&config, DOORS).unwrap();
    for (mode, cure) in [(0o644, "chmod 640"), (0o666, "chmod 640"), (0o604, "chmod 600")] {
        fs::set_permissions(world.secret_file(), fs::Permissions::from_mode(mode)).unwrap();
        let output = run(&["serve", "--config", named(&config)]);
        assert_eq!((code(&output), &*stdout(&output)), (1, ""));
        assert!(stderr(&output).contains(cure), "{mode:o}: {}", stderr(&output));
    }
    fs::write(world.secret_file(), "").unwrap();
    fs::set_permissions(world.secret_file(), fs::Permissions::from_mode(0o600)).unwrap();
    let output = run(&["serve", "--config", named(&config)]);
    assert!(stderr(&output).contains("there is no secret in it"), "{}", stderr(&output));
}

fn keys(world: &World) -> Vec<Value> {
    let output = world.srs(&["key", "list", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn keys_are_made_rotated_and_retired() {
    let world = World::new("");
    fs::remove_file(world.secret_file()).unwrap();
    assert!(world.address(&["key", "new"]).contains("signs from now on"));
    let mode = fs::metadata(world.secret_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let now = ["--now", NOW];
    let forward = ["forward", "a@b.example", "--domain", "example.com"];
    let old = world.address(&[&forward[..], &now].concat());
    let first = keys(&world)[0]["id"].as_str().unwrap().to_owned();
    world.address(&["key", "new"]);
    let listed = keys(&world);
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["signs"], &listed[1]["signs"]), (&true.into(), &false.into()));
    assert_eq!(listed[1]["id"], *first);
    // The new one signs, and the old one is still believed.
    assert_ne!(world.address(&[&forward[..], &now].concat()), old);
    let reverse = ["reverse", &old, "--domain", "example.com"];
    assert_eq!(world.address(&[&reverse[..], &now].concat()), "a@b.example");
    let signer = listed[0]["id"].as_str().unwrap().to_owned();
    assert!(world.refusal(&["key", "retire", &signer, "--force"]).contains("this secret signs"));
    assert!(world.refusal(&["key", "retire", &first]).contains("are good until"));
    assert!(world.refusal(&["key", "retire", "00000000"]).contains("there is no secret"));
    assert!(world.address(&["key", "retire", &first, "--force"]).contains("forgotten"));
    assert!(world.refusal(&[&reverse[..], &now].concat()).contains("Hash invalid"));
    assert_eq!(keys(&world).len(), 1);
}

#[test]
fn a_new_key_reaches_all_machines_before_it_signs() {
    let world = World::new("tops3cr3t\n");
    let forward = ["forward", "test@otherdomain.com", "--domain", "example.com", "--now", NOW];
    let before = world.address(&forward);
    assert!(world.address(&["key", "new", "--standby"]).contains("quivive srs key sign"));
    assert_eq!(world.address(&forward), before);
    let standby = keys(&world)[1]["id"].as_str().unwrap().to_owned();
    assert!(world.address(&["key", "sign", &standby]).contains("signs from now on"));
    assert_ne!(world.address(&forward), before);
    let listed = keys(&world);
    assert_eq!(listed[1]["short"], true);
    assert!(listed[1]["believed_until"].is_string());
}

/// A secret signed until the next one was made.
#[test]
fn an_old_key_can_go() {
    let world = World::new(
        "2026-01-03.cccccccccccccccc\n2026-01-02.bbbbbbbbbbbbbbbb\n2026-01-01.aaaaaaaaaaaaaaaa\n",
    );
    let listed = keys(&world);
    assert_eq!(listed[2]["made"], "2026-01-01");
    assert_eq!(listed[2]["believed_until"], "2026-01-24");
    assert_eq!(listed[2]["can_retire"], true);
    world.address(&["key", "retire", listed[2]["id"].as_str().unwrap()]);
    // The file itself was changed today: the second may have signed until then.
    assert_eq!(listed[1]["can_retire"], false);
}

#[test]
fn a_key_file_keeps_its_mode_and_who_else_reads_it_is_told() {
    let world = World::new("tops3cr3t\n");
    let path = world.secret_file();
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    set(0o640);
    world.address(&["key", "new"]);
    assert_eq!(mode(), 0o640);
    set(0o644);
    let output = world.srs(&["key", "list"]);
    let warning = stderr(&output);
    assert!(warning.contains("open to others (mode 644); say: chmod 640"), "{warning}");
    assert!(!stdout(&output).contains("tops3cr3t"));
    world.address(&["key", "new"]);
    assert_eq!(mode(), 0o640);
}

#[test]
fn the_configuration_names_domain_and_file() {
    let world = World::new("tops3cr3t\n");
    let config = world.folder.path().join("quivive.toml");
    let text = "[srs]\ndomain = \"example.com\"\nsecret_file = \"srs.secret\"\n";
    fs::write(&config, text).unwrap();
    let forward = ["srs", "forward", "test@otherdomain.com", "--now", NOW, "--config"];
    let output = run(&[&forward[..], &[named(&config)]].concat());
    assert_eq!(stdout(&output), "SRS0=vmyz=2W=otherdomain.com=test@example.com\n");
}
