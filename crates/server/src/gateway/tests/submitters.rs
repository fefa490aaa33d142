//! Methods that read the header, and the extension by which a client announces whom it holds
//! responsible (RFC 4405).

use std::sync::Arc;

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_verdict::{Action, Mode, Policy};

use super::world::{Client, TO, World};
use crate::check::Checker;

const ZONE: &[u8] = b"
almamater.example. TXT \"spf2.0/pra ip4:192.0.2.1 -all\"
elsewhere.example. TXT \"spf2.0/pra -all\"
_ep.elsewhere.example. TXT \"<ep xmlns='http://ms.net/1'><out><noMailServers/></out></ep>\"
";

const MAIL: &str = "MAIL FROM:<alice@alice.example>";

async fn world(method: Method, change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = Policy::new("mx.example");
    policy.methods.insert(method, Mode::Enforce);
    for result in [FindingResult::Fail, FindingResult::Permerror] {
        policy.actions.set(method, Identity::Pra, result, Action::Reject);
    }
    change(&mut policy);
    let resolver = Resolver::from_zone(Zone::parse(ZONE).unwrap());
    World::judged_by(Checker::new(Arc::new(policy), resolver), None, |_| {}).await
}

async fn open(world: &World, mail: &str) -> Client {
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", mail, TO]).await;
    client
}

/// What the client hears of its message.
async fn heard(world: &World, mail: &str, header: &str) -> String {
    let mut client = open(world, mail).await;
    let reply = client.message(&format!("{header}\r\nSubject: x\r\n\r\nHow are you?\r\n")).await;
    format!("{} {} {}", reply.code, reply.enhanced.unwrap(), reply.text)
}

#[tokio::test]
async fn an_announced_submitter_is_judged_before_the_message_comes() {
    let world = world(Method::SenderId, |_| {}).await;
    let mut client = world.connect().await;
    assert!(client.ask("EHLO c.example").await.text.contains("\nSUBMITTER"));
    client.all(&[&format!("{MAIL} SUBMITTER=bob@elsewhere.example")]).await;
    let reply = client.ask(TO).await;
    assert_eq!(reply.code, 550);
    assert!(reply.text.starts_with("Submitter not allowed."), "{}", reply.text);
    client.all(&["RSET", &format!("{MAIL} SUBMITTER=bob@almamater.example"), TO]).await;
}

#[tokio::test]
async fn an_announced_submitter_is_that_of_the_header() {
    let world = world(Method::SenderId, |_| {}).await;
    let bob = &format!("{MAIL} SUBMITTER=bob@almamater.example");
    let resent = "Resent-From: <bob@Almamater.example>\r\nReceived: x\r\nFrom: alice@alice.example";
    assert!(heard(&world, bob, resent).await.starts_with("250 "));
    let other = heard(&world, bob, "From: alice@almamater.example").await;
    assert!(other.starts_with("550 5.7.1 Submitter does not match header."), "{other}");
    let nobody = heard(&world, bob, "From: a@b.example, c@d.example").await;
    assert!(nobody.starts_with("554 5.7.7 Cannot verify submitter address."), "{nobody}");
    let null = "MAIL FROM:<> SUBMITTER=mailer-daemon@almamater.example";
    assert!(
        heard(&world, null, "From: <mailer-daemon@almamater.example>").await.starts_with("250 ")
    );
}

#[tokio::test]
async fn without_a_submitter_the_header_alone_counts() {
    let world = world(Method::SenderId, |_| {}).await;
    let false_one = heard(&world, MAIL, "From: alice@elsewhere.example").await;
    assert!(false_one.starts_with("550 5.7.1 Sender ID (PRA) Not Permitted - "), "{false_one}");
    let nobody = heard(&world, MAIL, "From: a@b.example\r\nFrom: c@d.example").await;
    assert!(nobody.starts_with("550 5.7.1 Missing Purported Responsible Address"), "{nobody}");
    assert!(heard(&world, MAIL, "From: alice@almamater.example").await.starts_with("250 "));
    let [mail] = &*world.mails() else { panic!("one message") };
    let results = quivive_mail::header::unfold(&mail.replace('\n', "\r\n"));
    let expected = "sender-id=pass header.from=alice@almamater.example";
    assert!(results.contains(expected), "{results}");
}

#[tokio::test]
async fn caller_id_reads_the_header_too() {
    let world = world(Method::CallerId, |_| {}).await;
    let false_one = heard(&world, MAIL, "From: alice@elsewhere.example").await;
    let expected =
        "550 5.7.1 Caller ID: 192.0.2.1 is not permitted to send mail for elsewhere.example";
    assert!(false_one.starts_with(expected), "{false_one}");
    assert!(heard(&world, MAIL, "From: alice@almamater.example").await.starts_with("250 "));
}

#[tokio::test]
async fn what_is_not_offered_is_not_taken() {
    let mail = format!("{MAIL} SUBMITTER=bob@almamater.example");
    let of_caller_id = world(Method::CallerId, |_| {}).await;
    let unwanted =
        world(Method::SenderId, |policy| policy.settings.sender_id_submitter = false).await;
    for world in [of_caller_id, unwanted] {
        let mut client = world.connect().await;
        assert!(!client.ask("EHLO c.example").await.text.contains("SUBMITTER"));
        assert_eq!(client.say(&mail).await, 555);
    }
}
