//! Every known way around the check (section 6 of the sheet), by its number. Those that are a
//! matter of the session or of the content's framing have their tests at the doors.

use crate::world::{Message, World};
use quivive_evidence::FindingResult::{self, Fail, Pass, Permerror};
use quivive_evidence::Identity;

const GRANTS: &str = "\
alice@e.test   alice  [detail]
victim@e.test  victim
me@e.test      me  [detail]
";

fn world() -> World {
    World::new(GRANTS).protecting()
}

fn from(header: &str) -> (FindingResult, String) {
    world().result(Identity::From, &Message::by("me", "me@e.test", header))
}

fn mailfrom(reverse_path: &str) -> (FindingResult, String) {
    world().result(Identity::Mailfrom, &Message::by("me", reverse_path, ""))
}

#[track_caller]
fn refused(judged: (FindingResult, String), cause: &str) {
    assert!(matches!(judged.0, Fail | Permerror), "{judged:?}");
    assert_eq!(judged.1, cause);
}

#[test]
fn bypass_1_own_envelope_and_forged_from() {
    refused(from("From: victim@e.test\r\n"), "owned-by-another");
}

#[test]
fn bypass_2_own_sender_and_forged_from() {
    refused(from("From: victim@e.test\r\nSender: me@e.test\r\n"), "owned-by-another");
}

#[test]
fn bypass_3_forged_from_and_true_resent_from() {
    refused(from("Resent-From: me@e.test\r\nFrom: victim@e.test\r\n"), "owned-by-another");
}

#[test]
fn bypass_4_from_fields_that_readers_read_otherwise() {
    for (header, cause) in [
        ("From: me@e.test\r\nFrom: victim@e.test\r\n", "from-twice"),
        ("From: victim@e.test\r\nfrom: me@e.test\r\n", "from-twice"),
        ("From: me@e.test, victim@e.test\r\n", "owned-by-another"),
        ("From: victim@e.test, me@e.test\r\n", "owned-by-another"),
        ("From: us: me@e.test, victim@e.test;\r\n", "owned-by-another"),
        ("From: us:;\r\n", "no-mailbox"),
        ("From:\r\n victim@e.test\r\n", "owned-by-another"),
        ("From: me@e.test,\r\n\tvictim@e.test\r\n", "owned-by-another"),
        ("From : victim@e.test\r\n", "owned-by-another"),
        ("From: me@e.test\r\nFrom : victim@e.test\r\n", "from-twice"),
        ("From: me@e.test\r\nFr\0om: victim@e.test\r\n", "from-hidden"),
        ("From: me@e.test\r\nFrom\r\n : victim@e.test\r\n", "from-hidden"),
        ("From: me@e.test\r\nFrom\u{a0}: victim@e.test\r\n", "from-hidden"),
        ("From: <@victim.test:me@e.test>\r\n", "from-not-plain"),
        ("From: <@e.test,@f.test:victim@e.test>\r\n", "from-not-plain"),
        ("From: me(victim@e.test)@e.test\r\n", "from-not-plain"),
        ("From: (victim@e.test)me@e.test\r\n", "name-of-another"),
        ("From: me@e.test (victim@e.test)\r\n", "name-of-another"),
        ("From: \"victim@e.test\" <me@e.test>\r\n", "name-of-another"),
        ("From: \"Victim <victim@e.test>\" <me@e.test>\r\n", "name-of-another"),
        ("From: =?utf-8?q?victim=40e=2Etest?= <me@e.test>\r\n", "name-of-another"),
        ("From: =?utf-8?b?dmljdGltQGUudGVzdA==?= <me@e.test>\r\n", "name-of-another"),
        ("From: =?koi8-u?b?dmljdGltQGUu dGVzdB?= <me@e.test>\r\n", "name-of-another"),
        ("From: =?utf-7?q?victim+AEA-e.test?= <me@e.test>\r\n", "name-not-readable"),
        ("From: me@e.test (=?utf-16be?b?AEA=?=)\r\n", "name-not-readable"),
        ("Subject: x\r\nno field\r\nFrom: me@e.test\r\n", "header-broken"),
        ("From victim@e.test\r\nFrom: me@e.test\r\n", "header-broken"),
        ("From: me@e.test\r\nno field\r\n x: y\r\n", "header-broken"),
        ("From: victim@e.test <me@e.test>\r\n", "from-malformed"),
        ("From: <victim@e.test> <me@e.test>\r\n", "from-malformed"),
        ("From: me@e.test\0victim@e.test\r\n", "from-malformed"),
        ("From: \"me@e.test\" <victim@e.test>\r\n", "owned-by-another"),
        ("From: victim@e.test (me@e.test)\r\n", "owned-by-another"),
        ("From: me@e.test;\r\n", "from-malformed"),
        ("From:\r\n", "from-malformed"),
        ("Subject: x\r\n", "from-missing"),
    ] {
        refused(from(header), cause);
    }
    // Only addr-spec counts: what is nobody's may be a name.
    assert_eq!(from("From: \"a@other.test\" <me@e.test>\r\n").0, Pass);
    assert_eq!(from("From: \"me+x@e.test\" <me@e.test>\r\n").0, Pass);
}

