//! Logins by swaks and msmtp, at both ports and by each mechanism; and what is no login.

use std::process::Output;

use quivive_e2e::client::{Dialogue, msmtp, swaks};
use quivive_e2e::submission::{OWN, PASSWORD, Submission, base64, plain};
use quivive_e2e::trust::ClientCertificate;
use quivive_e2e::{dovecot, maildir, wait};

fn text(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said + &String::from_utf8_lossy(&output.stderr)
}

/// How swaks begins TLS at either port.
const STARTTLS: &str = "--tls";
const TLS: &str = "--tls-on-connect";

/// What swaks says and hears when alice sends by this mechanism.
fn by_swaks(site: &Submission, tls: &str, mechanism: &str, password: &str) -> String {
    let server = if tls == STARTTLS { site.by_starttls() } else { site.by_tls() };
    let login = ["--auth", mechanism, "--auth-user", "alice", "--auth-password", password];
    let envelope = ["--from", "alice@example.org", "--to", "somebody@example.test"];
    text(&swaks(server, &[&[tls][..], &login, &envelope].concat()))
}

/// Alice's account for msmtp, with what stands in it besides.
fn account(site: &Submission, starttls: bool, more: &str) -> String {
    let server = if starttls { site.by_starttls() } else { site.by_tls() };
    let switch = if starttls { "on" } else { "off" };
    format!(
        "host {}\nport {}\nfrom alice@example.org\ndomain laptop.test\ntls on\n\
         tls_starttls {switch}\ntls_trust_file {}\n{more}",
        server.ip(),
        server.port(),
        site.trust.path("ca.pem").display()
    )
}

fn by_msmtp(site: &Submission, starttls: bool, more: &str) -> Output {
    let message = OWN.replace("\r\n", "\n") + "\n";
    msmtp(&account(site, starttls, more), &["somebody@example.test"], &message)
}

/// The results of the messages that came through.
fn results(site: &Submission, count: usize) -> Vec<String> {
    let folder = site.serve.folder().join("box");
    wait::until("mail", || (maildir::count(&folder) >= count).then_some(()));
    let messages = maildir::messages(&folder);
    assert_eq!(messages.len(), count);
    let field = |message: &String| maildir::field(message, "Authentication-Results");
    messages.iter().map(|message| field(message).expect("a result")).collect()
}

fn logged_in(site: &Submission) -> Dialogue {
    site.log_in("alice")
}

#[test]
fn swaks_logs_in_at_both_ports() {
    let site = Submission::start("maildir:box");
    for tls in [STARTTLS, TLS] {
        for mechanism in ["PLAIN", "LOGIN"] {
            let said = by_swaks(&site, tls, mechanism, PASSWORD);
            assert!(said.contains("235 2.7.0 "), "{mechanism}: {said}");
            assert!(said.contains("250 2.0.0 Taken as "), "{mechanism}: {said}");
        }
    }
    for results in results(&site, 4) {
        assert!(results.contains("auth=pass") && results.contains("smtp.auth=alice"), "{results}");
    }
}

#[test]
fn msmtp_logs_in_by_scram_and_the_others_at_both_ports() {
    let site = Submission::start("maildir:box");
    for starttls in [true, false] {
        for mechanism in ["scram-sha-256", "plain", "login"] {
            let login = format!("auth {mechanism}\nuser alice\npassword {PASSWORD}\n");
            let sent = by_msmtp(&site, starttls, &login);
            assert!(sent.status.success(), "{mechanism}: {}", text(&sent));
        }
        let wrong = by_msmtp(&site, starttls, "auth scram-sha-256\nuser alice\npassword x\n");
        assert!(!wrong.status.success() && text(&wrong).contains("535 5.7.8"), "{}", text(&wrong));
    }
    results(&site, 6);
}

/// What is asked of a certificate's authority.
fn with_certificates(next_hop: &str) -> Submission {
    Submission::start_with(next_hop, |configuration, _| {
        configuration.replace("users = ", "client_ca_file = \"ca.pem\"\nusers = ")
    })
}

fn own(certificate: &ClientCertificate) -> String {
    let ClientCertificate { certificate, key } = certificate;
    format!("tls_cert_file {}\ntls_key_file {}\n", certificate.display(), key.display())
}

