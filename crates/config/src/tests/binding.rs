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
    assert!(policy.spares_logins);
    for mode in ["off", "report"] {
        let policy = config(&ENFORCED.replace("enforce", mode)).policy();
        assert_eq!(policy.actions.iter().count(), 0);
        assert_eq!(policy.spares_logins, mode == "report");
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
