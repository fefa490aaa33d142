//! `setup`: what the book says about mail servers, for this machine.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::run::*;

/// The first block of a page in this language.
fn block(page: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let (_, block) = text.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// What is said for a configuration.
fn setup(mail_server: &str, configuration: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    fs::write(&path, configuration).unwrap();
    let output = run(&["setup", mail_server, "--json", "--config", named(&path)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // Nothing is made, the store of the configuration neither.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn texts(said: &Value) -> Vec<&str> {
    let parts = said["parts"].as_array().unwrap();
    parts.iter().map(|part| part["text"].as_str().unwrap()).collect()
}

fn checks(said: &Value) -> String {
    let checks = said["checks"].as_array().unwrap();
    checks.iter().map(|check| format!("{}\n", check.as_str().unwrap())).collect()
}

#[test]
fn the_lines_for_postfix_are_those_of_its_page() {
    let said = setup("postfix", &block("postfix.md", "toml"));
    let (main, rules) = (block("postfix.md", "main.cf"), block("postfix.md", "header_checks"));
    assert_eq!(texts(&said), [&main, &rules]);
    assert_eq!(said["mail_server"], "postfix");
    assert_eq!(said["parts"][0]["place"], "/etc/postfix/main.cf");
    assert_eq!(said["parts"][0]["door"], "policy");
    assert!(!checks(&said).contains("prepend_prefix"), "{said}");
}

#[test]
fn the_lines_for_exim_are_those_of_its_page() {
    let said = setup("exim", &block("exim.md", "toml"));
    let blocks = ["exim-macros", "exim-rcpt", "exim-data"].map(|name| block("exim.md", name));
    assert_eq!(texts(&said), blocks);
}

#[test]
fn the_lines_for_milters_are_those_of_their_page() {
    let listener = "[[listen]]\ndoor = \"milter\"\naddress = \"unix:/run/quivive/milter.sock\"\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/milter.md");
    let page = fs::read_to_string(path).unwrap();
    let sendmail = setup("sendmail", listener);
    assert!(page.contains(texts(&sendmail)[0]), "{sendmail}");
    let postfix = setup("postfix", listener);
    let default = "milter_default_action = tempfail\n";
    assert!(page.contains(default) && texts(&postfix)[0].ends_with(default), "{postfix}");
}

#[test]
fn the_lines_for_opensmtpd_are_those_of_its_page() {
    let said = setup("opensmtpd", &block("opensmtpd.md", "toml"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/opensmtpd.md");
    let page = fs::read_to_string(path).unwrap();
    let [filter, listen] = texts(&said)[..] else { panic!("{said}") };
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_quivive")).unwrap();
    let filter = filter.replace(named(&program), "/usr/bin/quivive");
    assert!(page.contains(&format!("\n{filter}")), "{filter}");
    assert!(page.contains(&format!(" port 25 {listen}")), "{listen}");
    assert_eq!(said["parts"][0]["door"], "opensmtpd");
    let checks = checks(&said);
    assert!(checks.contains("smtpd -n") && !checks.contains("`socket_group`"), "{checks}");
    let tcp = "[[listen]]\ndoor = \"opensmtpd\"\naddress = \"0.0.0.0:10041\"\n";
    let said = setup("opensmtpd", tcp);
    assert!(texts(&said)[0].contains(" --socket 127.0.0.1:10041\"\n"), "{said}");
    assert!(self::checks(&said).contains("nobody but your mail servers reaches"), "{said}");
}

#[test]
fn each_door_has_its_lines() {
    let said = setup(
        "postfix",
        "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"s\"\n\
         [[listen]]\ndoor = \"policy\"\naddress = \"unix:/run/q/policy\"\n\
         [[listen]]\ndoor = \"milter\"\naddress = \"[::1]:8891\"\n\
         [[listen]]\ndoor = \"socketmap\"\naddress = \"0.0.0.0:10003\"\n\
         [[listen]]\ndoor = \"gateway\"\naddress = \"0.0.0.0:25\"\n\
         recipient_domains = [\"example.org\"]\nnext_hop = \"smtp:127.0.0.1:10025\"\n\
         xclient_to_next_hop = true\n",
    );
    let all = texts(&said).concat();
    for line in [
        "    check_policy_service unix:/run/q/policy\n",
        "smtpd_milters = inet:[::1]:8891\n",
        "sender_canonical_maps = socketmap:inet:127.0.0.1:10003:forward\n",
        "recipient_canonical_maps = socketmap:inet:127.0.0.1:10003:reverse\n",
        "127.0.0.1:10025 inet n - y - - smtpd\n    -o smtpd_authorized_xclient_hosts=127.0.0.1\n",
    ] {
        assert!(all.contains(line), "{line}: {all}");
    }
    let checks = checks(&said);
    for doubt in ["prepend_prefix = \"X-Quivive-", "/run/q/policy: `socket_group`", "0.0.0.0:10003"]
    {
        assert!(checks.contains(doubt), "{doubt}: {checks}");
    }
    let tables = setup(
        "postfix",
        "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"s\"\n\
         [[listen]]\ndoor = \"tcp-table\"\naddress = \"127.0.0.1:10001\"\nmap = \"forward\"\n\
         [[listen]]\ndoor = \"tcp-table\"\naddress = \"127.0.0.1:10002\"\nmap = \"reverse\"\n",
    );
    let all = texts(&tables).concat();
    assert!(all.contains("sender_canonical_maps = tcp:127.0.0.1:10001\n"), "{all}");
    assert!(all.contains("recipient_canonical_maps = tcp:127.0.0.1:10002\n"), "{all}");
    let milters = setup(
        "postfix",
        "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"s\"\nown_domains = [\"here.example\"]\n\
         [[listen]]\ndoor = \"milter\"\naddress = \"127.0.0.1:8892\"\nsrs = \"alone\"\n\
         [[listen]]\ndoor = \"milter\"\naddress = \"127.0.0.1:8891\"\nsrs = \"with-checks\"\n",
    );
    let all = texts(&milters).concat();
    assert!(all.contains("\nnon_smtpd_milters = inet:127.0.0.1:8892\n"), "{all}");
    assert!(all.contains("smtpd_milters = inet:127.0.0.1:8891\nmilter_default"), "{all}");
    assert!(all.contains("relay_domains = fwd.example\n"), "{all}");
    let sendmail = setup("sendmail", "[[listen]]\ndoor = \"milter\"\naddress = \"[::1]:8891\"\n");
    assert!(texts(&sendmail).concat().contains("S=inet6:8891@::1,"), "{sendmail}");
}

#[test]
fn what_cannot_be_asked_is_told_with_its_cure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    fs::write(&path, "").unwrap();
    for (mail_server, door) in [
        ("postfix", "policy"),
        ("exim", "policy"),
        ("sendmail", "milter"),
        ("opensmtpd", "opensmtpd"),
    ] {
        let output = run(&["setup", mail_server, "--config", named(&path)]);
        assert_eq!((code(&output), stdout(&output).as_str()), (1, ""));
        let said = stderr(&output);
        assert!(said.contains(&format!("[[listen]]\ndoor = \"{door}\"\n")), "{said}");
    }
    assert_eq!(code(&run(&["setup", "courier"])), 2);
}

#[test]
fn for_people_it_is_comments_and_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quivive.toml");
    fs::write(&path, block("postfix.md", "toml")).unwrap();
    let output = run(&["setup", "postfix", "--config", named(&path)]);
    let said = stdout(&output);
    assert!(said.starts_with("# /etc/postfix/main.cf\nsmtpd_recipient_restrictions =\n"), "{said}");
    assert!(said.contains("\n# See that\n# - "), "{said}");
}
