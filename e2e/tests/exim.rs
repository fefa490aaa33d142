//! The policy service with a real Exim, as its page says, and DNS from a real name server.

use quivive_e2e::exim::Asking;
use quivive_e2e::filtered::{AUTHOR, MESSAGE, READS_HEADER};
use quivive_e2e::maildir;
use quivive_e2e::matrix::{EXIM_POLICY_DATA, EXIM_POLICY_RCPT, Proof, shown};

const TCP: &str = "127.0.0.1:0";

/// Exim breaks long replies into lines, each with both codes.
fn one_line(reply: &str) -> String {
    let mut lines = reply.lines();
    let first = lines.next().unwrap_or_default().replacen('-', " ", 1);
    let enhanced = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let others = lines.filter_map(|line| line.get(4..)?.strip_prefix(&enhanced));
    std::iter::once(first.as_str()).chain(others).collect()
}

#[test]
fn what_passes_is_marked_and_forged_results_go() {
    let world = Asking::start(TCP);
    for address in ["192.0.2.25", "2001:db8::25"] {
        let taken = world.client(address).message("a@vouched.test", "b@example.test", MESSAGE);
        assert!(taken.starts_with("250 "), "{taken}: {}", world.exim.log());
    }
    for message in world.arrived(2) {
        let fields = maildir::fields(&message);
        let (_, results) =
            &fields[fields.iter().position(|(name, _)| name != "Return-path").unwrap()];
        assert!(results.starts_with("mx.example.test; spf=pass (case "), "{message}");
        assert!(!message.contains("castle.test"), "{message}");
        assert!(message.contains("X-Between: stays"), "{message}");
    }
    for proof in [Proof::Marked, Proof::Cleaned, Proof::Ipv6] {
        shown(EXIM_POLICY_DATA, proof);
    }
}

#[test]
fn what_fails_is_refused_in_our_words() {
    let world = Asking::start(TCP);
    for address in ["192.0.2.66", "2001:db8::66"] {
        let mut client = world.client(address);
        let refusal = one_line(&client.message("a@strict.test", "b@example.test", MESSAGE));
        let words =
            format!("550 5.7.23 SPF: {address} is not permitted to send mail for strict.test");
        assert!(refusal.starts_with(&words), "{refusal}");
        assert!(refusal.ends_with(')') && refusal.contains("\" (case "), "{refusal}");
        world.logged(&["message", &format!("client={address}"), "helo=\"client.test\""]);
    }
    for proof in [Proof::Refused, Proof::Client, Proof::Ipv6] {
        shown(EXIM_POLICY_RCPT, proof);
    }
}

#[test]
fn what_cannot_be_known_now_is_deferred() {
    let world = Asking::start(TCP);
    let deferral = world.client("192.0.2.66").message("a@broken.test", "b@example.test", MESSAGE);
    let deferral = one_line(&deferral);
    assert!(deferral.starts_with("451 4.7.24 SPF: no answer about broken.test"), "{deferral}");
    shown(EXIM_POLICY_RCPT, Proof::Deferred);
}

#[test]
fn the_login_of_a_client_arrives_and_spares_it() {
    let world = Asking::start(TCP);
    let mut client = world.client("192.0.2.25");
    // No authorisation, ann, x.
    client.say("AUTH PLAIN AGFubgB4", "235");
    let taken = client.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    let line = world.logged(&["message", "client=192.0.2.25", "login=\"ann\""]);
    assert!(!line.contains("spf.") && line.contains("verdict=\"accept\""), "{line}");
    let mut stranger = world.client("192.0.2.25");
    let refusal = stranger.message("a@strict.test", "b@example.test", MESSAGE);
    assert!(one_line(&refusal).starts_with("550 5.7.23 "), "{refusal}");
    for row in [EXIM_POLICY_RCPT, EXIM_POLICY_DATA] {
        shown(row, Proof::Login);
    }
}

#[test]
fn fifty_recipients_are_one_message() {
    let world = Asking::start(TCP);
    let mut client = world.client("192.0.2.25");
    for recipients in [50, 1] {
        client.say("MAIL FROM:<a@vouched.test>", "250");
        for number in 0..recipients {
            client.say(&format!("RCPT TO:<b{number}@example.test>"), "250");
        }
        client.say("DATA", "354");
        client.say(&format!("{MESSAGE}\r\n."), "250");
    }
    // Its header has come, so that nothing need be waited for.
    world.logged(&["message", "recipients=50"]);
    world.logged(&["message", "recipients=1"]);
    assert_eq!(world.serve.log().matches("recipients=").count(), 2, "{}", world.serve.log());
    shown(EXIM_POLICY_DATA, Proof::Client);
}

#[test]
fn a_header_that_is_longer_than_is_read() {
    let world = Asking::start(TCP);
    let long = format!("X-Long: {}\r\n", "x".repeat(900)).repeat(100);
    let content = format!("{long}{MESSAGE}");
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", &content);
    assert!(taken.starts_with("250 "), "{taken}");
    assert!(world.arrived(1)[0].contains("spf=pass"));
}

#[test]
fn over_a_unix_socket() {
    let world = Asking::start("unix:policy.sock\"\nsocket_mode = \"0666");
    let refusal = world.client("192.0.2.66").message("a@strict.test", "b@example.test", MESSAGE);
    assert!(one_line(&refusal).starts_with("550 5.7.23 SPF: "), "{refusal}");
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    assert!(world.arrived(1)[0].contains("spf=pass"));
    shown(EXIM_POLICY_RCPT, Proof::UnixSocket);
    shown(EXIM_POLICY_DATA, Proof::UnixSocket);
}

#[test]
fn without_us_clients_come_again() {
    let Asking { exim, mut serve, .. } = Asking::start(TCP);
    serve.signal("TERM");
    assert_eq!(serve.wait().code(), Some(0));
    let address = exim.address;
    let mut client = quivive_e2e::client::Dialogue::open_by_proxy(address, "192.0.2.25", "c.test");
    let deferral = client.message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(deferral.starts_with("451 4.3.5 The sender could not be checked"), "{deferral}");
}

/// What the header says is judged at DATA, although the envelope passed at RCPT.
#[test]
fn methods_that_read_the_header_run_at_data() {
    let world = Asking::start_with(AUTHOR, |page| {
        page.replace("127.0.0.1:10040", TCP)
            .replace("spf = \"enforce\"\n", "spf = \"enforce\"\ncaller-id = \"enforce\"\n")
            + READS_HEADER
    });
    let sent = |author: &str| {
        let mut client = world.client("2001:db8::25");
        let content = MESSAGE.replace("From: a@vouched.test", &format!("From: {author}"));
        one_line(&client.message("a@vouched.test", "b@example.test", &content))
    };
    let refusal = sent("king@author.test");
    assert!(refusal.starts_with("550 5.7."), "{refusal}");
    assert!(refusal.contains("author.test") && refusal.contains("(case "), "{refusal}");
    let line = world.logged(&["message", "recipients=1"]);
    assert!(line.contains("spf.mailfrom=pass") && line.contains("caller-id.pra=fail"), "{line}");
    let taken = world.client("192.0.2.25").message("a@vouched.test", "b@example.test", MESSAGE);
    assert!(taken.starts_with("250 "), "{taken}");
    assert!(world.arrived(1)[0].contains("spf=pass"));
    let deferral = sent("a@broken.test");
    assert!(deferral.starts_with("451 4.4.3 Caller ID: "), "{deferral}");
    shown(EXIM_POLICY_DATA, Proof::Refused);
    shown(EXIM_POLICY_DATA, Proof::Deferred);
}
