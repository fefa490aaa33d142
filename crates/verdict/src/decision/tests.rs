use super::*;
use crate::{Actions, Exception};

fn facts() -> Facts {
    let mut facts = Facts::new([192, 0, 2, 1].into());
    facts.helo = "mx.example.net".to_owned();
    facts.reverse_path = "somebody@example.com".to_owned();
    facts.recipients = vec!["a@example.org".to_owned(), "b@example.org".to_owned()];
    facts
}

fn finding(identity: Identity, result: FindingResult) -> Finding {
    Finding {
        method: Method::Spf,
        identity,
        domain: "example.com".to_owned(),
        result,
        cause: "match".into(),
        decided_by: None,
        explanation: None,
        properties: Vec::new(),
        trace: Vec::new(),
        needed: Vec::new(),
    }
}

fn policy(rows: &[(Identity, FindingResult, Action)]) -> Policy {
    let mut policy = Policy::new("mx.example.org");
    for (identity, result, action) in rows {
        policy.actions.set(Method::Spf, *identity, *result, *action);
    }
    policy
}

fn decided(policy: &Policy, findings: &[Finding]) -> Verdict {
    let facts = facts();
    let exception = policy.exception(&facts).map(|(index, _)| index);
    decide(policy, exception, &findings.iter().collect::<Vec<_>>(), &facts)
}

#[test]
fn without_a_row_everything_marks() {
    let policy = Policy::new("mx.example.org");
    for result in FindingResult::ALL {
        let verdict = decided(&policy, &[finding(Identity::Mailfrom, *result)]);
        assert_eq!((verdict.action, verdict.reply.code), (Action::Accept, 250), "{result}");
    }
}

#[test]
fn refusals_have_their_codes() {
    use FindingResult::{Fail, Permerror, Softfail, Temperror};
    let expected = [
        (Fail, Action::Reject, 550, "5.7.23"),
        (Softfail, Action::Reject, 550, "5.7.23"),
        (Fail, Action::Defer, 451, "4.7.23"),
        (Temperror, Action::Defer, 451, "4.7.24"),
        (Permerror, Action::Reject, 550, "5.7.24"),
    ];
    for (result, action, code, enhanced) in expected {
        let policy = policy(&[(Identity::Mailfrom, result, action)]);
        let verdict = decided(&policy, &[finding(Identity::Mailfrom, result)]);
        assert_eq!(verdict.action, action);
        assert_eq!((verdict.reply.code, &*verdict.reply.enhanced.to_string()), (code, enhanced));
        assert_eq!(verdict.recipients.len(), 2);
        assert_eq!(verdict.recipients[1].reply, verdict.reply);
    }
}

#[test]
fn the_strictest_wins_unless_something_firm_comes_first() {
    let rows = [
        (Identity::Helo, FindingResult::Pass, Action::Accept),
        (Identity::Helo, FindingResult::Softfail, Action::Discard),
        (Identity::Helo, FindingResult::Fail, Action::Reject),
        (Identity::Mailfrom, FindingResult::Temperror, Action::Defer),
        (Identity::Mailfrom, FindingResult::Fail, Action::Reject),
        (Identity::Mailfrom, FindingResult::Pass, Action::Accept),
    ];
    let policy = policy(&rows);
    let action = |helo, mailfrom| {
        let findings = [finding(Identity::Helo, helo), finding(Identity::Mailfrom, mailfrom)];
        decided(&policy, &findings).action
    };
    use FindingResult::{Fail, Neutral, Pass, Softfail, Temperror};
    assert_eq!(action(Pass, Fail), Action::Accept);
    assert_eq!(action(Softfail, Temperror), Action::Defer);
    assert_eq!(action(Softfail, Neutral), Action::Discard);
    assert_eq!(action(Neutral, Fail), Action::Reject);
    // Firm stops what comes later; it takes nothing back.
    assert_eq!(action(Fail, Pass), Action::Reject);
}

#[test]
fn a_method_on_report_decides_nothing() {
    let mut policy = policy(&[(Identity::Mailfrom, FindingResult::Fail, Action::Reject)]);
    policy.methods.insert(Method::Spf, Mode::Report);
    let verdict = decided(&policy, &[finding(Identity::Mailfrom, FindingResult::Fail)]);
    assert_eq!(verdict.action, Action::Accept);
    assert_eq!(verdict.reasons, ["spf mailfrom fail: mark (spf is on report)"]);
}

