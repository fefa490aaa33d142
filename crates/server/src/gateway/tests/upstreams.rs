//! Mail that comes through gateways of our own: the client before them is the one that counts.

use std::sync::Arc;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_verdict::{Action, Policy, Practice};

use super::world::{TO, World};
use crate::check::Checker;

const ZONE: &[u8] = b"example. TXT \"none\"\ns.example. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n";

/// SPF fail is refused; 192.0.2.1, from where all clients of these tests come, is our own gateway.
async fn world() -> World {
    let mut policy = Policy::new("mx.example");
    policy.actions.set(Method::Spf, Identity::Mailfrom, FindingResult::Fail, Action::Reject);
    policy.practice =
        Practice { upstreams: vec!["192.0.2.1/32".parse().unwrap()], ..Practice::default() };
    let resolver = Resolver::from_zone(Zone::parse(ZONE).unwrap());
    World::judged_by(Checker::new(Arc::new(policy), resolver), None, |_| {}).await
}

/// What a message hears that comes from this client through our gateway.
async fn handed_on(world: &World, client: &str) -> (u16, String) {
    let mut gateway = world.connect().await;
    gateway.all(&["EHLO gateway.example", "MAIL FROM:<a@s.example>", TO]).await;
    let received = format!("Received: from x.example (x.example [{client}]) by gateway.example");
    let reply = gateway.message(&format!("{received}\r\nSubject: hello\r\n\r\nHi\r\n")).await;
    (reply.code, reply.text.to_string())
}

#[tokio::test]
async fn who_hands_on_is_not_who_sends() {
    let world = world().await;
    assert_eq!(handed_on(&world, "198.51.100.9").await.0, 250);
    let mail = &world.mails()[0];
    assert!(mail.contains("spf=pass"), "{mail}");
    assert!(mail.contains("client-ip=198.51.100.9"), "{mail}");
    // What speaks with us is still our gateway.
    assert!(mail.contains("Received: from gateway.example ([192.0.2.1])"), "{mail}");
}

#[tokio::test]
async fn a_forger_is_refused_after_its_message() {
    let world = world().await;
    let (code, text) = handed_on(&world, "203.0.113.9").await;
    assert_eq!(code, 550);
    assert!(text.contains("203.0.113.9 is not permitted to send mail for s.example"), "{text}");
    assert!(world.mails().is_empty());
}

#[tokio::test]
async fn others_are_judged_by_what_they_are() {
    let world = world().await;
    let mut client = world.connect_from("203.0.113.9");
    assert_eq!(client.reply().await.code, 220);
    client.all(&["EHLO gateway.example", "MAIL FROM:<a@s.example>"]).await;
    assert_eq!(client.say(TO).await, 550);
}
