//! Local practice: what is taken, what is doubted, what becomes of it in the policy.

use super::{config, errors, warnings};

const ACTS: &str = "actions.spf.mailfrom.fail = \"reject\"\n";

#[test]
fn local_practice_reaches_the_policy() {
    let text = format!(
        "{ACTS}[spf]\nterms_max = 12\nbest_guess = \"v=spf1 a/24 mx/24\"\n[local]\n\
         upstreams = [\"192.0.2.25\"]\nrelays = [\"198.51.100.0/24\"]\n\
         forwarders = [\"2001:db8::/48\"]\nmust_pass = [\"Bank.example\"]\ncheck_logins = true\n\
         dry_run = true\n\
         [refusal]\ntext = \"{{reason}}[ ({{case}})]\"\n"
    );
    let policy = config(&text).policy();
    assert_eq!(policy.spf_terms_max, 12);
    assert!(policy.spf_best_guess.is_some());
    let practice = &policy.practice;
    assert_eq!(practice.upstreams, ["192.0.2.25/32".parse().unwrap()]);
    assert_eq!(practice.relays, ["198.51.100.0/24".parse().unwrap()]);
    assert_eq!(practice.forwarders, ["2001:db8::/48".parse().unwrap()]);
    assert_eq!(practice.must_pass, ["bank.example"]);
    assert!(practice.check_logins && practice.dry_run);
    assert_eq!(policy.refusal.text(), "{reason}[ ({case})]");
}

#[test]
fn by_default_nothing_is_practised() {
    let policy = config("").policy();
    let practice = &policy.practice;
    assert!(practice.upstreams.is_empty() && practice.relays.is_empty());
    assert!(practice.forwarders.is_empty() && practice.must_pass.is_empty());
    assert!(!practice.check_logins && !practice.dry_run);
    assert!(policy.spf_best_guess.is_none());
    assert_eq!(policy.refusal.text(), quivive_verdict::DEFAULT_TEMPLATE);
}

#[test]
fn what_cannot_be_used_is_said_with_its_place() {
    let error = &errors("[refusal]\ntext = \"{reason} {who}\"\n")[0];
    assert!(error.starts_with("2:8: `{who}` is no place; there are: method, reason"), "{error}");
    let error = &errors("[spf]\nbest_guess = \"a/24 mx/24\"\n")[0];
    assert!(error.starts_with("2:14: this is no SPF record: "), "{error}");
    assert!(!errors("[spf]\nterms_max = 21\n").is_empty());
    assert!(!errors("[local]\nmust_pass = [\"a b\"]\n").is_empty());
}

#[test]
fn doubts() {
    let text = format!("{ACTS}[local]\ndry_run = true\n");
    assert_eq!(
        warnings(&text),
        ["3:1: warning: nothing is refused, held or discarded as long as this is true"]
    );
    let text = format!("{ACTS}[local]\nrelays = [\"0.0.0.0/0\"]\n");
    assert_eq!(
        warnings(&text),
        [
            "3:1: warning: so wide a network holds hosts that nobody knows; name those that you trust"
        ]
    );
    let text = "methods.spf = \"report\"\n[local]\nmust_pass = [\"a.test\"]\n";
    assert_eq!(
        warnings(text),
        [
            "3:1: warning: no method that judges the sender is enforced in [methods], so that nothing \
          must pass by it"
        ]
    );
}
