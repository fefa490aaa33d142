//! `case`: what a daemon has written down is listed, shown, judged again, handed over, forgotten.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{serve, terminate};
use crate::run::*;

const CONFIG: &str = "hostname = \"mx.here.example\"\n[store]\npath = \"cases.db\"\n[[listen]]\n\
                      door = \"gateway\"\naddress = \"127.0.0.1:0\"\n\
                      next_hop = \"maildir:Maildir\"\nxclient_from = [\"127.0.0.0/8\"]\n\
                      [actions.spf.mailfrom]\nfail = \"reject\"\n";

/// A folder with a configuration, and a store with three cases: a pass, a fail, and a softfail.
pub(crate) struct Kept {
    pub(crate) folder: TempDir,
    config: PathBuf,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("quivive.toml");
        std::fs::write(&config, CONFIG).unwrap();
        let (child, lines) = serve(&["serve", "--config", named(&config), "--zone", ZONE]);
        let address = lines[0].strip_prefix("listening gateway ").unwrap();
        send(address, "192.0.2.3", "mx.pass.example", "anna@pass.example");
        send(address, "203.0.113.9", "mx.fail.example", "eve@fail.example");
        send(address, "203.0.113.9", "mx.soft.example", "x@soft.example");
        assert_eq!(terminate(child), Some(0));
        Self { folder, config }
    }

    /// `case` with these arguments, which must end well.
    #[track_caller]
    fn case(&self, arguments: &[&str]) -> String {
        let output = self.try_case(arguments);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        stdout(&output)
    }

    fn try_case(&self, arguments: &[&str]) -> std::process::Output {
        run(&[&["case"], arguments, &["--config", named(&self.config)]].concat())
    }

    /// The objects that `case --json` writes.
    #[track_caller]
    fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.case(&[arguments, &["--json"]].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The id of the case from this domain.
    fn id(&self, domain: &str) -> String {
        let cases = self.objects(&["list", "--domain", domain]);
        assert_eq!(cases.len(), 1);
        cases[0]["id"].as_str().unwrap().to_owned()
    }
}

/// Sends a message as this client, and reads all replies.
fn send(address: &str, client: &str, helo: &str, sender: &str) {
    let stream = TcpStream::connect(address).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap());
    let mut out = stream;
    let mut reply = String::new();
    let mut say = |line: &str| {
        if !line.is_empty() {
            out.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        }
        loop {
            reply.clear();
            replies.read_line(&mut reply).unwrap();
            if reply.as_bytes().get(3) != Some(&b'-') {
                return reply.clone();
            }
        }
    };
    say("");
    say("EHLO upstream.example");
    say(&format!("XCLIENT ADDR={client}"));
    say(&format!("EHLO {helo}"));
    say(&format!("MAIL FROM:<{sender}>"));
    if say("RCPT TO:<bob@here.example>").starts_with('2') {
        say("DATA");
        let reply = say("Subject: not kept\r\n\r\nSecret body\r\n.");
        assert!(reply.starts_with("250"), "{reply}");
    }
    say("QUIT");
}