#[test]
fn the_first_exception_that_matches_holds() {
    let mut policy = policy(&[(Identity::Mailfrom, FindingResult::Fail, Action::Reject)]);
    let exception = |networks: &[&str], domains: &[&str], result, action| {
        let mut actions = Actions::default();
        actions.set(Method::Spf, Identity::Mailfrom, result, action);
        Exception {
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
            skip: false,
            actions,
        }
    };
    policy.exceptions = vec![
        exception(&["198.51.100.0/24"], &[], FindingResult::Fail, Action::Mark),
        exception(&[], &["com"], FindingResult::Softfail, Action::Reject),
        exception(&[], &["example.com"], FindingResult::Fail, Action::Mark),
    ];
    let verdict = decided(&policy, &[finding(Identity::Mailfrom, FindingResult::Softfail)]);
    assert_eq!(verdict.reasons, ["spf mailfrom softfail: reject ([[exception]] 2)"]);
    let verdict = decided(&policy, &[finding(Identity::Mailfrom, FindingResult::Fail)]);
    assert_eq!(verdict.reasons, ["spf mailfrom fail: reject ([actions.spf.mailfrom])"]);
}

#[test]
fn a_strangers_explanation_is_quoted_clean_and_short() {
    let policy = policy(&[(Identity::Mailfrom, FindingResult::Fail, Action::Reject)]);
    let mut finding = finding(Identity::Mailfrom, FindingResult::Fail);
    finding.explanation = Some("see \"us\"\r\n250 ok\u{1b}[31m é".to_owned());
    assert_eq!(
        decided(&policy, &[finding.clone()]).reply.text,
        "SPF: 192.0.2.1 is not permitted to send mail for example.com; \
         example.com says: \"see 'us'??250 ok?[31m ?\""
    );
    finding.explanation = Some("x".repeat(1000));
    finding.domain = "y".repeat(1000);
    let text = decided(&policy, &[finding]).reply.text;
    assert!(text.len() < 512, "{}", text.len());
}

#[test]
fn a_refusal_names_its_case_and_its_page() {
    let mut policy = policy(&[(Identity::Mailfrom, FindingResult::Fail, Action::Reject)]);
    let mut facts = facts();
    facts.case_id = "c0ffee".to_owned();
    facts.public_id = "0123".to_owned();
    let finding = finding(Identity::Mailfrom, FindingResult::Fail);
    let text = |policy: &Policy| decide(policy, None, &[&finding], &facts).reply.text;
    let refusal = "SPF: 192.0.2.1 is not permitted to send mail for example.com (case c0ffee)";
    assert_eq!(text(&policy), refusal);
    policy.public_url = Some("https://mx.example.org/why/".to_owned());
    assert_eq!(text(&policy), format!("{refusal}; see https://mx.example.org/why/0123"));
}

#[test]
fn a_refusal_says_in_words_why() {
    use FindingResult::{Fail, None as Nothing, Permerror, Temperror};
    let policy = {
        let rows = [Fail, Nothing, Permerror, Temperror];
        policy(&rows.map(|result| (Identity::Mailfrom, result, Action::Reject)))
    };
    for (result, cause, term, text) in [
        (
            Fail,
            "match",
            Some("-all"),
            "SPF: 192.0.2.1 is not permitted to send mail for example.com (its record says `-all`)",
        ),
        (
            Permerror,
            "void-lookup-limit",
            None,
            "SPF: what example.com publishes cannot be used (more than 2 look-ups of its SPF \
             record find nothing)",
        ),
        (
            Temperror,
            "dns-servfail",
            None,
            "SPF: no answer about example.com at this time (the name servers failed)",
        ),
        (
            Nothing,
            "no-record",
            None,
            "SPF: 192.0.2.1 is not known to be permitted to send mail for example.com: none (it \
             publishes no SPF record)",
        ),
        (
            Permerror,
            "new-cause",
            None,
            "SPF: what example.com publishes cannot be used (new cause)",
        ),
    ] {
        let mut finding = finding(Identity::Mailfrom, result);
        finding.cause = cause.into();
        finding.decided_by = term.map(str::to_owned);
        assert_eq!(decided(&policy, &[finding]).reply.text, text);
    }
}

#[test]
fn the_operators_template_is_what_the_client_hears() {
    let mut policy = policy(&[(Identity::Mailfrom, FindingResult::Fail, Action::Reject)]);
    let text = "Refused by {receiver}: {reason}[ ({link})][; {domain} explains: {explanation}]";
    policy.refusal = crate::Template::parse(text).unwrap();
    let mut facts = facts();
    facts.receiver = "mx.example.org".to_owned();
    let mut finding = finding(Identity::Mailfrom, FindingResult::Fail);
    finding.explanation = Some("no\r\n250 yes".to_owned());
    assert_eq!(
        decide(&policy, None, &[&finding], &facts).reply.text,
        "Refused by mx.example.org: 192.0.2.1 is not permitted to send mail for example.com; \
         example.com explains: no??250 yes"
    );
}

