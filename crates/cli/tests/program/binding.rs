//! `check` of what a login may use: grants of a file and of a database, and without a word of it in
//! the configuration.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::*;

const CONFIG: &str = "\
[methods]
spf = \"enforce\"
binding = \"enforce\"
[binding]
grants = \"grants\"
";

/// The vectors of section 8 of the sheet.
const GRANTS: &str = "\
alice@e.test  alice  [detail]
bob@e.test    bob
team@e.test   alice, bob
@e.test       gw
";

struct Site(TempDir);

impl Site {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("quivive.toml"), config).unwrap();
        fs::write(folder.path().join("grants"), GRANTS).unwrap();
        Self(folder)
    }

    fn check(&self, login: &str, mail_from: &str, header: &str) -> Value {
        let [config, message] = ["quivive.toml", "message"].map(|name| self.0.path().join(name));
        fs::write(&message, format!("{header}\r\n\r\nHello\r\n")).unwrap();
        let more = ["--config", named(&config), "--message", named(&message)];
        let login = ["--auth-user", login];
        check_json("192.0.2.1", "laptop", mail_from, &[&more[..], &login[..]].concat())
    }
}

fn results(judgement: &Value) -> Vec<(&str, &str, &str)> {
    let findings = judgement["findings"].as_array().unwrap().iter();
    let told = findings.filter(|finding| finding["result"] != "none");
    told.map(|finding| {
        let word = |name: &str| finding[name].as_str().unwrap();
        (word("method"), word("identity"), word("result"))
    })
    .collect()
}

#[test]
fn what_is_granted_passes_and_the_rest_is_refused() {
    let site = Site::new(CONFIG);
    let judgement = site.check("alice", "Alice+x@E.TEST", "From: team@e.test");
    let pass = [("binding", "mailfrom", "pass"), ("binding", "from", "pass")];
    assert_eq!(results(&judgement), pass, "SPF says nothing of whoever logged in");
    assert_eq!(judgement["verdict"]["action"], "accept");
    let forged = "From: bob@e.test\r\nSender: alice@e.test";
    let judgement = site.check("alice", "alice@e.test", forged);
    assert_eq!(judgement["verdict"]["action"], "reject");
    assert_eq!(judgement["verdict"]["code"], 550);
    assert_eq!(judgement["verdict"]["text"], "You may not use <bob@e.test> in the From field");
    // Nobody else's name is in it.
    assert!(!judgement.to_string().contains("\"bob\""));
    let questions = judgement["questions"].as_array().unwrap();
    let asked = |text: &str| questions.iter().any(|question| question["question"] == text);
    assert!(asked("grants:bob@e.test alice STORED"));
}

#[test]
fn a_mended_field_is_shown() {
    let site = Site::new(&format!("{CONFIG}repair = \"rewrite-from\"\n"));
    let judgement = site.check("alice", "alice@e.test", "From: Boss <bob@e.test>");
    assert_eq!(judgement["verdict"]["action"], "accept");
    let edits = &judgement["headers"]["edits"];
    assert_eq!(edits[0]["name"], "From");
    assert_eq!(edits[0]["value"], "Boss <alice@e.test>");
}

#[test]
fn without_a_configuration_a_login_is_judged_by_its_own_address() {
    let judgement =
        check_json("192.0.2.3", "mx", "a@pass.example", &["--auth-user", "a@pass.example"]);
    let found = results(&judgement);
    assert!(found.contains(&("spf", "mailfrom", "pass")), "{found:?}");
    assert!(found.contains(&("binding", "mailfrom", "pass")), "{found:?}");
    let judgement = check_json("192.0.2.3", "mx", "a@pass.example", &["--auth-user", "b"]);
    assert!(results(&judgement).contains(&("binding", "mailfrom", "fail")));
    assert_eq!(judgement["verdict"]["action"], "accept", "nothing is enforced");
}

#[test]
fn grants_that_cannot_be_read_are_said() {
    let site = Site::new(CONFIG);
    let config = site.0.path().join("quivive.toml");
    let said = |grants: Option<&str>| {
        let path = site.0.path().join("grants");
        match grants {
            Some(text) => fs::write(path, text).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let more = ["--config", named(&config), "--auth-user", "alice"];
        let output = check("192.0.2.1", "x", "alice@e.test", &more);
        assert_eq!(code(&output), 1);
        stderr(&output)
    };
    let error = said(Some("alice@e.test alice\nbob@e.test %team\n"));
    assert!(error.contains("grants cannot be used: line 2: the group %team"), "{error}");
    let error = said(None);
    assert!(error.contains("cannot read") && error.contains("grants"), "{error}");
}

#[test]
fn grants_that_everybody_may_write_are_refused() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::new(CONFIG);
    let [config, grants] = ["quivive.toml", "grants"].map(|name| site.0.path().join(name));
    fs::set_permissions(&grants, fs::Permissions::from_mode(0o666)).unwrap();
    let more = ["--config", named(&config), "--auth-user", "alice"];
    let refused = check("192.0.2.1", "laptop", "alice@e.test", &more);
    let said = stderr(&refused);
    assert_ne!(code(&refused), 0);
    assert!(said.contains("(mode 666); say: chmod o-w "), "{said}");
}
