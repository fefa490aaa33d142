//! `[binding]`, and what follows where nothing is said of it.

use quivive_binding::{Excuse, Mode};
use quivive_evidence::{FindingResult, Identity, Method};
use quivive_verdict::{Action, Repair};

use super::{config, errors, warnings};

const ENFORCED: &str = "[methods]\nspf = \"off\"\nbinding = \"enforce\"\n";

#[test]
fn what_is_enforced_refuses_unless_it_is_said_otherwise() {
    let text = format!("{ENFORCED}[actions.binding]\nfrom = {{ fail = \"mark\" }}\n");
    let policy = config(&text).policy();
    let action = |identity, result| policy.actions.get(Method::Binding, identity, result);
    assert_eq!(action(Identity::Mailfrom, FindingResult::Fail), Some(Action::Reject));
    assert_eq!(action(Identity::From, FindingResult::Fail), Some(Action::Mark));
    assert_eq!(action(Identity::From, FindingResult::Permerror), Some(Action::Reject));
    assert_eq!(action(Identity::Sender, FindingResult::Temperror), Some(Action::Defer));
    assert_eq!(action(Identity::Resent, FindingResult::Policy), Some(Action::Defer));
    assert_eq!(action(Identity::Resent, FindingResult::Pass), None);
    for mode in ["off", "report"] {
        let policy = config(&ENFORCED.replace("enforce", mode)).policy();
        assert_eq!(policy.actions.iter().count(), 0);
    }
}

#[test]
fn the_rules_are_what_is_set() {
    let rules = config(
        "[binding]\nmode = \"protect-known\"\ndomains = [\"B\u{fc}cher.test\"]\n\
         networks = [\"192.0.2.0/24\"]\nlogin_domain = \"e.test\"\ndetail_separators = \"+-\"\n\
         excused_by = [\"sender\", \"resent\"]\nrate = \"100/h\"\nnew_from_domains = 0\n\
         fold_case = false\nown_address = false\nbind_reply_to = true\nbind_names = false\n\
         bind_outsiders = false\n",
    )
    .binding
    .rules();
    assert_eq!(rules.mode, Mode::ProtectKnown);
    assert_eq!(rules.domains, ["xn--bcher-kva.test"]);
    assert_eq!(rules.login_domain.as_deref(), Some("e.test"));
    assert_eq!(rules.excused_by, [Excuse::Sender, Excuse::Resent]);
    assert_eq!(rules.rate.unwrap().to_string(), "100/h");
    assert_eq!(rules.new_domains_max, None);
    assert!(rules.bind_reply_to && !rules.bind_names && !rules.bind_outsiders);
    assert!(!rules.fold_case && !rules.own_address);
    let default = config("").binding;
    assert_eq!(default.rules().new_domains_max, Some(10));
    assert_eq!(default.repair, Repair::Nothing);
    let mended = config("[binding]\nrepair = \"add-sender\"\n");
    assert_eq!(mended.policy().repair, Repair::AddSender);
}

#[test]
fn grants_come_from_one_source() {
    for (text, error) in [
        ("grants = \"g\"\nsqlite = \"s\"", "3:1: grants come from one source; keep one of them"),
        ("ca_file = \"c\"", "2:1: it is for a service, and there is no `url` of one"),
        ("token_file = \"c\"", "2:1: it is for a service, and there is no `url` of one"),
        ("detail_separators = \"a\"", "2:1: letters, digits, dots and quotes part nothing"),
        ("query = \"SELECT 1\"", "2:1: the pattern that is looked up has no place; write ?1"),
        ("rate = \"10\"", "2:8: `10` is no rate; write 10/min, 100/h or 1000/d"),
        ("mode = \"strickt\"", "2:8: unknown mode `strickt`; did you mean `strict`?"),
        (
            "url = \"http://accounts.test/\"",
            "2:7: `http://accounts.test/` is no URL of a service; write `https://HOST/PATH`, or \
             `http://` on a loopback address",
        ),
    ] {
        assert_eq!(errors(&format!("[binding]\n{text}\n")), [error], "{text}");
    }
}

#[test]
fn binding_without_grants_is_doubtful() {
    let doubt = "3:1: warning: [binding] names no grants, sqlite or url: whoever logs in by an \
                 address may use that address, and nobody any other";
    assert_eq!(warnings(ENFORCED), [doubt]);
    assert_eq!(warnings(&format!("{ENFORCED}[binding]\ngrants = \"g\"\n")), [""; 0]);
}

const SUBMISSION: &str = "[[listen]]\ndoor = \"submission\"\naddress = \"127.0.0.1:587\"\n";
const TLS: &str = "tls = { certificate = \"c\", key = \"k\" }\n";
const HOP: &str = "next_hop = \"smtp:127.0.0.1:25\"\n";

#[test]
fn a_submission_listener_has_users_tls_and_a_next_hop() {
    let listen = |more: &str| errors(&format!("{SUBMISSION}{more}"));
    let sources = ["users = \"u\"\n", "dovecot_auth = \"/d\"\n", "client_ca_file = \"c\"\n"];
    for source in sources {
        assert_eq!(listen(&format!("{TLS}{HOP}{source}")), [""; 0], "no recipient domains needed");
    }
    let missing = |more: &str, key: &str| {
        let errors = listen(more);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(&format!("missing key `{key}`")), "{errors:?}");
    };
    missing(&format!("{HOP}users = \"u\"\n"), "tls");
    missing(&format!("{TLS}users = \"u\"\n"), "next_hop");
    missing(&format!("{TLS}{HOP}"), "users");
    assert_eq!(
        listen(&format!("{TLS}{HOP}users = \"u\"\ndovecot_auth = \"/d\"\n")),
        ["7:1: `users` says who may log in already; keep one"]
    );
    let gateway = "[[listen]]\ndoor = \"gateway\"\naddress = \"127.0.0.1:25\"\n\
                   next_hop = \"maildir:m\"\nusers = \"u\"\n";
    assert_eq!(errors(gateway), ["5:1: this door has no use for it; leave it out"]);
}

#[test]
fn logins_that_are_not_bound_are_doubtful() {
    let text = format!("{SUBMISSION}{TLS}{HOP}users = \"u\"\n[methods]\nspf = \"off\"\n");
    let doubt = "1:1: warning: whoever logs in here may send as anybody; write binding = \
                 \"enforce\" in [methods], and grants in [binding]";
    assert_eq!(warnings(&text), [doubt]);
    let bound = format!("{text}binding = \"enforce\"\n[binding]\ngrants = \"g\"\n");
    assert_eq!(warnings(&bound), [""; 0]);
}

#[test]
fn doors_that_leave_mail_as_it_is_cannot_mend_it() {
    for door in ["policy", "opensmtpd", "http"] {
        let text = format!(
            "[binding]\nrepair = \"rewrite-from\"\n[[listen]]\ndoor = \"{door}\"\n\
             address = \"127.0.0.1:1\"\n"
        );
        let errors = errors(&text);
        let expected = "4:8: this door cannot mend a From field, as [binding] `repair` says: mail \
                        would go on as it came; only gateway, submission and milter can";
        assert!(errors.iter().any(|error| error == expected), "{door}: {errors:?}");
    }
}