/// A policy that refuses what fails, with this practice.
fn practised(practice: crate::Practice) -> Policy {
    let fails = (Identity::Mailfrom, FindingResult::Fail, Action::Reject);
    Policy { practice, ..policy(&[fails]) }
}

fn networks(networks: &[&str]) -> Vec<ipnet::IpNet> {
    networks.iter().map(|network| network.parse().unwrap()).collect()
}

#[test]
fn a_forwarder_is_refused_nothing_and_the_reasons_say_so() {
    let practice =
        crate::Practice { forwarders: networks(&["192.0.2.0/24"]), ..crate::Practice::default() };
    let verdict =
        decided(&practised(practice), &[finding(Identity::Mailfrom, FindingResult::Fail)]);
    assert_eq!(verdict.action, Action::Accept);
    assert_eq!(verdict.reasons, ["spf mailfrom fail: mark ([local] forwarders)"]);
}

#[test]
fn mail_of_some_domains_must_pass() {
    use FindingResult::{Neutral, None as Nothing, Pass, Softfail, Temperror};
    let practice =
        crate::Practice { must_pass: vec!["example.com".to_owned()], ..crate::Practice::default() };
    let policy = practised(practice);
    for (result, action) in [
        (Pass, Action::Accept),
        (Softfail, Action::Reject),
        (Neutral, Action::Reject),
        (Nothing, Action::Reject),
        (Temperror, Action::Defer),
    ] {
        let verdict = decided(&policy, &[finding(Identity::Mailfrom, result)]);
        assert_eq!(verdict.action, action, "{result}");
        if action != Action::Accept {
            let reason = format!("spf mailfrom {result}: {action} ([local] must_pass)");
            assert_eq!(verdict.reasons, [reason]);
        }
    }
    // HELO speaks for a host, and a method on report decides nothing.
    assert_eq!(decided(&policy, &[finding(Identity::Helo, Nothing)]).action, Action::Accept);
    let mut other = finding(Identity::Mailfrom, Nothing);
    other.domain = "notexample.com".to_owned();
    assert_eq!(decided(&policy, &[other]).action, Action::Accept);
    // One method that passes is enough.
    let mut by_two = policy.clone();
    by_two.methods.insert(Method::Rmx, Mode::Enforce);
    let rmx = Finding { method: Method::Rmx, ..finding(Identity::Mailfrom, Pass) };
    let both = [finding(Identity::Mailfrom, Nothing), rmx];
    assert_eq!(decided(&by_two, &both).action, Action::Accept);
    let mut reported = policy;
    reported.methods.insert(Method::Spf, Mode::Report);
    assert_eq!(decided(&reported, &[finding(Identity::Mailfrom, Nothing)]).action, Action::Accept);
}

#[test]
fn a_dry_run_refuses_nothing_and_says_what_it_would() {
    let practice = crate::Practice { dry_run: true, ..crate::Practice::default() };
    let policy = practised(practice);
    let verdict = decided(&policy, &[finding(Identity::Mailfrom, FindingResult::Fail)]);
    assert_eq!((verdict.action, verdict.reply.code), (Action::Accept, 250));
    assert!(verdict.recipients.iter().all(|one| one.action == Action::Accept));
    assert_eq!(
        verdict.reasons[1],
        "dry run: reject would have followed, with 550 5.7.23 SPF: 192.0.2.1 is not permitted to \
         send mail for example.com"
    );
    let verdict = decided(&policy, &[finding(Identity::Mailfrom, FindingResult::Pass)]);
    assert_eq!(verdict.reasons.len(), 1);
}

