//! The relatives of SPF over the wire: their vectors, what the generator prints, and a signed zone.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output};

use quivive_e2e::{nsd, quivive, unbound};
use quivive_testkit::vectors::{Vector, sheet};
use serde_json::{Value, json};
use tempfile::TempDir;

const ALL: &str = "spf,sender-id,caller-id,mail-from-mx,rmx,dmp,drip";

fn run(words: &[&str]) -> Output {
    Command::new(quivive::program()).args(words).output().expect("the program starts")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| serde_json::from_str(line).expect("a line is JSON");
    text.lines().map(line).collect()
}

/// Who sends a message of whom.
struct Sender<'a> {
    ip: &'a str,
    helo: &'a str,
    domain: &'a str,
}

/// The judgement of a message by the answers of this server.
fn check(server: SocketAddr, sender: &Sender<'_>) -> Value {
    check_with(&["--resolver", &server.to_string()], sender)
}

/// The judgement of a message by a configuration.
fn check_by(config: &str, sender: &Sender<'_>) -> Value {
    check_with(&["--config", config], sender)
}

fn check_with(flags: &[&str], sender: &Sender<'_>) -> Value {
    let folder = TempDir::new().expect("a folder can be made");
    let message = folder.path().join("message");
    let from = format!("postmaster@{}", sender.domain);
    fs::write(&message, format!("From: {from}\r\n\r\n")).expect("the folder is ours");
    let message = message.display().to_string();
    let words = [
        &["check", "--json", "--ip", sender.ip, "--helo", sender.helo, "--mail-from", &from][..],
        &["--message", &message, "--methods", ALL],
        flags,
    ];
    let output = run(&words.concat());
    let mut lines = lines(&output);
    assert_eq!(lines.len(), 1, "{}", String::from_utf8_lossy(&output.stderr));
    lines.remove(0)
}

fn result<'j>(judgement: &'j Value, method: &str, identity: &str) -> &'j str {
    let findings = judgement["findings"].as_array().expect("there are findings");
    let found = findings.iter().find(|one| one["method"] == method && one["identity"] == identity);
    found.and_then(|one| one["result"].as_str()).unwrap_or("no finding")
}

const IDENTITIES: &[(&str, &str)] = &[
    ("spf", "mailfrom"),
    ("sender-id", "mailfrom"),
    ("sender-id", "pra"),
    ("caller-id", "pra"),
    ("mail-from-mx", "mailfrom"),
    ("rmx", "mailfrom"),
    ("dmp", "mailfrom"),
    ("drip", "helo"),
];

