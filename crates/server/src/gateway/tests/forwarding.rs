//! Mail that leads elsewhere: aliases, and bounces that come home.

use std::sync::Arc;

use quivive_mail::Aliases;

use super::world::{Answer, FROM, Next, World, checker};
use crate::gateway::{Forwarding, Gateway, GatewayError, Settings};
use crate::next_hop::{Dialect, NextHop, Security};
use crate::srs::FORGERIES_MAX;
use crate::srs::sample::{rewriter, rewritten};

const MESSAGE: &str = "Subject: hello\r\n\r\nHow are you?\r\n";

const TABLE: &str = "info@here.example far@there.example\n\
    team@here.example one@there.example, two@elsewhere.example\n\
    local@here.example b@here.example c@here.example\n\
    gr\u{fc}n@here.example gr\u{fc}n@there.example\nvert@here.example gr\u{fc}n@there.example\n\
    postmaster@fwd.example b@here.example\n";

fn forwarding(table: &str, relay: Option<&Next>) -> Forwarding {
    let relay = relay.map(|relay| match relay.hop(Dialect::Smtp) {
        NextHop::Remote(target) => (target, Security::default()),
        NextHop::Maildir(_) => unreachable!("it is a server"),
    });
    let aliases = Arc::new(Aliases::parse(table).unwrap());
    Forwarding { aliases, rewriter: Some(rewriter()), relay }
}

async fn world(next: &Next, relay: &Next) -> World {
    World::new(Some(next), |settings| settings.forwarding = forwarding(TABLE, Some(relay))).await
}

/// The commands that a server heard, without its greeting's.
fn commands(next: &Next) -> Vec<String> {
    let polite = |line: &String| {
        ["connect", "EHLO", "QUIT", "RSET"].iter().any(|word| line.starts_with(word))
    };
    next.heard().into_iter().filter(|line| !polite(line)).collect()
}

#[tokio::test]
async fn an_alias_leads_elsewhere_under_our_reverse_path() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM, "RCPT TO:<info@here.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let ours = rewritten("a@pass.example");
    let heard = commands(&relay);
    assert_eq!(heard[0], format!("MAIL FROM:<{ours}>"));
    assert_eq!(heard[1..3], ["RCPT TO:<far@there.example>", "DATA"]);
    assert!(relay.contents()[0].contains("spf=pass"), "{:?}", relay.contents());
    assert_eq!(commands(&next), [""; 0]);
}

#[tokio::test]
async fn an_alias_for_several_is_taken_as_a_whole_or_not_at_all() {
    let next = Next::well().await;
    let relay = Next::new(|line| match line.contains("two@") {
        true => Answer::Say("550 5.1.1 <two@elsewhere.example> unknown\r\n"),
        false => Answer::Well,
    })
    .await;
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM, "RCPT TO:<info@here.example>"]).await;
    let refusal = client.ask("RCPT TO:<team@here.example>").await;
    assert_eq!(refusal.code, 550);
    assert!(!refusal.text.contains("elsewhere"), "it names whom the alias stands for: {refusal}");
    assert_eq!(client.message(MESSAGE).await.code, 250);
    // What was taken back is in no envelope that was followed by a message.
    let heard = commands(&relay);
    let last = heard.iter().rposition(|line| line.starts_with("MAIL")).unwrap();
    assert_eq!(heard[last + 1..last + 3], ["RCPT TO:<far@there.example>", "DATA"]);
    assert_eq!(relay.contents().len(), 1);
}

#[tokio::test]
async fn the_first_refused_alias_leaves_nothing_behind() {
    let next = Next::well().await;
    let relay = Next::new(|line| match line.contains("two@") {
        true => Answer::Say("450 4.2.0 later\r\n"),
        false => Answer::Well,
    })
    .await;
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM]).await;
    assert_eq!(client.say("RCPT TO:<team@here.example>").await, 450);
    assert_eq!(client.say("RCPT TO:<info@here.example>").await, 250);
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let heard = commands(&relay);
    let last = heard.iter().rposition(|line| line.starts_with("MAIL")).unwrap();
    assert_eq!(heard[last + 1..last + 3], ["RCPT TO:<far@there.example>", "DATA"]);
}