#[test]
fn a_certificate_logs_in_by_external_and_only_so() {
    let site = with_certificates("maildir:box");
    let alice = site.trust.client("alice@example.org");
    for starttls in [true, false] {
        let login = format!("auth external\nuser alice@example.org\n{}", own(&alice));
        let sent = by_msmtp(&site, starttls, &login);
        assert!(sent.status.success(), "{}", text(&sent));
        assert!(text(&sent).contains("AUTH EXTERNAL"), "{}", text(&sent));
    }
    for results in results(&site, 2) {
        assert!(results.contains("smtp.auth=alice@example.org"), "{results}");
    }
    // To show it is not to log in, nor does it name anybody else.
    let mut client = site.connect_as(Some(&alice));
    client.say("MAIL FROM:<alice@example.org>", "530 5.7.0");
    client.say(&format!("AUTH EXTERNAL {}", base64(b"bob")), "535 5.7.8");
    client.say("AUTH EXTERNAL =", "235 2.7.0");
    let refusal = client.message("bob@example.org", "somebody@example.test", OWN);
    assert!(refusal.starts_with("550 5.7.1 "), "{refusal}");
    // Without one it is not offered.
    let mut client = site.connect();
    client.say("AUTH EXTERNAL =", "504 5.5.4");
    // With a password and a certificate, the password says who it is.
    let swaks = |more: &[&str]| {
        let login = ["--auth", "PLAIN", "--auth-user", "bob", "--auth-password", PASSWORD];
        let (certificate, key) = (alice.certificate.display(), alice.key.display());
        let (certificate, key) = (certificate.to_string(), key.to_string());
        let tls = ["--tls", "--tls-cert", &certificate, "--tls-key", &key];
        let to = ["--to", "somebody@example.test"];
        text(&swaks(site.by_starttls(), &[&login[..], &tls, &to, more].concat()))
    };
    let said = swaks(&["--from", "bob@example.org"]);
    assert!(said.contains("250 2.0.0 Taken as "), "{said}");
    let said = swaks(&["--from", "alice@example.org"]);
    assert!(said.contains("550 5.7.1 You may not send as <alice@example.org>"), "{said}");
}

#[test]
fn what_is_no_login() {
    let site = Submission::start("maildir:box");
    let said = by_swaks(&site, STARTTLS, "PLAIN", "wrong");
    assert!(said.contains("535 5.7.8 Name or password are wrong"), "{said}");
    assert!(!said.contains("MAIL FROM"), "{said}");
    let unknown = site.connect().ask(&plain("", "nobody", "wrong"));
    assert_eq!(unknown, site.connect().ask(&plain("", "alice", "wrong")));
    // Before TLS neither logins nor mail.
    let login = ["--auth", "PLAIN", "--auth-user", "alice", "--auth-password", PASSWORD];
    let envelope = ["--from", "alice@example.org", "--to", "somebody@example.test"];
    let said = text(&swaks(site.by_starttls(), &[&login[..], &envelope].concat()));
    assert!(said.contains("Host did not advertise authentication"), "{said}");
    let mut client = Dialogue::open(site.by_starttls());
    let offered = client.say("EHLO laptop.test", "250");
    assert!(!offered.contains("AUTH"), "{offered}");
    client.say(&plain("", "alice", PASSWORD), "538 5.7.11");
    client.say("MAIL FROM:<alice@example.org>", "530 5.7.0");
    assert_eq!(maildir::count(&site.serve.folder().join("box")), 0);
}

#[test]
fn dovecot_says_who_logs_in() {
    let dovecot = dovecot::start_authentication();
    let socket = dovecot::socket(&dovecot).display().to_string();
    let site = Submission::start_with("maildir:box", |configuration, _| {
        configuration.replace("users = \"users\"", &format!("dovecot_auth = \"{socket}\""))
    });
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
        let said = by_swaks(&site, STARTTLS, mechanism, dovecot::PASSWORD);
        assert!(said.contains("250 2.0.0 Taken as "), "{mechanism}: {said}");
    }
    let login = format!("auth scram-sha-256\nuser alice\npassword {}\n", dovecot::PASSWORD);
    let sent = by_msmtp(&site, false, &login);
    assert!(sent.status.success(), "{}", text(&sent));
    for results in results(&site, 4) {
        assert!(results.contains("smtp.auth=alice"), "{results}");
    }
    let said = by_swaks(&site, STARTTLS, "PLAIN", "wrong");
    assert!(said.contains("535 5.7.8"), "{said}");
    // One who logged in before stays; nobody else does while it is gone.
    let mut before = logged_in(&site);
    drop(dovecot);
    let mut client = site.connect();
    client.say(&plain("", "alice", dovecot::PASSWORD), "454 4.7.0");
    let taken = before.message("alice@example.org", "somebody@example.test", OWN);
    assert!(taken.starts_with("250 "), "{taken}");
}