/// What the standard alone would not say is told with the setting that does.
#[test]
fn settings_of_our_own_stand_in_the_reasons() {
    let mut policy = policy(&[(Identity::Mailfrom, FindingResult::Permerror, Action::Reject)]);
    let caused = |cause: &'static str, result| {
        let mut finding = finding(Identity::Mailfrom, result);
        finding.cause = cause.into();
        finding
    };
    let limited = caused("term-limit", FindingResult::Permerror);
    let reason = |policy: &Policy, finding: &Finding| {
        let verdict = decided(policy, std::slice::from_ref(finding));
        (verdict.reasons[0].clone(), verdict.reply.text)
    };
    let (told, heard) = reason(&policy, &limited);
    assert_eq!(told, "spf mailfrom permerror: reject ([actions.spf.mailfrom])");
    assert!(heard.contains("(its SPF record needs more than 10 look-ups)"), "{heard}");
    policy.spf_terms_max = 1;
    assert!(reason(&policy, &limited).1.contains("needs more than 1 look-up)"));
    policy.spf_terms_max = 4;
    let (told, heard) = reason(&policy, &limited);
    assert!(told.ends_with("([actions.spf.mailfrom]), by [spf] terms_max = 4"), "{told}");
    assert!(heard.contains("needs more than 4 look-ups"), "{heard}");
    policy.spf_void_lookups_max = 0;
    let (told, _) = reason(&policy, &caused("void-lookup-limit", FindingResult::Permerror));
    assert!(told.ends_with(", by [spf] void_lookups_max = 0"), "{told}");
    let (told, _) = reason(&policy, &caused("best-guess", FindingResult::Neutral));
    assert!(told.ends_with("(no action is set), by [spf] best_guess"), "{told}");
    // More than the standard has were needed, and allowed.
    policy.spf_terms_max = 12;
    let mut passed = caused("match", FindingResult::Pass);
    let term = |term: &str| quivive_evidence::TraceNode {
        term: term.to_owned(),
        span: (0, 0),
        result: quivive_evidence::TermResult::NoMatch,
        questions: Vec::new(),
        children: Vec::new(),
    };
    passed.trace = vec![term("a"); 10];
    assert!(!reason(&policy, &passed).0.contains("terms_max"));
    passed.trace.push(term("-include:b.example"));
    assert!(reason(&policy, &passed).0.ends_with(", by [spf] terms_max = 12"));
}

/// A finding of a method that refuses, and what a client hears of it.
#[track_caller]
fn refused_by(finding: Finding, action: Action, enhanced: &str, text: &str) {
    let mut policy = Policy::new("mx.example.org");
    let Finding { method, identity, result, .. } = finding;
    policy.methods.insert(method, Mode::Enforce);
    policy.actions.set(method, identity, result, action);
    let verdict = decided(&policy, &[finding]);
    assert_eq!(verdict.action, action);
    assert_eq!(verdict.reply.enhanced.to_string(), enhanced);
    assert_eq!(verdict.reply.text, text);
}

#[test]
fn each_method_refuses_in_words_of_its_own() {
    use FindingResult::{Fail, None, Permerror, Temperror};
    let of = |method, identity, result, cause: &'static str| Finding {
        method,
        cause: cause.into(),
        ..finding(identity, result)
    };
    let ip = |method, result, cause| Finding {
        domain: "bl.test".to_owned(),
        ..of(method, Identity::Ip, result, cause)
    };
    let reject = Action::Reject;
    refused_by(
        of(Method::MailFromMx, Identity::Mailfrom, Fail, "not-listed"),
        reject,
        "5.7.1",
        "MAIL-FROM MX: 192.0.2.1 is not permitted to send mail for example.com (not listed)",
    );
    refused_by(
        of(Method::Drip, Identity::Helo, Fail, "not-listed"),
        reject,
        "5.7.1",
        "DRIP: 192.0.2.1 is not permitted to call itself example.com (not listed)",
    );
    refused_by(
        of(Method::Rmx, Identity::Mailfrom, Temperror, "dns-timeout"),
        Action::Defer,
        "4.4.3",
        "RMX: no answer about example.com at this time (the name servers did not answer in time)",
    );
    refused_by(
        Finding {
            explanation: Some("spam\r\n250 ok".to_owned()),
            ..ip(Method::Dnsbl, Fail, "listed")
        },
        reject,
        "5.7.1",
        "DNS block list: 192.0.2.1 is on bl.test; bl.test says: \"spam??250 ok\"",
    );
    refused_by(
        ip(Method::Dnswl, None, "not-listed"),
        reject,
        "5.7.1",
        "DNS white list: 192.0.2.1 is not on bl.test",
    );
    refused_by(
        ip(Method::Iprev, Fail, "not-confirmed"),
        reject,
        "5.7.25",
        "Reverse name: no name of 192.0.2.1 has this address",
    );
    refused_by(
        ip(Method::Iprev, Permerror, "no-reverse-name"),
        reject,
        "5.7.25",
        "Reverse name: 192.0.2.1 has no reverse name",
    );
}

