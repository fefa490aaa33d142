//! Each warning, with its exact place and words.

use super::warnings;

const ACTS: &str = "actions.spf.mailfrom.fail = \"reject\"\n";

#[test]
fn enforced_without_actions() {
    let doubt = "warning: `spf` is enforced, but no [actions.spf] row says what follows: its \
                 results only mark; add a row such as [actions.spf.mailfrom] fail = \"reject\", or \
                 write \"report\"";
    assert_eq!(warnings("\n[methods]\nspf = \"enforce\"\n"), [format!("3:1: {doubt}")]);
    assert_eq!(warnings(""), [format!("1:1: {doubt}")], "as it is by default");
    assert_eq!(warnings("[methods]\nspf = \"report\"\n"), [""; 0]);
    assert_eq!(warnings(ACTS), [""; 0]);
    let exception = format!("[[exception]]\ndomains = [\"a.test\"]\n{ACTS}");
    assert_eq!(warnings(&exception), [""; 0]);
}

#[test]
fn actions_without_effect() {
    let doubt = "the actions of `spf` have no effect, for it is not enforced in [methods]";
    for mode in ["off", "report"] {
        let text = format!("methods.spf = \"{mode}\"\n{ACTS}");
        assert_eq!(warnings(&text), [format!("2:9: warning: {doubt}")]);
    }
}

#[test]
fn methods_that_are_not_named() {
    let doubt = "[methods] does not name `spf`, so it is off; name it, if only to say \"off\"";
    assert_eq!(warnings("\n[methods]\nrmx = \"off\"\n"), [format!("2:2: warning: {doubt}")]);
    assert_eq!(warnings("[methods]\nspf = \"off\"\n"), [""; 0]);
}

#[test]
fn exceptions_that_change_nothing() {
    let doubt =
        "this exception changes nothing, and ends the search; say `skip = true` or `actions`";
    let text = format!("{ACTS}[[exception]]\nnetworks = [\"192.0.2.1\"]\n");
    assert_eq!(warnings(&text), [format!("2:1: warning: {doubt}")]);
    assert_eq!(warnings(&format!("{text}skip = true\n")), [""; 0]);
}

#[test]
fn exceptions_that_anybody_can_have() {
    let doubt = "whoever claims such a domain is not checked at all, and anybody can claim it; \
                 name the `networks` that it sends from, too";
    let text = format!("{ACTS}[[exception]]\ndomains = [\"partner.test\"]\nskip = true\n");
    assert_eq!(warnings(&text), [format!("4:1: warning: {doubt}")]);
    assert_eq!(warnings(&format!("{text}networks = [\"192.0.2.1\"]\n")), [""; 0]);
}

#[test]
fn consoles_in_the_clear() {
    let doubt = "the console's password crosses the network in the clear; give it `tls`, or a \
                 loopback address with a TLS proxy before it";
    let text = |address: &str, more: &str| {
        format!(
            "{ACTS}[[listen]]\ndoor = \"console\"\naddress = \"{address}\"\n\
             password_file = \"p\"\n{more}"
        )
    };
    assert_eq!(warnings(&text("192.0.2.1:80", "")), [format!("4:1: warning: {doubt}")]);
    assert_eq!(warnings(&text("127.0.0.1:80", "")), [""; 0]);
    let tls = "tls = { certificate = \"c.pem\", key = \"k.pem\" }\n";
    assert_eq!(warnings(&text("192.0.2.1:443", tls)), [""; 0]);
}

#[test]
fn addresses_that_anybody_can_write() {
    let doubt = "whoever writes to such an address has mail sent anywhere through us; leave this \
                 out as soon as the last of the old addresses is forgotten";
    let srs = "[srs]\ndomain = \"fwd.example\"\nsecret_file = \"s\"\n\
               unsigned_domains = [\"fwd.example\"]\n";
    let line = ACTS.lines().count() + 4;
    assert_eq!(warnings(&format!("{ACTS}{srs}")), [format!("{line}:1: warning: {doubt}")]);
}

