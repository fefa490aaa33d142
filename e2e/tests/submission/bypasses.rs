//! The ways around, by the numbers of the sheet's section 6, through each door.

use std::fs;
use std::path::PathBuf;

use quivive_e2e::bound::Bound;
use quivive_e2e::bypasses::{BYPASSES, GRANTS, RCPT, page_says};
use quivive_e2e::client::Dialogue;
use quivive_e2e::submission::{OWN, PASSWORD, Submission, plain};
use quivive_e2e::{dovecot, maildir, postfix, wait};

/// A way in.
enum Door {
    Submission(Submission),
    Milter(Bound),
    Policy(Bound),
}

impl Door {
    /// Our own listener, before a Maildir.
    fn submission() -> Self {
        Self::Submission(Submission::start_with("maildir:box", |configuration, trust| {
            let page = fs::read_to_string(trust.path("grants")).expect("it is there");
            fs::write(trust.path("grants"), page + GRANTS).expect("the folder is ours");
            configuration
        }))
    }

    fn milter() -> Self {
        Self::Milter(Bound::by_milter(GRANTS))
    }

    fn policy() -> Self {
        Self::Policy(Bound::by_policy(GRANTS))
    }

    /// The column of the page.
    fn column(&self) -> usize {
        match self {
            Self::Submission(_) => 0,
            Self::Milter(_) => 1,
            Self::Policy(_) => 2,
        }
    }

    fn sees_header(&self) -> bool {
        !matches!(self, Self::Policy(_))
    }

    fn connect(&self) -> Dialogue {
        match self {
            Self::Submission(site) => site.connect(),
            Self::Milter(bound) | Self::Policy(bound) => bound.connect(),
        }
    }

    fn password(&self) -> &'static str {
        match self {
            Self::Submission(_) => PASSWORD,
            Self::Milter(_) | Self::Policy(_) => dovecot::PASSWORD,
        }
    }

    fn log_in(&self, user: &str) -> Dialogue {
        let mut client = self.connect();
        client.say(&plain("", user, self.password()), "235 2.7.0");
        client
    }

    fn maildir(&self) -> PathBuf {
        match self {
            Self::Submission(site) => site.serve.folder().join("box"),
            Self::Milter(bound) | Self::Policy(bound) => postfix::maildir(&bound.world.postfix),
        }
    }

    /// The mail that came through, once there is this much.
    fn arrived(&self, count: usize) -> Vec<String> {
        let folder = self.maildir();
        wait::until("mail", || (maildir::count(&folder) >= count).then_some(()));
        maildir::messages(&folder)
    }

    /// Whether the page says that this is refused here.
    fn promises(&self, number: u32, name: &str) -> bool {
        page_says(number, name, self.column())
    }
}

/// A message of one's own is taken; and what is then tried and refused leaves nothing behind.
fn takes_own(client: &mut Dialogue) {
    let taken = client.message("alice@example.org", "somebody@example.test", OWN);
    assert!(taken.starts_with("250 "), "{taken}");
}

#[track_caller]
fn refused(what: &str, reply: &str) {
    assert!(reply.starts_with('5'), "{what}: {reply}");
    // Whose it is, is not said.
    assert!(!reply.contains("owned") && !reply.contains("belongs"), "{what}: {reply}");
}

/// All that are a matter of one message.
fn messages(door: &Door) {
    takes_own(&mut door.log_in("alice"));
    for bypass in BYPASSES {
        let mut refusals = 0;
        for attempt in bypass.attempts {
            let what = format!("bypass {}, {}: {attempt:?}", bypass.number, bypass.name);
            let reply = attempt.of(&mut door.log_in("alice"));
            if attempt.in_envelope || door.sees_header() {
                refused(&what, &reply);
                refusals += 1;
            } else {
                assert!(reply.starts_with("250 "), "{what}: {reply}");
            }
        }
        assert_eq!(door.promises(bypass.number, bypass.name), refusals > 0, "{}", bypass.name);
    }
    if door.sees_header() {
        assert_eq!(door.arrived(1).len(), 1);
    }
}

#[test]
fn ways_around_in_a_message_through_our_listener() {
    messages(&Door::submission());
}

#[test]
fn ways_around_in_a_message_through_postfix_with_the_milter() {
    messages(&Door::milter());
}

#[test]
fn ways_around_in_a_message_through_postfix_with_the_policy_service() {
    messages(&Door::policy());
}

/// All that are a matter of the session.
fn sessions(door: &Door) {
    bypass_10_without_a_login(door);
    bypass_12_smuggling(door);
    bypass_13_chunks(door);
    bypass_14_another_authorization_identity(door);
    bypass_15_a_path_beside(door);
    bypass_16_a_second_message_and_a_second_login(door);
}

#[test]
fn ways_around_in_a_session_through_our_listener() {
    sessions(&Door::submission());
}

#[test]
fn ways_around_in_a_session_through_postfix_with_the_milter() {
    sessions(&Door::milter());
}

#[test]
fn ways_around_in_a_session_through_postfix_with_the_policy_service() {
    sessions(&Door::policy());
}

/// We stand in a network that Postfix relays for.
fn bypass_10_without_a_login(door: &Door) {
    let mut client = door.connect();
    let reply = client.message("bob@example.org", "somebody@elsewhere.test", OWN);
    refused("bypass 10", &reply);
    if door.sees_header() {
        let mut client = door.connect();
        let reply = client.message("x@example.net", "somebody@example.test", OWN);
        refused("bypass 10", &reply);
    }
    assert!(door.promises(10, "relay hosts without a login"));
}