#[test]
fn bypass_5_null_sender() {
    refused(mailfrom(""), "null-sender");
}

#[test]
fn bypass_6_details() {
    refused(mailfrom("victim+x@e.test"), "owned-by-another");
    refused(from("From: victim+me@e.test\r\n"), "owned-by-another");
    // A detail of one's own is one's own, whatever it says; without the option there is none.
    assert_eq!(mailfrom("me+victim@e.test").0, Pass);
    let victim = Message::by("victim", "victim+x@e.test", "");
    assert_eq!(
        world().result(Identity::Mailfrom, &victim),
        (Fail, "detail-not-granted".to_owned())
    );
}

#[test]
fn bypass_7_spelling() {
    for address in [
        "VICTIM@E.TEST",
        "\"victim\"@e.test",
        "\"vic\\tim\"@e.test",
        "\"Victim\"@E.Test",
        "victim@\u{ff45}.test",
    ] {
        refused(mailfrom(address), "owned-by-another");
        refused(from(&format!("From: {address}\r\n")), "owned-by-another");
    }
    refused(mailfrom("victim@e.test."), "mailfrom-malformed");
    refused(from("From: victim@e.test.\r\n"), "from-malformed");
    // U-labels and A-labels are one name; composed and decomposed letters are one letter.
    let world = World::new("j\u{f6}rg@b\u{fc}cher.test victim\n").protecting();
    for address in ["jo\u{308}rg@xn--bcher-kva.test", "J\u{d6}RG@B\u{dc}CHER.test"] {
        let message = Message::by("me", address, "");
        refused(world.result(Identity::Mailfrom, &message), "owned-by-another");
    }
    // A letter that looks like another is another: in a domain of ours, nobody's.
    let ours = World::new(GRANTS).protecting().with(|rules| rules.domains = vec!["e.test".into()]);
    let message = Message::by("me", "vi\u{441}tim@e.test", "");
    refused(ours.result(Identity::Mailfrom, &message), "owned-by-another");
}

#[test]
fn bypass_8_a_domain_for_all_its_users() {
    // What is granted exactly is not covered by the domain as a whole.
    let world = World::new("@e.test me, victim\nvictim@e.test victim\n");
    let message = |mail_from| Message::by("me", mail_from, "");
    let result = |mail_from| world.result(Identity::Mailfrom, &message(mail_from));
    refused(result("victim@e.test"), "owned-by-another");
    refused(result("victim+x@e.test"), "owned-by-another");
    assert_eq!(result("other@e.test").0, Pass);
}

#[test]
fn bypass_9_routes() {
    for address in ["victim%e.test@e.test", "e.test!victim@e.test", "\"victim@e.test\"@e.test"] {
        refused(mailfrom(address), "routed-address");
        refused(from(&format!("From: {address}\r\n")), "routed-address");
        // Not even whoever may use the whole domain.
        let gateway = World::new("@e.test gw\n");
        let message = Message::by("gw", address, "");
        refused(gateway.result(Identity::Mailfrom, &message), "routed-address");
    }
    refused(mailfrom("@relay.test:victim@e.test"), "mailfrom-malformed");
    refused(mailfrom("@relay.test,@b.test:me@e.test"), "mailfrom-malformed");
}

#[test]
fn bypass_10_relay_hosts_without_login() {
    let shared = "192.0.2.7";
    let message = Message {
        client: Some(shared),
        mail_from: "victim@e.test",
        header: Some("From: victim@e.test\r\n"),
        ..Message::default()
    };
    let world = World::new(GRANTS).with(|rules| {
        rules.networks = vec!["192.0.2.0/24".parse().unwrap()];
    });
    for identity in [Identity::Mailfrom, Identity::From] {
        refused(world.result(identity, &message), "owned-by-another");
    }
}

#[test]
fn bypass_11_a_message_inside_the_message() {
    // What stands in the body is no header: neither does it name the author, nor excuse one.
    let header = "From: victim@e.test\r\nContent-Type: message/rfc822\r\n\r\nFrom: me@e.test\r\n";
    refused(from(header), "owned-by-another");
}

#[test]
fn bypass_17_on_behalf_without_a_grant() {
    // The option excuses whoever is named by a field that was granted, and nobody else.
    let excusing = world().with(|rules| rules.excused_by = vec![quivive_binding::Excuse::Sender]);
    for header in [
        "From: victim@e.test\r\nSender: alice@e.test\r\n",
        "From: victim@e.test\r\nSender: list@other.test\r\n",
    ] {
        let message = Message::by("me", "me@e.test", header);
        refused(excusing.result(Identity::From, &message), "owned-by-another");
    }
}

#[test]
fn bypass_18_a_signature_of_another_tenant() {
    // A signature that came along grants nothing.
    let header = "DKIM-Signature: v=1; d=e.test; s=x; h=from; b=x\r\nFrom: victim@e.test\r\n";
    refused(from(header), "owned-by-another");
}