#[tokio::test]
async fn what_goes_another_way_comes_again() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM, "RCPT TO:<b@here.example>"]).await;
    let reply = client.ask("RCPT TO:<info@here.example>").await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (452, "4.5.3".to_owned()));
    client.all(&["RCPT TO:<local@here.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    client.all(&[FROM, "RCPT TO:<info@here.example>"]).await;
    assert_eq!(client.say("RCPT TO:<b@here.example>").await, 452);
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let to_next = ["MAIL FROM:<a@pass.example>", "RCPT TO:<b@here.example>"];
    assert_eq!(commands(&next)[..2], to_next);
    assert_eq!((next.contents().len(), relay.contents().len()), (1, 1));
}

#[tokio::test]
async fn an_alias_for_addresses_here_stays_here() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM, "RCPT TO:<local@here.example>"]).await;
    // The mailbox that each domain has, also one for forwarding alone.
    client.all(&["RCPT TO:<postmaster@fwd.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let heard = commands(&next);
    assert_eq!(heard[..3], [FROM, "RCPT TO:<b@here.example>", "RCPT TO:<c@here.example>"]);
    assert_eq!(commands(&relay), [""; 0]);
}

#[tokio::test]
async fn a_bounce_comes_home() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let ours = rewritten("user@pass.example");
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<>", &format!("RCPT TO:<{ours}>")]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let expected = ["MAIL FROM:<>", "RCPT TO:<user@pass.example>", "DATA"];
    assert_eq!(commands(&relay)[..3], expected);
    assert_eq!(commands(&next), [""; 0]);
}

#[tokio::test]
async fn who_writes_to_a_forwarding_address() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let ours = rewritten("user@pass.example");
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<MAILER-DAEMON@pass.example>"]).await;
    assert_eq!(client.say(&format!("RCPT TO:<{ours}>")).await, 250);
    client.all(&["RSET", FROM]).await;
    let reply = client.ask(&format!("RCPT TO:<{ours}>")).await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (550, "5.7.1".to_owned()));
    client.all(&["RSET", "MAIL FROM:<>"]).await;
    let day_ago = "SRS0=aaaa=AA=pass.example=user@fwd.example";
    for (recipient, status, text) in [
        (&*ours.replace("user@", "used@"), "5.1.1", "Hash invalid"),
        ("SRS0=x@fwd.example", "5.1.1", "No timestamp"),
        ("SRS1=x@fwd.example", "5.1.1", "No host"),
        (day_ago, "5.1.1", ""),
        ("user@fwd.example", "5.1.1", "no such forwarding address"),
        ("user=pass.example@fwd.example", "5.1.1", "Unsigned forwarding address"),
        (&*ours.replace("fwd.example", "elsewhere.example"), "5.7.1", "not taken here"),
    ] {
        let reply = client.ask(&format!("RCPT TO:<{recipient}>")).await;
        let heard = (reply.code, reply.enhanced.unwrap().to_string());
        assert_eq!(heard, (550, status.to_owned()), "{recipient}");
        assert!(reply.text.contains(text), "{recipient}: {reply}");
    }
    assert_eq!(commands(&next), [""; 0]);
}

#[tokio::test]
async fn the_early_form_where_it_is_listed_and_where_it_is_a_tag() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<>"]).await;
    client.all(&["RCPT TO:<user=pass.example@old.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert_eq!(commands(&relay)[1], "RCPT TO:<user@pass.example>");
    // At a domain whose mail we take it may be anything.
    client.all(&["MAIL FROM:<>", "RCPT TO:<list+user=pass.example@here.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert_eq!(commands(&next)[1], "RCPT TO:<list+user=pass.example@here.example>");
}

#[tokio::test]
async fn guessing_is_cut_short() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let ours = rewritten("user@pass.example");
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<>"]).await;
    for guess in 0..FORGERIES_MAX {
        let forged = format!("RCPT TO:<{}>", ours.replace("user@", &format!("user{guess}@")));
        assert_eq!(client.say(&forged).await, 550, "{guess}");
    }
    // Not even a right one is told from a wrong one now; whoever is elsewhere hears of nothing.
    assert_eq!(client.say(&format!("RCPT TO:<{ours}>")).await, 451);
    assert_eq!(client.say("RCPT TO:<b@here.example>").await, 250);
    let mut other = world.connect_from("192.0.2.2");
    assert_eq!(other.reply().await.code, 220);
    other.all(&["EHLO d.example", "MAIL FROM:<>", &format!("RCPT TO:<{ours}>")]).await;
}

#[tokio::test]
async fn who_is_refused_for_whom_he_is_reaches_no_relay() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", "MAIL FROM:<a@fail.example>"]).await;
    assert_eq!(client.say("RCPT TO:<info@here.example>").await, 550);
    assert_eq!(commands(&relay), [""; 0]);
}

#[tokio::test]
async fn a_relay_that_is_down_defers_what_leads_there() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    relay.stop().await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM]).await;
    assert_eq!(client.say("RCPT TO:<info@here.example>").await, 451);
    assert_eq!(client.say("RCPT TO:<b@here.example>").await, 250);
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert_eq!(next.contents().len(), 1);
}

