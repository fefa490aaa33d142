//! The vectors of the sheet, and what else a grant can say.

use crate::world::{Message, World};
use quivive_evidence::FindingResult::{Fail, None as Nothing, Pass, Permerror, Policy, Temperror};
use quivive_evidence::{FindingResult, Identity};

/// Section 8.
const GRANTS: &str = "\
alice@e.test  alice  [detail]
bob@e.test    bob
team@e.test   alice, bob
@e.test       gw
";

fn world() -> World {
    World::new(GRANTS)
}

/// The strictest of all identities.
fn overall(world: &World, message: &Message<'_>) -> FindingResult {
    let identities = [Identity::Mailfrom, Identity::From, Identity::Sender, Identity::Resent];
    let results = identities.map(|identity| world.result(identity, message).0);
    match results {
        results if results.contains(&Permerror) => Permerror,
        results if results.contains(&Fail) => Fail,
        _ => Pass,
    }
}

#[test]
fn section_8() {
    for (login, mail_from, header, strict, protecting) in [
        ("alice", "alice@e.test", "From: alice@e.test\r\n", Pass, Pass),
        ("alice", "Alice+x@E.TEST", "From: team@e.test\r\n", Pass, Pass),
        ("alice", "bob@e.test", "From: alice@e.test\r\n", Fail, Fail),
        ("alice", "alice@e.test", "From: bob@e.test\r\nSender: alice@e.test\r\n", Fail, Fail),
        ("alice", "x@other.test", "From: x@other.test\r\n", Fail, Pass),
        ("gw", "carol@e.test", "From: carol@e.test\r\n", Pass, Pass),
        ("bob", "", "From: bob@e.test\r\n", Fail, Fail),
        ("alice", "alice@e.test", "From: alice@e.test\r\nFrom: alice@e.test\r\n", Fail, Fail),
    ] {
        let message = Message::by(login, mail_from, header);
        assert_eq!(overall(&world(), &message), strict, "{login} {mail_from} {header}");
        let protecting_world = world().protecting();
        assert_eq!(overall(&protecting_world, &message), protecting, "{login} {mail_from}");
    }
    let outside = Message::from_outside("alice@e.test", "From: alice@e.test\r\n");
    for world in [world(), world().protecting()] {
        assert_eq!(world.result(Identity::Mailfrom, &outside), (Fail, "not-logged-in".to_owned()));
    }
    // The null sender by option: granted like an address.
    let reports = World::new(&format!("{GRANTS}<> bob\n"));
    let report = Message::by("bob", "", "From: bob@e.test\r\n");
    assert_eq!(overall(&reports, &report), Pass);
    assert_eq!(overall(&reports, &Message { login: Some("alice"), ..report }), Fail);
}

#[test]
fn a_finding_says_what_was_judged() {
    let finding = world().judge(Identity::Mailfrom, &Message::by("gw", "X@E.test", ""));
    assert_eq!((finding.domain.as_str(), &*finding.cause), ("e.test", "granted"));
    assert_eq!(finding.decided_by.as_deref(), Some("@e.test"));
    assert_eq!(finding.properties[0].name, "smtp.mailfrom");
    assert_eq!(finding.properties[0].value, "x@e.test");
    assert_eq!(finding.trace[0].term, "gw");
    assert_eq!(finding.trace[0].children[0].term, "x@e.test");
    assert_eq!(finding.needed[0].to_string(), "grants:x@e.test gw STORED");
}

#[test]
fn a_login_that_is_an_address_is_its_own() {
    let world = World::new("");
    let result = |login: &str, mail_from: &str| {
        world.result(Identity::Mailfrom, &Message::by(login, mail_from, ""))
    };
    assert_eq!(result("alice@e.test", "alice+x@e.test"), (Pass, "own-address".into()));
    assert_eq!(result("Alice@E.test", "alice@e.test"), (Pass, "own-address".into()));
    assert_eq!(result("alice@e.test", "bob@e.test"), (Fail, "not-granted".into()));
    assert_eq!(result("alice", "alice@e.test"), (Fail, "not-granted".into()));
    assert!(!world.asked.borrow().iter().any(|key| key.contains("alice+x")));
    let world = World::new("").with(|rules| rules.login_domain = Some("e.test".into()));
    let message = Message::by("alice", "alice@e.test", "");
    assert_eq!(world.result(Identity::Mailfrom, &message).0, Pass);
    let world = world.with(|rules| rules.own_address = false);
    assert_eq!(world.result(Identity::Mailfrom, &message).0, Fail);
}

