//! The policy service with a real Postfix, as its page says, and DNS from a real name server.

use quivive_e2e::client::Dialogue;
use quivive_e2e::filtered::{Filtered, MESSAGE};
use quivive_e2e::matrix::{POSTFIX_POLICY_END, POSTFIX_POLICY_RCPT, Proof, shown};
use quivive_e2e::policy::{
    AT_DATA, AT_RCPT, AT_THE_END, OVER_UNIX_SOCKET, WITHOUT_US, configuration, main_cf, world,
};
use quivive_e2e::{churn, maildir, policy};

fn names(message: &str) -> Vec<String> {
    maildir::fields(message).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_passes_is_marked_and_forged_results_go() {
    let world = world(&[AT_RCPT]);
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let results: Vec<String> = maildir::fields(&message)
        .into_iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("authentication-results"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(results.len(), 2, "{message}");
    assert!(results[0].starts_with("mx.example.test; spf=pass (case "), "{message}");
    assert!(results[0].contains("smtp.mailfrom=vouched.test"), "{message}");
    assert!(results[1].starts_with("other.test;"), "{message}");
    assert!(!message.contains("castle.test") && !message.contains("4f1d9a"), "{message}");
    // RFC 8601 section 5: above the Received of the host that wrote them.
    let names = names(&message);
    let at = |name: &str| names.iter().position(|known| known == name);
    assert!(at("Authentication-Results") < at("Received"), "{message}");
    shown(POSTFIX_POLICY_RCPT, Proof::Marked);
    shown(POSTFIX_POLICY_RCPT, Proof::Cleaned);
}

#[test]
fn what_fails_is_refused_in_our_words() {
    let world = world(&[AT_RCPT]);
    for address in ["192.0.2.66", "2001:db8::66"] {
        let mut client = world.client(address);
        let refusal = client.message("a@strict.test", "b@example.test", MESSAGE);
        assert!(refusal.starts_with("550 5.7.23 <b@example.test>: "), "{refusal}");
        let words = format!("SPF: {address} is not permitted to send mail for strict.test");
        assert!(refusal.contains(&words), "{refusal}");
        assert!(refusal.contains("strict.test says: \""), "{refusal}");
        client.say("QUIT", "221");
        let line = world.logged(&["message", &format!("client={address}"), "helo=\"client.test\""]);
        let (_, id) = refusal.split_once("(case ").expect("the refusal names its case");
        assert!(line.contains(&id[..16]) && line.contains("spf.mailfrom=fail"), "{line}");
    }
    shown(POSTFIX_POLICY_RCPT, Proof::Refused);
    shown(POSTFIX_POLICY_RCPT, Proof::Client);
    let taken = world.client("2001:db8::25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    assert!(message.contains("spf=pass"), "{message}");
    shown(POSTFIX_POLICY_RCPT, Proof::Ipv6);
}

#[test]
fn what_cannot_be_known_now_is_deferred() {
    let world = world(&[AT_RCPT]);
    let mut client = world.client("192.0.2.66");
    let deferral = client.message("a@broken.test", "b@example.test", MESSAGE);
    assert!(deferral.starts_with("450 4.7.24 <b@example.test>: "), "{deferral}");
    assert!(deferral.contains("SPF: no answer about broken.test at this time"), "{deferral}");
    // What Postfix refuses for good need not come again.
    client.say("RSET", "250");
    let refusal = client.message("a@broken.test", "b@elsewhere.test", MESSAGE);
    assert!(refusal.starts_with("554 5.7.1 "), "{refusal}");
    shown(POSTFIX_POLICY_RCPT, Proof::Deferred);
}

#[test]
fn swaks_from_this_host_is_judged_as_any_other() {
    let world = world(&[AT_RCPT]);
    let said = world.swaks(&["--from", "a@vouched.test", "--to", "b@example.test"]);
    assert!(said.contains("250 2.0.0 Ok: queued"), "{said}");
    assert!(world.arrived(1)[0].contains("spf=pass"));
    let said = world.swaks(&["--from", "a@strict.test", "--to", "b@example.test"]);
    assert!(said.contains("<** 550 5.7.23 "), "{said}");
}

/// Puts our questions before what the page permits, so that those who logged in are asked about.
#[test]
fn the_login_of_a_client_arrives_and_spares_it() {
    let world = Filtered::start_as(configuration, |serve| {
        let asking = format!("check_policy_service inet:{}\n", serve.address("policy"));
        format!(
            "smtpd_sasl_auth_enable = yes\nsmtpd_recipient_restrictions = {asking}\
             smtpd_end_of_data_restrictions = {asking}"
        )
    });
    let mut client = Dialogue::open(world.postfix.address);
    client.say("EHLO client.test", "250");
    client.say("XCLIENT ADDR=192.0.2.25 LOGIN=ann", "220");
    client.say("EHLO client.test", "250");
    let taken = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    client.say("QUIT", "221");
    let line = world.logged(&["message", "client=192.0.2.25", "login=\"ann\""]);
    assert!(!line.contains("spf.") && line.contains("verdict=\"accept\""), "{line}");
    // Who did not log in is judged by where it is.
    let refusal = world.client("192.0.2.25").message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    for row in [POSTFIX_POLICY_RCPT, POSTFIX_POLICY_END] {
        shown(row, Proof::Login);
    }
}

#[test]
fn fifty_recipients_are_one_message() {
    let world = world(&[AT_RCPT, AT_DATA]);
    let mut client = world.client("192.0.2.25");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    for number in 0..50 {
        client.say(&format!("RCPT TO:<b{number}@example.test>"), "250");
    }
    client.say("DATA", "354");
    client.say(&format!("{MESSAGE}\r\n."), "250");
    // Another message on the same connection is another case.
    client.message("a@vouched.test", "b@example.test", MESSAGE);
    client.say("QUIT", "221");
    world.logged(&["message", "recipients=50"]);
    world.logged(&["message", "recipients=1"]);
    let log = world.serve.log();
    assert_eq!(log.matches("recipients=").count(), 2, "{log}");
    for message in world.arrived(51) {
        let ours = message.matches("mx.example.test; spf=pass").count();
        assert_eq!(ours, 1, "{message}");
    }
}

/// What is written on top stays, although the recipient that it was said at is refused by a rule
/// that stands below ours.
#[test]
fn a_recipient_that_postfix_refuses_takes_no_field_away() {
    let world = Filtered::start_as(configuration, |serve| {
        main_cf(serve, &[AT_RCPT]) + "virtual_mailbox_maps = inline:{ b@example.test=box/ }\n"
    });
    let mut client = world.client("192.0.2.25");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    client.say("RCPT TO:<unknown@example.test>", "550 5.1.1");
    client.say("RCPT TO:<b@example.test>", "250");
    client.say("DATA", "354");
    client.say(&format!("{MESSAGE}\r\n."), "250");
    let message = world.arrived(1).remove(0);
    assert_eq!(message.matches("mx.example.test; spf=pass").count(), 1, "{message}");
}

/// Without `prepend` there is a second field, for which Postfix asks at DATA.
#[test]
fn the_second_field_comes_at_data() {
    let all = |name_server| {
        configuration(name_server).replace("prepend = [\"authentication-results\"]\n", "")
    };
    let world = Filtered::start_as(all, |serve| main_cf(serve, &[AT_RCPT, AT_DATA]));
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let message = world.arrived(1).remove(0);
    let spf = maildir::fields(&message);
    let spf: Vec<_> = spf.iter().filter(|(name, _)| name == "Received-SPF").collect();
    assert_eq!(spf.len(), 1, "{message}");
    assert!(spf[0].1.starts_with("pass (mx.example.test: "), "{message}");
    assert!(message.contains("Authentication-Results: mx.example.test; spf=pass"), "{message}");
    assert!(!message.contains("castle.test"), "{message}");
}

#[test]
fn at_the_end_of_the_message() {
    let world = world(&[AT_THE_END]);
    let refusal = world.client("192.0.2.66").message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    assert!(refusal.contains("SPF: 192.0.2.66 is not permitted"), "{refusal}");
    let deferral = world.client("192.0.2.66").message("a@broken.test", "b@example.test", MESSAGE);
    assert!(deferral.starts_with("450 4.7.24 "), "{deferral}");
    for address in ["192.0.2.25", "2001:db8::25"] {
        let mut client = world.client(address);
        let taken = client.message("a@vouched.test", "b@example.test", MESSAGE);
        assert!(taken.starts_with("250 "), "{taken}");
        let line = world.logged(&["message", &format!("client={address}"), "helo=\"client.test\""]);
        assert!(line.contains("recipients=1") && line.contains("spf.mailfrom=pass"), "{line}");
    }
    assert!(world.arrived(2).iter().all(|message| !message.contains("(case ")));
    for proof in [Proof::Refused, Proof::Deferred, Proof::Client, Proof::Ipv6] {
        shown(POSTFIX_POLICY_END, proof);
    }
}

#[test]
fn over_a_unix_socket_of_postfixs_group() {
    let world = policy::world_with_socket(&[OVER_UNIX_SOCKET]);
    let refusal = world.client("192.0.2.66").message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    assert!(world.arrived(1)[0].contains("spf=pass"));
    shown(POSTFIX_POLICY_RCPT, Proof::UnixSocket);
    drop(world);
    let world = policy::world_with_socket(&[AT_THE_END]);
    let mut client = world.client("192.0.2.66");
    client.say("MAIL FROM:<a@strict.test>", "250");
    client.say("RCPT TO:<b@example.test>", "250");
    client.say("DATA", "354");
    client.say(&format!("{MESSAGE}\r\n."), "550 5.7.23 ");
    shown(POSTFIX_POLICY_END, Proof::UnixSocket);
}

#[test]
fn without_us_postfix_does_as_it_is_told() {
    let world = world(&[AT_RCPT]);
    let address = world.postfix.address;
    let Filtered { mut serve, nsd, postfix } = world;
    serve.signal("TERM");
    assert_eq!(serve.wait().code(), Some(0), "{}", serve.log());
    let mut client = Dialogue::open_as(address, "192.0.2.66", "client.test");
    let deferral = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(deferral.starts_with("451 4.3.5 "), "{deferral}");
    drop((postfix, nsd));
    // The page's other setting lets everything through.
    let world = policy::world(&[WITHOUT_US]);
    let refusal = world.client("192.0.2.66").message("a@strict.test", "b@example.test", MESSAGE);
    assert!(refusal.starts_with("550 5.7.23 "), "{refusal}");
    let Filtered { mut serve, postfix, nsd } = world;
    serve.signal("TERM");
    serve.wait();
    let mut client = Dialogue::open_as(postfix.address, "192.0.2.66", "client.test");
    let taken = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    drop((postfix, nsd));
}

#[test]
fn reloads_and_restarts_lose_nothing() {
    let seen = churn::run(&mut policy::lasting_world(), churn::MESSAGES / 100);
    assert_eq!(seen.taken, churn::MESSAGES / 100);
}
