//! What the operator sees of users' mail: numbers, pages, the log; and bounds that outlive a
//! restart.

use std::process::Command;

use quivive_e2e::client::Dialogue;
use quivive_e2e::quivive;
use quivive_e2e::submission::{OWN, PASSWORD, Submission, plain};
use quivive_e2e::wait;
use quivive_e2e::web::{self, fetch};

const TO: &str = "somebody@example.test";

/// With a console, and these lines in `[binding]`.
fn watched(binding: &str) -> Submission {
    Submission::start_with("maildir:box", |configuration, _| {
        let console = "[[listen]]\ndoor = \"console\"\naddress = \"127.0.0.1:0\"\n";
        configuration.replace("[binding]\n", &format!("[binding]\n{binding}")) + console
    })
}

fn page(site: &Submission, path: &str) -> String {
    fetch(site.serve.address("console"), path)
}

/// Waits until so many cases are written: they are off the message's path.
fn written(site: &Submission, count: usize) {
    let line = format!("quivive_store_written_total {count}");
    let is_there = || page(site, "/metrics").lines().any(|known| known == line).then_some(());
    wait::until("the cases", is_there);
}

#[test]
fn logins_and_refusals_are_counted_shown_and_logged() {
    let site = watched("");
    let forged = OWN.replace("alice", "boss");
    let refusal = site.log_in("alice").message("alice@example.org", TO, &forged);
    assert!(refusal.starts_with("550 5.7.1 You may not use <boss@example.org>"), "{refusal}");
    site.connect().say(&plain("", "alice", "wrong"), "535");
    let mut client = site.connect();
    client.say("AUTH LOGIN", "334");
    client.say("*", "501");
    client.say(&plain("", "alice", PASSWORD), "235");
    client.say("QUIT", "221");
    written(&site, 1);
    let metrics = page(&site, "/metrics");
    for line in [
        "quivive_logins_total{mechanism=\"PLAIN\",result=\"pass\"} 2",
        "quivive_logins_total{mechanism=\"PLAIN\",result=\"fail\"} 1",
        "quivive_logins_total{mechanism=\"LOGIN\",result=\"cancelled\"} 1",
        "quivive_findings_total{method=\"binding\",identity=\"from\",result=\"fail\"} 1",
    ] {
        assert!(metrics.lines().any(|known| known == line), "{line}: {metrics}");
    }
    web::are_taken_by_promtool(metrics.split_once("\r\n\r\n").expect("a head and a body").1);
    let health = page(&site, "/health");
    assert!(health.contains("Refused: wrong name or password"), "{health}");
    let overview = page(&site, "/");
    assert!(overview.contains("method=binding"), "{overview}");
    let cases = page(&site, "/cases");
    assert!(cases.contains("logged in as <bdi>alice</bdi>"), "{cases}");
    let configuration = site.serve.folder().join("quivive.toml");
    let mut list = Command::new(quivive::program());
    let said = list.args(["case", "list", "--config"]).arg(configuration).output();
    let said = String::from_utf8_lossy(&said.expect("the program starts").stdout).into_owned();
    assert!(said.contains("  127.0.0.1 (alice)  alice@example.org → "), "{said}");
    let log = site.serve.log();
    let line = log.lines().find(|line| line.contains("binding.from=fail")).expect("a line");
    for part in ["login=\"alice\"", "client=127.0.0.1", "(\"boss@example.org\")"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

fn refuses_the_fourth(site: &Submission, client: &mut Dialogue) {
    let reply = client.message("alice@example.org", TO, OWN);
    assert!(reply.starts_with("451 4.7.1 Too many messages from your login"), "{reply}");
    assert!(!site.serve.log().contains("panicked"));
}

#[test]
fn a_rate_is_not_forgotten_over_a_restart() {
    let mut site = watched("rate = \"3/d\"\n");
    for _ in 0..3 {
        let taken = site.log_in("alice").message("alice@example.org", TO, OWN);
        assert!(taken.starts_with("250 "), "{taken}");
    }
    refuses_the_fourth(&site, &mut site.log_in("alice"));
    // It is hers alone.
    let taken = site.log_in("bob").message("bob@example.org", TO, &OWN.replace("alice", "bob"));
    assert!(taken.starts_with("250 "), "{taken}");
    written(&site, 5);
    site.serve.restart();
    let known = || site.serve.log().contains("what identities used before is known").then_some(());
    wait::until("what was used before", known);
    refuses_the_fourth(&site, &mut site.log_in("alice"));
    let taken = site.log_in("bob").message("bob@example.org", TO, &OWN.replace("alice", "bob"));
    assert!(taken.starts_with("250 "), "{taken}");
}