#[test]
fn grants_end_and_have_scopes() {
    let world = World::new(
        "a@e.test alice [until=2027-01-15T08:00:00Z]\n\
         b@e.test alice [until=2027-01-15T07:59:59Z]\n\
         c@e.test alice [scopes=from]\n\
         d@e.test alice, bob [scopes=mailfrom]\n\
         d@e.test alice [scopes=from]\n",
    );
    // It is 1800000000: 2027-01-15T08:00:00Z.
    let world_at =
        |mail_from| world.result(Identity::Mailfrom, &Message::by("alice", mail_from, ""));
    assert_eq!(world_at("a@e.test"), (Fail, "grant-expired".into()));
    assert_eq!(world_at("b@e.test"), (Fail, "grant-expired".into()));
    assert_eq!(world_at("c@e.test"), (Fail, "scope-not-granted".into()));
    assert_eq!(world_at("d@e.test"), (Pass, "granted".into()));
    let from = |header: &str| world.result(Identity::From, &Message::by("alice", "", header)).0;
    assert_eq!(from("From: c@e.test\r\n"), Pass);
    assert_eq!(from("From: d@e.test\r\n"), Pass);
    assert_eq!(from("From: a@e.test\r\n"), Fail);
    let bob = Message::by("bob", "", "From: d@e.test\r\n");
    assert_eq!(world.result(Identity::From, &bob), (Fail, "scope-not-granted".into()));
}

#[test]
fn networks_and_certificates_hold_grants() {
    let world = World::new(
        "app@e.test net:192.0.2.0/24\ncert@e.test cert:Mailer.e.test\nalice@e.test alice\n",
    );
    let result = |message: &Message<'_>| world.result(Identity::Mailfrom, message);
    let app = Message { client: Some("192.0.2.7"), mail_from: "app@e.test", ..Message::default() };
    assert_eq!(result(&app).0, Pass);
    assert_eq!(result(&Message { client: None, ..app.clone() }), (Fail, "not-logged-in".into()));
    // A login counts alone: whoever logs in is not its network.
    assert_eq!(result(&Message { login: Some("alice"), ..app.clone() }).0, Fail);
    let cert = Message {
        certificate: Some("mailer.E.test"),
        mail_from: "cert@e.test",
        ..Message::default()
    };
    assert_eq!(result(&cert).0, Pass);
    assert_eq!(result(&Message { certificate: Some("other"), ..cert.clone() }).0, Fail);
    // Whoever logs in as well has both.
    let login = Message { login: Some("mailer.e.test"), ..cert };
    assert_eq!(result(&login).0, Pass);
    assert_eq!(result(&Message { certificate: None, ..login }).0, Fail);
    // What belongs to nobody is none of our business, unless the client is ours.
    let other = Message { mail_from: "x@other.test", ..app };
    assert_eq!(result(&other), (Nothing, "no-client-of-ours".into()));
    let ours = World::new("").with(|rules| rules.networks = vec!["192.0.2.0/24".parse().unwrap()]);
    assert_eq!(ours.result(Identity::Mailfrom, &other), (Fail, "not-granted".into()));
}

#[test]
fn mail_from_outside_is_not_judged_by_its_header() {
    let message = Message::from_outside(
        "x@other.test",
        "From: alice@e.test\r\nFrom: @@\r\nSender: (\r\nResent-To: x\r\n",
    );
    for identity in [Identity::Mailfrom, Identity::From, Identity::Sender, Identity::Resent] {
        let (result, cause) = world().result(identity, &message);
        assert_eq!((result, &*cause), (Nothing, "no-client-of-ours"), "{identity}");
    }
    let malformed = Message::from_outside("@r.test:alice@e.test", "");
    assert_eq!(world().result(Identity::Mailfrom, &malformed).0, Nothing);
    let spared = world().with(|rules| rules.bind_outsiders = false);
    let outside = Message::from_outside("alice@e.test", "");
    assert_eq!(spared.result(Identity::Mailfrom, &outside).0, Nothing);
}