/// Every vector whose world a real name server can play: it fails with SERVFAIL alone, keeps no
/// record that cannot be read, and each vector has the method's own settings.
#[test]
fn vectors_of_the_sheets_over_the_wire() {
    let mut played = 0;
    let mut complaints = Vec::new();
    for name in ["mail-from-mx", "rmx", "dmp", "caller-id", "sender-id"] {
        let sheet = sheet(name);
        let is_late = |line: &&str| line.starts_with(";!timeout");
        let cannot = |line: &&str| is_late(line) || line.contains(" TYPE42 ");
        let lines = sheet.zone.lines();
        let records: Vec<&str> = lines.clone().filter(|line| !cannot(line)).collect();
        let server = nsd::start(&records.join("\n"));
        let absent: Vec<String> = lines.filter(cannot).filter_map(domain_of).collect();
        let plays = |vector: &&Vector| {
            let subjects = format!("{} {} {:?}", vector.helo, vector.mail_from, vector.message);
            vector.settings.is_empty() && !absent.iter().any(|domain| subjects.contains(domain))
        };
        let vectors: Vec<&Vector> = sheet.vectors.iter().filter(plays).collect();
        played += vectors.len();
        complaints.extend(run_vectors(server.address, &vectors));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(played > 200, "{played} vectors were played");
}

/// The last two labels of the name in a line.
fn domain_of(line: &str) -> Option<String> {
    let line = line.trim_start_matches(";!timeout").trim();
    let name = line.split_whitespace().next()?.trim_end_matches('.');
    let labels: Vec<&str> = name.rsplit('.').take(2).collect();
    Some(labels.into_iter().rev().collect::<Vec<_>>().join("."))
}

/// What is found otherwise than a vector expects it.
fn run_vectors(server: SocketAddr, vectors: &[&Vector]) -> Vec<String> {
    let folder = TempDir::new().expect("a folder can be made");
    let batch = folder.path().join("batch");
    let line = |vector: &&Vector| {
        let Vector { ip, helo, mail_from, message, submitter, .. } = vector;
        let mut line = json!({ "ip": ip.to_string(), "helo": helo, "mail_from": mail_from });
        if let Some(message) = message {
            line["message"] = json!(message);
        }
        if let Some(submitter) = submitter {
            line["submitter"] = json!(submitter);
        }
        line.to_string()
    };
    let lines_of_batch: Vec<String> = vectors.iter().map(line).collect();
    fs::write(&batch, lines_of_batch.join("\n")).expect("the folder is ours");
    let (batch, server) = (batch.display().to_string(), server.to_string());
    let output =
        run(&["check", "--json", "--resolver", &server, "--methods", ALL, "--batch", &batch]);
    let judgements = lines(&output);
    assert_eq!(judgements.len(), vectors.len(), "{}", String::from_utf8_lossy(&output.stderr));
    let complaint = |(vector, judgement): (&&Vector, &Value)| {
        let findings = judgement["findings"].as_array()?;
        let found = findings.iter().find(|finding| {
            finding["method"] == vector.method.word()
                && finding["identity"] == vector.identity.word()
        });
        let is_as = |key: &str, expected: Option<&str>| {
            expected.is_none_or(|expected| found.is_some_and(|found| found[key] == expected))
        };
        let is_right = is_as("result", Some(vector.expect.word()))
            && is_as("cause", vector.cause.as_deref())
            && is_as("decided_by", vector.decided_by.as_deref());
        (!is_right).then(|| format!("{} {}: {found:?}", vector.section, line(vector)))
    };
    vectors.iter().zip(&judgements).filter_map(complaint).collect()
}

/// What the generator prints is loaded by a name server as it is, permits those who are named by
/// every scheme and nobody else, and none contradicts another.
#[test]
fn what_publish_prints_is_served_as_it_is() {
    let published = run(&[
        "publish",
        "pub.example",
        "--host",
        "192.0.2.1",
        "--host",
        "2001:db8::1",
        "--method",
        "all",
    ]);
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));
    let server = nsd::start(&String::from_utf8_lossy(&published.stdout));
    for (ip, expected) in [
        ("192.0.2.1", "pass"),
        ("2001:db8::1", "pass"),
        ("192.0.2.2", "fail"),
        ("203.0.113.9", "fail"),
        ("2001:db8::2", "fail"),
    ] {
        let sender = Sender { ip, helo: "pub.example", domain: "pub.example" };
        let judgement = check(server.address, &sender);
        for (method, identity) in IDENTITIES {
            let found = result(&judgement, method, identity);
            assert_eq!(found, expected, "{method} {identity} {ip}");
        }
    }
    let address = server.address.to_string();
    let output = run(&["lint", "pub.example", "--resolver", &address, "--json"]);
    let reports = lines(&output);
    assert_eq!(reports.len(), 7, "{}", String::from_utf8_lossy(&output.stderr));
    for report in reports {
        let findings = report["findings"].as_array().expect("there are findings");
        let is_doubtful = |finding: &&Value| finding["severity"] != "advice";
        assert_eq!(findings.iter().find(is_doubtful), None, "{report}");
    }
}