#[tokio::test]
async fn a_relay_is_asked_for_what_the_message_needs() {
    let next = Next::well().await;
    let relay = Next::new(|line| match line.starts_with("EHLO") {
        true => Answer::Say("250-relay.example\r\n250 PIPELINING\r\n"),
        false => Answer::Well,
    })
    .await;
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", &format!("{FROM} BODY=8BITMIME")]).await;
    assert_eq!(client.say("RCPT TO:<info@here.example>").await, 554);
    client.all(&["RSET", FROM]).await;
    // An address behind the alias needs it.
    assert_eq!(client.say("RCPT TO:<vert@here.example>").await, 553);
    assert_eq!(client.say("RCPT TO:<info@here.example>").await, 250);
    assert_eq!(client.message(MESSAGE).await.code, 250);
}

#[tokio::test]
async fn an_alias_to_an_international_address_is_sent_so() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM, "RCPT TO:<vert@here.example>"]).await;
    assert_eq!(client.say("RCPT TO:<info@here.example>").await, 452);
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let heard = commands(&relay);
    assert!(heard[0].ends_with(" SMTPUTF8"), "{heard:?}");
    assert_eq!(heard[1], "RCPT TO:<gr\u{fc}n@there.example>");
}

#[tokio::test]
async fn a_sender_that_would_become_too_long_stays_as_it_is() {
    let (next, relay) = (Next::well().await, Next::well().await);
    let world = world(&next, &relay).await;
    let mut client = world.connect().await;
    let from = format!("MAIL FROM:<{}@pass.example>", "a".repeat(60));
    client.all(&["EHLO c.example", &from, "RCPT TO:<info@here.example>"]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert_eq!(commands(&relay)[0], from);
}

#[tokio::test]
async fn the_null_sender_and_our_own_stay_as_they_are() {
    for from in ["MAIL FROM:<>", "MAIL FROM:<user@here.example>"] {
        let (next, relay) = (Next::well().await, Next::well().await);
        let world = world(&next, &relay).await;
        let mut client = world.connect().await;
        client.all(&["EHLO c.example", from, "RCPT TO:<info@here.example>"]).await;
        assert_eq!(client.message(MESSAGE).await.code, 250);
        assert_eq!(commands(&relay)[0], from);
    }
}

#[tokio::test]
async fn aliases_that_cannot_be_are_named_when_the_gateway_is_made() {
    let next = Next::well().await;
    let made = async |table: &str, with_relay: bool, dialect| {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new("mx.example", next.hop(dialect));
        settings.recipient_domains = vec!["here.example".to_owned()];
        settings.spool_folder = folder.path().to_owned();
        settings.forwarding = forwarding(table, with_relay.then_some(&next));
        match Gateway::new(settings, checker()).await {
            Ok(_) => String::new(),
            Err(error @ GatewayError::Alias { .. }) => error.to_string(),
            Err(error) => panic!("{error}"),
        }
    };
    let mixed = "a@here.example a@here.example, b@there.example";
    let text = made(mixed, true, Dialect::Smtp).await;
    assert!(
        text.starts_with("the alias `a@here.example` cannot be: it leads to addresses here and")
    );
    let far = "a@here.example b@there.example";
    let text = made(far, false, Dialect::Smtp).await;
    assert!(text.contains("names no relay"), "{text}");
    let two = "a@here.example b@here.example c@here.example";
    let text = made(two, true, Dialect::Lmtp).await;
    assert!(text.contains("LMTP takes one at a time"), "{text}");
    for (table, dialect) in [(far, Dialect::Smtp), (two, Dialect::Smtp), (far, Dialect::Lmtp)] {
        assert_eq!(made(table, true, dialect).await, "");
    }
}