fn bypass_12_smuggling(door: &Door) {
    let second = "MAIL FROM:<bob@example.org>\r\nRCPT TO:<somebody@example.test>\r\nDATA\r\n\
                  From: bob@example.org\r\nSubject: smuggled\r\n\r\nx";
    for end in ["\n.\r\n", "\n.\n", "\r\n.\n", "\r.\r\n", "\r\n.\r"] {
        let mut client = door.log_in("alice");
        for line in ["MAIL FROM:<alice@example.org>", RCPT] {
            client.say(line, "250");
        }
        client.say("DATA", "354");
        let sent = format!("{OWN}{end}{second}\r\n.\r\nQUIT\r\n");
        // The server may be gone before all of it is sent.
        let _ = client.send(sent.as_bytes());
        while let Ok(Some(_)) = client.reply() {}
    }
    // Taken as one message it is alice's; as two, the second was judged, and refused.
    takes_own(&mut door.log_in("alice"));
    wait::until("the last of the mail", || {
        let is_last = |mail: &String| !mail.contains("smuggled");
        maildir::messages(&door.maildir()).iter().any(is_last).then_some(())
    });
    for mail in maildir::messages(&door.maildir()) {
        let path = maildir::field(&mail, "Return-Path").unwrap_or_default();
        let from = maildir::field(&mail, "From").unwrap_or_default();
        assert_eq!((&*path, &*from), ("<alice@example.org>", "alice@example.org"), "{mail}");
    }
    assert!(door.promises(12, "smuggling past the end of the message"));
}

fn bypass_13_chunks(door: &Door) {
    let forged: &[&[&str]] = &[
        &["Fro", "m: bob@example.org\r\n\r\n"],
        &["From: alice@example.org\r\nFrom", ": bob@example.org\r\n\r\nx\r\n"],
        &["From: bob", "@example.org\r", "\n\r\nx\r\n"],
    ];
    for chunks in forged.iter().filter(|_| door.sees_header()) {
        let mut client = door.log_in("alice");
        client.say("MAIL FROM:<alice@example.org>", "250");
        client.say(RCPT, "250");
        for chunk in *chunks {
            client.send(format!("BDAT {}\r\n{chunk}", chunk.len()).as_bytes()).expect("it reads");
            client.expect("250");
        }
        refused("bypass 13", &client.ask("BDAT 0 LAST"));
    }
    let mut client = door.log_in("alice");
    let reply = client.ask("MAIL FROM:<bob@example.org>");
    let reply = if reply.starts_with("250") { client.ask(RCPT) } else { reply };
    refused("bypass 13", &reply);
    client.send(format!("BDAT {} LAST\r\n{OWN}", OWN.len()).as_bytes()).expect("it reads");
    refused("bypass 13", &client.expect(""));
    assert!(door.promises(13, "the borders of BDAT chunks"));
}

fn bypass_14_another_authorization_identity(door: &Door) {
    let mut client = door.connect();
    client.say(&plain("bob", "alice", door.password()), "535 5.7.8");
    // An empty one is none.
    let mut client = door.log_in("alice");
    let reply = client.message("bob@example.org", "somebody@example.test", OWN);
    refused("bypass 14", &reply);
    if let Door::Submission(_) = door {
        let mut client = door.connect();
        client.say(&plain("boss", "secretary", door.password()), "235");
        let own = OWN.replace("alice", "boss");
        let reply = client.message("boss@example.org", "somebody@example.test", &own);
        assert!(reply.starts_with("250 "), "{reply}");
    }
    assert!(door.promises(14, "another authorization identity"));
}

/// Whoever speaks for others by XCLIENT, as a web mailer's proxy, is held to the same grants.
fn bypass_15_a_path_beside(door: &Door) {
    if let Door::Milter(bound) | Door::Policy(bound) = door {
        let connect = || {
            let mut client = bound.connect();
            client.say("XCLIENT ADDR=198.51.100.7 LOGIN=alice", "220");
            client.say("EHLO laptop.test", "250");
            client
        };
        takes_own(&mut connect());
        let reply = connect().message("bob@example.org", "somebody@example.test", OWN);
        refused("bypass 15", &reply);
        if door.sees_header() {
            let forged = OWN.replace("alice", "bob");
            let reply = connect().message("alice@example.org", "somebody@example.test", &forged);
            refused("bypass 15", &reply);
        }
    } else {
        // Nobody may state a login here, unless the operator names the proxy.
        let mut client = door.connect();
        client.say("XCLIENT ADDR=198.51.100.7 LOGIN=bob", "5");
        client.say("MAIL FROM:<bob@example.org>", "530 5.7.0");
    }
    assert!(door.promises(15, "a path beside the check"));
}

fn bypass_16_a_second_message_and_a_second_login(door: &Door) {
    let mut client = door.log_in("alice");
    client.say("MAIL FROM:<alice@example.org>", "250");
    client.say("RSET", "250");
    let reply = client.message("bob@example.org", "somebody@example.test", OWN);
    refused("bypass 16", &reply);
    client.say("RSET", "250");
    takes_own(&mut client);
    let reply = client.message("bob@example.org", "somebody@example.test", OWN);
    refused("bypass 16", &reply);
    client.say("RSET", "250");
    client.say(&plain("", "bob", door.password()), "50");
    let reply = client.message("bob@example.org", "somebody@example.test", OWN);
    refused("bypass 16", &reply);
    assert!(door.promises(16, "a second message, a second login"));
}