/// The records of the type without a number in both wire forms, a list of prefixes, several texts,
/// an alias of a document.
#[test]
fn records_of_every_form() {
    let document = "<ep xmlns='http://ms.net/1'><out><m><r>192.0.2.0/28</r></m></out></ep>";
    let (first, second) = document.split_at(40);
    let server = nsd::start(&format!(
        "_rmx.longer.example. TYPE65280 \\# 15 030d 036f7574 076578616d706c65 00\n\
         _rmx.shorter.example. TYPE65280 \\# 14 03 036f7574 076578616d706c65 00\n\
         out.example. A 192.0.2.25\n\
         _rmx.list.example. TXT \"apl:l.example\"\n\
         l.example. APL 1:192.0.2.0/28 !1:198.51.100.0/24 2:2001:db8::/32\n\
         _ep.doc.example. TXT \"02{second}\"\n_ep.doc.example. TXT \"01{first}\"\n\
         _ep.alias.example. CNAME _ep.doc.example.\n"
    ));
    let found = |ip: &str, domain: &str, method: &str, identity: &str| {
        let judgement = check(server.address, &Sender { ip, helo: "h.example", domain });
        result(&judgement, method, identity).to_owned()
    };
    for domain in ["longer.example", "shorter.example"] {
        assert_eq!(found("192.0.2.25", domain, "rmx", "mailfrom"), "pass", "{domain}");
        assert_eq!(found("192.0.2.26", domain, "rmx", "mailfrom"), "fail", "{domain}");
    }
    for domain in ["doc.example", "alias.example"] {
        assert_eq!(found("192.0.2.7", domain, "caller-id", "pra"), "pass", "{domain}");
        assert_eq!(found("192.0.2.17", domain, "caller-id", "pra"), "fail", "{domain}");
    }
    for (ip, expected) in [
        ("192.0.2.7", "pass"),
        ("192.0.2.17", "fail"),
        ("2001:db8::7", "pass"),
        ("fec0::1", "fail"),
    ] {
        assert_eq!(found(ip, "list.example", "rmx", "mailfrom"), expected, "{ip}");
    }
}

/// A validating resolver says what is signed; that is kept, and believed where the settings trust
/// it. What is signed wrongly is no answer.
#[test]
fn the_ad_bit_of_a_trusted_resolver() {
    let signed = "_rmx TXT \"ipv4:192.0.2.1\"\n\
                  _rmx.forged TXT \"ipv4:192.0.2.2\"\n\
                  @ TXT \"v=spf1 ip4:192.0.2.1 -all\"\n";
    let plain = "_rmx TXT \"ipv4:192.0.2.1\"\n";
    let world = unbound::start(
        ("signed.example", signed),
        ("plain.example", plain),
        ("ipv4:192.0.2.2", "ipv4:192.0.2.3"),
    );
    let resolver = world.resolver.address;
    let folder = TempDir::new().expect("a folder can be made");
    let config = |trusted: &str| {
        let path = folder.path().join(format!("{}.toml", trusted.len()));
        let text = format!("[resolver]\nservers = [\"{resolver}\"]\ntrust_ad = [{trusted}]\n");
        fs::write(&path, text).expect("the folder is ours");
        path.display().to_string()
    };
    let trusting = config(&format!("\"{resolver}\""));
    let wary = config("");
    let ask = |domain: &str, config: &str| {
        let sender = Sender { ip: "192.0.2.1", helo: "h.example", domain };
        let judgement = check_by(config, &sender);
        let questions = judgement["questions"].as_array().expect("there are questions").clone();
        let name = format!("_rmx.{domain} TXT");
        let asked = questions.into_iter().find(|one| one["question"] == *name);
        let asked = asked.expect("the record was asked for");
        let bits = (asked["ad"].as_bool(), asked["secure"].as_bool());
        (result(&judgement, "rmx", "mailfrom").to_owned(), bits)
    };
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(ask("signed.example", &trusting), ("pass".to_owned(), (yes, yes)));
    assert_eq!(ask("signed.example", &wary), ("pass".to_owned(), (yes, no)));
    assert_eq!(ask("plain.example", &trusting), ("pass".to_owned(), (no, no)));
    assert_eq!(ask("forged.signed.example", &trusting), ("temperror".to_owned(), (no, no)));
}