#[test]
fn cases_are_listed_by_what_is_asked() {
    let kept = Kept::new();
    let senders = |arguments: &[&str]| -> Vec<String> {
        let cases = kept.objects(&[&["list"], arguments].concat());
        cases.iter().map(|case| case["reverse_path"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["x@soft.example", "eve@fail.example", "anna@pass.example"];
    assert_eq!(senders(&[]), all);
    assert_eq!(senders(&["--limit", "2"]), all[..2]);
    assert_eq!(senders(&["--action", "reject"]), ["eve@fail.example"]);
    assert_eq!(senders(&["--result", "softfail"]), ["x@soft.example"]);
    assert_eq!(senders(&["--client", "203.0.113.0/24"]), all[..2]);
    assert_eq!(senders(&["--client", "192.0.2.3"]), all[2..]);
    assert_eq!(senders(&["--address", "ANNA@pass.example"]), all[2..]);
    assert_eq!(senders(&["--domain", "fail.example"]), ["eve@fail.example"]);
    assert_eq!(senders(&["--since", "1h"]), all);
    assert!(senders(&["--until", "2020-01-01"]).is_empty());
    assert_eq!(senders(&["anna"]), all[2..]);
    assert!(senders(&["%"]).is_empty());
    let text = kept.case(&["list"]);
    assert_eq!(text.lines().count(), 3);
    assert!(
        text.contains("reject  550  203.0.113.9  eve@fail.example → bob@here.example"),
        "{text}"
    );
    assert!(!kept.case(&["list", "--json"]).contains("nonce"));
}

#[test]
fn a_case_is_shown_as_check_shows_a_message() {
    let kept = Kept::new();
    let id = kept.id("fail.example");
    let text = kept.case(&["show", &id]);
    for expected in [
        &*id,
        "203.0.113.9",
        "mx.fail.example",
        "eve@fail.example",
        "bob@here.example",
        "v=spf1 ip4:192.0.2.3 -all",
        "verdict  reject",
        "◀",
        "outcome  550",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let case = &kept.objects(&["show", &id])[0];
    assert_eq!((&case["id"], &case["door"]), (&id.clone().into(), &"gateway".into()));
    assert_eq!(finding(case, "mailfrom")["result"], "fail");
    assert_eq!(case["verdict"]["action"], "reject");
    assert_eq!(case["facts"]["recipients"][0], "bob@here.example");
    let all = kept.case(&["show", &id, "--json"]);
    assert!(!all.contains("nonce") && !all.contains("Secret"), "{all}");
    let none = kept.try_case(&["show", "0123"]);
    assert_eq!((code(&none), stdout(&none).as_str()), (1, ""));
    assert!(stderr(&none).contains("there is no case `0123`"), "{}", stderr(&none));
}

#[test]
fn replay_says_what_differs_term_by_term() {
    let kept = Kept::new();
    for domain in ["pass.example", "fail.example", "soft.example"] {
        let same = &kept.objects(&["replay", &kept.id(domain)])[0];
        assert_eq!(
            (&same["same"], &same["lacking"]),
            (&true.into(), &Value::Array(vec![])),
            "{same}"
        );
    }
    let id = kept.id("fail.example");
    assert!(kept.case(&["replay", &id]).contains("the same findings, the same verdict"));
    let what_if =
        ["replay", &id, "--with-record", "fail.example TXT v=spf1 ip4:203.0.113.0/24 -all"];
    let replayed = &kept.objects(&what_if)[0];
    assert_eq!(replayed["before"]["action"], "reject");
    assert_eq!(replayed["after"]["verdict"]["action"], "accept");
    let difference = &replayed["differences"][0];
    assert_eq!(
        (&difference["before"]["result"], &difference["after"]["result"]),
        (&"fail".into(), &"pass".into())
    );
    let text = kept.case(&what_if);
    assert!(text.contains("+ ip4:203.0.113.0/24  match"), "{text}");
    assert!(text.contains("- -all  match"), "{text}");
    let bad = kept.try_case(&["replay", &id, "--with-record", "fail.example"]);
    assert_eq!(code(&bad), 1);
    assert!(stderr(&bad).contains("NAME TYPE TEXT"), "{}", stderr(&bad));
}

#[test]
fn what_the_evidence_does_not_hold_is_said_or_asked() {
    let kept = Kept::new();
    let id = kept.id("fail.example");
    let what_if =
        ["replay", &id, "--with-record", "fail.example TXT v=spf1 include:pass.example -all"];
    let replayed = &kept.objects(&what_if)[0];
    assert_eq!(
        (&replayed["same"], &replayed["lacking"][0]),
        (&false.into(), &"pass.example TXT".into())
    );
    let identities = replayed["after"]["findings"].as_array().unwrap().iter();
    let identities: Vec<&Value> = identities.map(|finding| &finding["identity"]).collect();
    assert_eq!(identities, ["helo"], "nothing is invented");
    let text = kept.case(&what_if);
    assert!(text.contains("pass.example TXT") && text.contains("is       not known"), "{text}");
    assert!(!text.contains("accept"), "no verdict is invented: {text}");
    // A record alone is the sender's.
    let alone = ["replay", &id, "--with-record", "v=spf1 include:pass.example -all"];
    assert_eq!(kept.objects(&alone)[0]["lacking"], replayed["lacking"]);
    let asked = &kept.objects(&[what_if.as_slice(), &["--ask", "--zone", ZONE]].concat())[0];
    assert_eq!(asked["lacking"], Value::Array(vec![]));
    assert_eq!(finding(&asked["after"], "mailfrom")["result"], "fail");
}

#[test]
fn another_policy_gives_another_verdict() {
    let kept = Kept::new();
    let id = kept.id("fail.example");
    std::fs::write(&kept.config, CONFIG.replace("reject", "defer")).unwrap();
    let replayed = &kept.objects(&["replay", &id])[0];
    assert_eq!(
        (&replayed["same"], &replayed["differences"]),
        (&false.into(), &Value::Array(vec![]))
    );
    assert_eq!(replayed["after"]["verdict"]["action"], "defer");
    assert!(kept.case(&["replay", &id]).contains("the same findings, another verdict"));
}

#[test]
fn subjects_are_exported_and_erased() {
    let kept = Kept::new();
    let export = kept.case(&["export", "--address", "eve@fail.example"]);
    let case: Value = serde_json::from_str(export.trim()).unwrap();
    assert_eq!(case["facts"]["reverse_path"], "eve@fail.example");
    assert!(!export.contains("nonce"));
    assert_eq!(kept.objects(&["erase", "--address", "eve@fail.example"])[0]["erased"], 1);
    assert_eq!(kept.case(&["export", "--domain", "fail.example"]), "");
    assert_eq!(
        kept.case(&["erase", "--domain", "example"]),
        "0 erased\n",
        "the topmost domain is no word"
    );
    assert_eq!(code(&kept.try_case(&["erase"])), 2);
    assert_eq!(kept.objects(&["list"]).len(), 2);
}

#[test]
fn a_store_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("quivive.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let absent = run(&["case", "list", "--config", named(&config)]);
    assert_eq!(code(&absent), 1);
    assert!(stderr(&absent).contains("there is no store"), "{}", stderr(&absent));
    assert!(!folder.path().join("cases.db").exists());
    std::fs::write(&config, CONFIG.replace("cases.db", "")).unwrap();
    let none = run(&["case", "list", "--config", named(&config)]);
    assert!(stderr(&none).contains("has no store"), "{}", stderr(&none));
    let kept = Kept::new();
    let store = kept.folder.path().join("cases.db");
    let named = run(&["case", "list", "--config", named(&config), "--store", named(&store)]);
    assert_eq!(stdout(&named).lines().count(), 3, "{}", stderr(&named));
}

#[test]
fn all_cases_are_judged_again() {
    let kept = Kept::new();
    let all = |more: &[&str]| kept.try_case(&[&["replay", "--all", "--json"], more].concat());
    let output = all(&[]);
    assert_eq!((code(&output), stdout(&output)), (0, String::new()));
    assert_eq!(stderr(&output), "3 judged again, 0 come out otherwise\n");

    let output = all(&["--with-record", "fail.example TXT v=spf1 ip4:203.0.113.0/24 -all"]);
    let lines = stdout(&output);
    let differing: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(differing.len(), 1, "{lines}");
    assert_eq!(differing[0]["id"], kept.id("fail.example"));
    assert_eq!(stderr(&output), "3 judged again, 1 come out otherwise\n");

    let include = ["--with-record", "fail.example TXT v=spf1 include:pass.example -all"];
    let output = all(&[&include[..], &["--domain", "fail.example"]].concat());
    let said = stderr(&output);
    assert!(said.starts_with("1 judged again, 0 come out otherwise; for 1 the evidence"), "{said}");

    let output = kept.try_case(&["replay", &kept.id("fail.example"), "--domain", "fail.example"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("goes with --all"), "{}", stderr(&output));
}