#[test]
fn our_own_domains_are_protected_whole() {
    let message = Message::by("alice", "nobody@e.test", "");
    let world = World::new("alice@e.test alice\n").protecting();
    assert_eq!(world.result(Identity::Mailfrom, &message), (Pass, "nobodys-address".into()));
    let world = world.with(|rules| rules.domains = vec!["e.test".into()]);
    assert_eq!(world.result(Identity::Mailfrom, &message), (Fail, "owned-by-another".into()));
    // In them, the domain may be left out of a grant.
    let bare = World::new("alice alice\n").with(|rules| rules.domains = vec!["e.test".into()]);
    let own = Message::by("alice", "alice@e.test", "");
    assert_eq!(bare.result(Identity::Mailfrom, &own).0, Pass);
    let elsewhere = Message::by("alice", "alice@f.test", "");
    assert_eq!(bare.result(Identity::Mailfrom, &elsewhere).0, Fail);
}

#[test]
fn a_source_that_is_down_is_a_temperror() {
    let mut world = world();
    world.is_down = true;
    let message = Message::by("alice", "alice@e.test", "From: alice@e.test\r\n");
    for identity in [Identity::Mailfrom, Identity::From] {
        assert_eq!(world.result(identity, &message), (Temperror, "grants-unavailable".to_owned()));
    }
    // What needs no source does not suffer.
    let own = Message::by("alice@e.test", "alice@e.test", "From: alice@e.test\r\n");
    assert_eq!(world.result(Identity::From, &own).0, Pass);
}

#[test]
fn too_many_messages_are_too_many() {
    let mut world = World::new("a@e.test alice\nb@e.test alice [rate=5/h]\n")
        .with(|rules| rules.rate = Some("10/d".parse().unwrap()));
    let message = |mail_from| Message::by("alice", mail_from, "");
    world.used.insert("alice messages 86400".into(), 10);
    world.used.insert("alice messages 3600".into(), 6);
    assert_eq!(world.result(Identity::Mailfrom, &message("a@e.test")).0, Pass);
    let (result, cause) = world.result(Identity::Mailfrom, &message("b@e.test"));
    assert_eq!((result, &*cause), (Policy, "rate-limit"));
    world.used.insert("alice messages 86400".into(), 11);
    let finding = world.judge(Identity::Mailfrom, &message("a@e.test"));
    assert_eq!((finding.result, finding.decided_by.as_deref()), (Policy, Some("10/d")));
    // What fails, fails; it was counted all the same.
    assert_eq!(world.result(Identity::Mailfrom, &message("c@e.test")).0, Fail);
}

#[test]
fn sudden_new_domains_look_like_a_stolen_account() {
    let mut world =
        World::new("* gw\nalice@e.test alice\n").with(|rules| rules.new_domains_max = Some(2));
    world.used.insert("gw domains a.test b.test".into(), 3);
    world.used.insert("alice domains a.test".into(), 3);
    world.used.insert("gw domains a.test".into(), 2);
    let from = |login, header| world.result(Identity::From, &Message::by(login, "", header));
    let two = "From: x@a.test, y@B.test, z@a.test\r\n";
    assert_eq!(from("gw", two), (Policy, "new-from-domains".into()));
    assert_eq!(from("gw", "From: x@a.test\r\n").0, Pass);
    // It was counted although it fails: that is what a thief tries.
    assert_eq!(from("alice", "From: x@a.test\r\n").0, Fail);
    assert!(world.asked.borrow().iter().any(|key| key == "usage:alice domains a.test STORED"));
}