#[test]
fn a_client_that_no_entry_of_rmx_matches_may_be_left_alone() {
    let found = |cause: &'static str| Finding {
        method: Method::Rmx,
        cause: cause.into(),
        ..finding(Identity::Mailfrom, FindingResult::Fail)
    };
    let mut policy = Policy::new("mx.example.org");
    policy.methods.insert(Method::Rmx, Mode::Enforce);
    policy.actions.set(Method::Rmx, Identity::Mailfrom, FindingResult::Fail, Action::Reject);
    assert_eq!(decided(&policy, &[found("notinrmx")]).action, Action::Reject);
    policy.settings.rmx_not_listed_acts = false;
    let verdict = decided(&policy, &[found("notinrmx")]);
    assert_eq!(verdict.action, Action::Accept);
    assert_eq!(verdict.reasons, ["rmx mailfrom fail: mark (rmx.not_listed_acts is false)"]);
    assert_eq!(decided(&policy, &[found("denied")]).action, Action::Reject);
}

/// Sheet dmp.md, section 4 step 6: where the HELO name is judged instead, what it says holds.
#[test]
fn the_helo_alternative_of_dmp_decides() {
    use FindingResult::{Fail, None, Pass, Temperror};
    let found = |identity, result| Finding { method: Method::Dmp, ..finding(identity, result) };
    let mut policy = Policy::new("mx.example.org");
    policy.methods.insert(Method::Dmp, Mode::Enforce);
    for identity in [Identity::Mailfrom, Identity::Helo] {
        policy.actions.set(Method::Dmp, identity, Fail, Action::Reject);
        policy.actions.set(Method::Dmp, identity, Temperror, Action::Defer);
    }
    let action = |policy: &Policy, helo| {
        let findings = [found(Identity::Mailfrom, Fail), found(Identity::Helo, helo)];
        decided(policy, &findings).action
    };
    assert_eq!(action(&policy, Pass), Action::Reject, "only where it is asked for");
    policy.settings.dmp.helo_alternative = true;
    assert_eq!(action(&policy, Pass), Action::Accept);
    assert_eq!(action(&policy, Temperror), Action::Defer);
    assert_eq!(action(&policy, Fail), Action::Reject);
    assert_eq!(action(&policy, None), Action::Reject);
}

/// Sheet sender-id.md, sections 5 and 6.
#[test]
fn sender_id_refuses_in_the_words_of_its_rfcs() {
    use FindingResult::{Fail, Permerror, Temperror};
    let of = |identity, result, cause: &'static str| Finding {
        method: Method::SenderId,
        cause: cause.into(),
        ..finding(identity, result)
    };
    let submitter = |finding| Finding {
        properties: vec![quivive_evidence::Property::new("smtp.submitter", "a@example.com")],
        ..finding
    };
    let explained = |finding| Finding { explanation: Some("because".to_owned()), ..finding };
    for (finding, action, code, enhanced, text) in [
        (
            explained(of(Identity::Pra, Fail, "match")),
            Action::Reject,
            550,
            "5.7.1",
            "Sender ID (PRA) Not Permitted - 192.0.2.1 does not send for example.com; example.com \
             says: \"because\"",
        ),
        (
            of(Identity::Mailfrom, Fail, "match"),
            Action::Reject,
            550,
            "5.7.1",
            "Sender ID (MAIL FROM) Not Permitted - 192.0.2.1 does not send for example.com",
        ),
        (
            of(Identity::Pra, Fail, "no-such-domain"),
            Action::Reject,
            550,
            "5.7.1",
            "Sender ID (PRA) Domain Does Not Exist - 192.0.2.1 does not send for example.com",
        ),
        (
            of(Identity::Pra, Temperror, "dns-timeout"),
            Action::Defer,
            450,
            "4.4.3",
            "Sender ID check is temporarily unavailable",
        ),
        (
            of(Identity::Pra, Permerror, "no-pra"),
            Action::Reject,
            550,
            "5.7.1",
            "Missing Purported Responsible Address (no-pra)",
        ),
        (
            submitter(of(Identity::Pra, Fail, "match")),
            Action::Reject,
            550,
            "5.7.1",
            "Submitter not allowed. Sender ID (PRA) Not Permitted - 192.0.2.1 does not send for \
             example.com",
        ),
        (
            of(Identity::Pra, Fail, "submitter-mismatch"),
            Action::Reject,
            550,
            "5.7.1",
            "Submitter does not match header.",
        ),
        (
            of(Identity::Pra, Permerror, "no-pra-for-submitter"),
            Action::Reject,
            554,
            "5.7.7",
            "Cannot verify submitter address.",
        ),
    ] {
        let mut policy = Policy::new("mx.example.org");
        policy.methods.insert(Method::SenderId, Mode::Enforce);
        policy.actions.set(Method::SenderId, finding.identity, finding.result, action);
        let reply = decided(&policy, &[finding]).reply;
        assert_eq!(
            (reply.code, &*reply.enhanced.to_string(), &*reply.text),
            (code, enhanced, text)
        );
    }
}