#[test]
fn doors_that_know_nobody() {
    let doubt = "whoever reaches this address is answered; let a firewall leave it to your mail \
                 servers, or write a loopback address or a UNIX socket";
    let text =
        |address: &str| format!("{ACTS}[[listen]]\ndoor = \"policy\"\naddress = \"{address}\"\n");
    assert_eq!(warnings(&text("192.0.2.1:10040")), [format!("4:1: warning: {doubt}")]);
    assert_eq!(warnings(&text("[::]:10040")), [format!("4:1: warning: {doubt}")]);
    for address in ["127.0.0.1:10040", "[::1]:10040", "unix:/run/q"] {
        assert_eq!(warnings(&text(address)), [""; 0]);
    }
}

#[test]
fn headers_that_nobody_sees() {
    let policy = "[[listen]]\ndoor = \"policy\"\naddress = \"127.0.0.1:10040\"\n";
    let milter = "[[listen]]\ndoor = \"milter\"\naddress = \"127.0.0.1:8891\"\n";
    let text = "[methods]\nspf = \"report\"\nsender-id = \"report\"\n\
                caller-id = \"report\"\ndmp = \"report\"\n\
                [local]\nupstreams = [\"192.0.2.25\"]\n";
    let doubt = |line: usize, method: &str| {
        format!(
            "{line}:1: warning: `{method}` also judges what the message's header says, and a \
             policy service is shown none, save by Exim at DATA: add a listener whose door is \
             \"milter\" or \"gateway\" for it"
        )
    };
    let found = warnings(&format!("{text}{policy}"));
    assert_eq!(found[..2], [doubt(3, "sender-id"), doubt(4, "caller-id")]);
    let upstreams = "7:1: warning: the client before these is told by the message's header, and a \
                     policy service is shown none, save by Exim at DATA: their mail is not checked";
    assert!(found.len() == 3 && found[2].starts_with(upstreams), "{found:?}");
    for doors in [&format!("{policy}{milter}"), milter, ""] {
        assert_eq!(warnings(&format!("{text}{doors}")), [""; 0]);
    }
}

#[test]
fn refusals_that_lead_nowhere() {
    let public =
        "[[listen]]\ndoor = \"public\"\naddress = \"127.0.0.1:80\"\nurl = \"http://q.test\"\n";
    let store = "[store]\npath = \"q.db\"\n";
    let found = warnings(&format!("{ACTS}{public}"));
    assert!(found.len() == 1 && found[0].contains("give [store] a path"), "{found:?}");
    assert_eq!(warnings(&format!("{ACTS}{store}{public}")), [""; 0]);
    let refusal = "[refusal]\ntext = \"Look at {link}\"\n";
    let found = warnings(&format!("{ACTS}{store}{refusal}"));
    assert!(found.len() == 1 && found[0].starts_with("5:1: warning: `{link}` has"), "{found:?}");
    assert_eq!(warnings(&format!("{ACTS}{store}{refusal}{public}")), [""; 0]);
    let careful = "[refusal]\ntext = \"No[, see {link}]\"\n";
    assert_eq!(warnings(&format!("{ACTS}{careful}")), [""; 0]);
}

#[test]
fn tokens_in_the_clear() {
    let doubt = "tokens cross the network in the clear; give it `tls`, or a loopback address with \
                 a TLS proxy before it";
    let text = |address: &str, more: &str| {
        format!(
            "{ACTS}[[listen]]\ndoor = \"http\"\naddress = \"{address}\"\n\
             token_file = \"t\"\n{more}"
        )
    };
    assert_eq!(warnings(&text("192.0.2.1:80", "")), [format!("4:1: warning: {doubt}")]);
    assert_eq!(warnings(&text("127.0.0.1:80", "")), [""; 0]);
    let tls = "tls = { certificate = \"c.pem\", key = \"k.pem\" }\n";
    assert_eq!(warnings(&text("192.0.2.1:443", tls)), [""; 0]);
}

#[test]
fn methods_without_the_lists_that_they_judge_by() {
    let text = "[methods]\nspf = \"report\"\ndnsbl = \"report\"\ndnswl = \"report\"\n\
                [dnswl]\nlists = [\"wl.example.test\"]\n";
    let warning = "3:1: warning: `dnsbl` has no lists, so that it finds nothing; name them in \
                   [dnsbl] lists";
    assert_eq!(warnings(text), [warning]);
}