#[test]
fn on_behalf_needs_the_option() {
    let header = "From: bob@e.test\r\nSender: alice@e.test\r\n";
    let message = Message::by("alice", "alice@e.test", header);
    assert_eq!(world().result(Identity::From, &message), (Fail, "owned-by-another".into()));
    let excusing = |excuse| world().with(|rules| rules.excused_by = vec![excuse]);
    let by_sender = excusing(quivive_binding::Excuse::Sender);
    assert_eq!(by_sender.result(Identity::From, &message), (Pass, "on-behalf".into()));
    for header in [
        "From: bob@e.test\r\nSender: bob@e.test\r\n",
        "From: bob@e.test\r\nSender: alice@e.test, bob@e.test\r\n",
        "From: bob@e.test\r\nSender: alice@e.test\r\nSender: alice@e.test\r\n",
        "From: bob@e.test\r\n",
        "From: bob@e.test\r\nResent-From: alice@e.test\r\n",
    ] {
        let message = Message::by("alice", "alice@e.test", header);
        assert_eq!(by_sender.result(Identity::From, &message).0, Fail, "{header}");
    }
    let by_resent = excusing(quivive_binding::Excuse::Resent);
    let resent = "Resent-From: alice@e.test\r\nFrom: bob@e.test\r\n";
    let message = Message::by("alice", "alice@e.test", resent);
    assert_eq!(by_resent.result(Identity::From, &message).0, Pass);
    // An address that belongs to nobody speaks for nobody.
    let protecting = by_sender.protecting();
    let header = "From: bob@e.test\r\nSender: x@other.test\r\n";
    let message = Message::by("alice", "alice@e.test", header);
    assert_eq!(protecting.result(Identity::From, &message).0, Fail);
}

#[test]
fn reply_to_is_free_unless_it_is_bound() {
    let header = "From: alice@e.test\r\nReply-To: x@other.test\r\n";
    let message = Message::by("alice", "alice@e.test", header);
    assert_eq!(world().result(Identity::From, &message).0, Pass);
    let bound = world().with(|rules| rules.bind_reply_to = true);
    assert_eq!(bound.result(Identity::From, &message), (Fail, "reply-to-not-granted".into()));
    let own = "From: alice@e.test\r\nReply-To: team@e.test, alice+x@e.test\r\n";
    assert_eq!(bound.result(Identity::From, &Message::by("alice", "", own)).0, Pass);
}

#[test]
fn only_the_newest_resent_block_counts() {
    let resent = |header: &str| {
        world().result(Identity::Resent, &Message::by("alice", "alice@e.test", header)).0
    };
    let older = "Resent-From: bob@e.test\r\nResent-To: x@y.test\r\nFrom: x@y.test\r\n";
    assert_eq!(resent("From: alice@e.test\r\n"), Nothing);
    assert_eq!(resent(&format!("Resent-From: alice@e.test\r\nReceived: x\r\n{older}")), Pass);
    assert_eq!(
        resent(&format!("Resent-To: a@b.test\r\nResent-From: alice@e.test\r\n{older}")),
        Pass
    );
    assert_eq!(resent(&format!("Resent-From: bob@e.test\r\nReceived: x\r\n{older}")), Fail);
    assert_eq!(resent(&format!("Resent-To: a@b.test\r\nReceived: x\r\n{older}")), Fail);
    assert_eq!(resent("Resent-From: alice@e.test\r\nResent-Sender: bob@e.test\r\n"), Fail);
    assert_eq!(resent("Resent-From: alice@e.test\r\nResent-Sender: team@e.test\r\n"), Pass);
    assert_eq!(
        resent("Resent-From: alice@e.test\r\nResent-Sender: team@e.test, alice@e.test\r\n"),
        Fail
    );
}

#[test]
fn bounds() {
    let all = |count| {
        let list: Vec<String> = (0..count).map(|at| format!("u{at}@e.test")).collect();
        format!("From: {}\r\n", list.join(", "))
    };
    let most = quivive_binding::ADDRESSES_MAX;
    let from = |header: &str| world().result(Identity::From, &Message::by("gw", "", header));
    assert_eq!(from(&all(most)).0, Pass);
    assert_eq!(from(&all(most + 1)), (Temperror, "question-budget".into()));
    let long = format!("From: gw@e.test\r\nReply-To: {}\r\n", "x".repeat(65_536));
    assert_eq!(from(&long), (Permerror, "header-too-long".into()));
}
