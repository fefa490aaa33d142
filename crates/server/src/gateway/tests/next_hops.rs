use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::world::{Answer, FROM, Next, TO, World};
use crate::gateway::Settings;
use crate::next_hop::{CONNECTIONS_MAX, CROWDED_WAIT, Dialect, NextHop, OFFER_TIME, Place, Target};

const MESSAGE: &str = "Subject: hello\r\n\r\nHow are you?\r\n";

/// A next hop that answers one line in its own way.
async fn answering(line: &'static str, answer: fn() -> Answer) -> Next {
    Next::new(move |heard| match heard.starts_with(line) && heard.is_empty() == line.is_empty() {
        true => answer(),
        false => Answer::Well,
    })
    .await
}

#[tokio::test]
async fn down_and_never_known_is_421_at_ehlo_and_451_at_rcpt() {
    let next = Next::well().await;
    let address = next.stop().await;
    let place = Place::Tcp(address.ip().to_string(), address.port());
    let target = Target { dialect: Dialect::Smtp, place };
    let world = World::new(None, |settings| settings.next_hop = NextHop::Remote(target)).await;
    let mut client = world.connect().await;
    let refusal = client.ask("EHLO c").await;
    assert_eq!((refusal.code, refusal.enhanced.unwrap().to_string()), (421, "4.4.1".into()));
    assert!(client.is_closed().await);
    let mut client = world.connect().await;
    client.all(&["HELO c", FROM]).await;
    for _ in 0..2 {
        let reply = client.ask(TO).await;
        assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (451, "4.4.1".into()));
    }
}

#[tokio::test]
async fn refusals_at_each_stage_come_back() {
    for (line, answer, rcpt, end) in [
        ("", Answer::Say as fn(_) -> _, 451, None),
        ("EHLO", Answer::Say, 451, None),
        ("MAIL", Answer::Say, 450, None),
        ("RCPT", Answer::Say, 450, None),
        ("DATA", Answer::Say, 250, Some(450)),
        (".", Answer::Say, 250, Some(450)),
        ("", Answer::SayAndClose, 451, None),
        ("MAIL", Answer::SayAndClose, 450, None),
        ("DATA", Answer::SayAndClose, 250, Some(450)),
    ] {
        let next = Next::new(move |heard| {
            let here = heard.starts_with(line) && heard.is_empty() == line.is_empty();
            if here { answer("450 4.2.0 not now\r\n") } else { Answer::Well }
        })
        .await;
        let world = World::before(&next).await;
        let mut client = world.connect().await;
        client.all(&["HELO c.example", FROM]).await;
        assert_eq!(client.say(TO).await, rcpt, "{line}");
        if let Some(end) = end {
            assert_eq!(client.message(MESSAGE).await.code, end, "{line}");
        } else {
            assert_eq!(client.say("DATA").await, 554, "{line}");
        }
        // The session goes on as well as it can.
        client.all(&["RSET", FROM]).await;
        assert_eq!(client.say(TO).await, rcpt, "{line}");
    }
}

#[tokio::test]
async fn permanent_refusals_stay_permanent() {
    let next = answering("RCPT", || Answer::Say("550 No such user\r\n")).await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM]).await;
    let reply = client.ask(TO).await;
    assert_eq!(reply.to_string(), "550 5.0.0 No such user");
}

#[tokio::test]
async fn lost_at_each_stage_is_451() {
    for (line, at_rcpt) in
        [("", true), ("EHLO", true), ("MAIL", true), ("DATA", false), (".", false)]
    {
        let next = answering(line, || Answer::Close).await;
        let world = World::before(&next).await;
        let mut client = world.connect().await;
        client.all(&["HELO c.example", FROM]).await;
        let reply = client.ask(TO).await;
        if at_rcpt {
            assert_eq!(reply.code, 451, "{line}");
        } else {
            assert_eq!(reply.code, 250, "{line}");
            assert_eq!(client.message(MESSAGE).await.code, 451, "{line}");
        }
    }
}

#[tokio::test]
async fn a_421_of_the_next_hop_does_not_close_our_client() {
    let next = answering("RCPT", || Answer::SayAndClose("421 4.3.2 going down\r\n")).await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c.example", FROM]).await;
    let reply = client.ask(TO).await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (451, "4.3.2".into()));
    assert_eq!(client.say("NOOP").await, 250);
}

#[tokio::test]
async fn only_a_positive_answer_to_the_end_is_one() {
    for (line, say) in [
        ("DATA", "250 odd\r\n"),
        ("DATA", "354 go on\r\n250 early\r\n"),
        ("DATA", "354 go on\r\n550 early\r\n"),
        (".", "354 odd\r\n"),
        (".", "garbage\r\n"),
        (".", "221 bye\r\n"),
        (".", "251 elsewhere\r\n"),
        ("RCPT TO:<b@here.example>", "250 fine\r\n250 once more\r\n"),
    ] {
        let next = Next::new(move |heard| match heard == line {
            true => Answer::Say(say),
            false => Answer::Well,
        })
        .await;
        let world = World::before(&next).await;
        let mut client = world.open().await;
        assert_eq!(client.message(MESSAGE).await.code, 451, "{line}");
    }
}

#[tokio::test]
async fn one_connection_serves_many_messages_and_clients() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    for _ in 0..3 {
        let mut client = world.open().await;
        assert_eq!(client.message(MESSAGE).await.code, 250);
        client.all(&[FROM, TO]).await;
        assert_eq!(client.message(MESSAGE).await.code, 250);
        assert_eq!(client.say("QUIT").await, 221);
        assert!(client.is_closed().await);
    }
    assert_eq!(next.contents().len(), 6);
    assert_eq!(next.heard().iter().filter(|line| *line == "connect").count(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_made_again() {
    let next = answering(".", || Answer::SayAndClose("250 2.0.0 fine\r\n")).await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    for _ in 0..2 {
        assert_eq!(client.message(MESSAGE).await.code, 250);
        client.all(&[FROM, TO]).await;
    }
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert_eq!(next.contents().len(), 3);
}

#[tokio::test]
async fn what_was_begun_and_given_up_is_reset() {
    let next = Next::well().await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    client.all(&["RSET", FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let heard = next.heard();
    let rset = heard.iter().position(|line| line == "RSET").unwrap();
    assert!(heard[rset + 1].starts_with("MAIL"), "{heard:?}");
    assert_eq!(next.contents().len(), 1);
}

#[tokio::test]
async fn the_next_hop_may_only_know_helo() {
    let next = answering("EHLO", || Answer::Say("500 what\r\n")).await;
    let world = World::before(&next).await;
    let mut client = world.connect().await;
    assert!(!client.ask("EHLO c").await.text.contains("8BITMIME"));
    client.all(&[FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert!(next.heard().contains(&"HELO mx.example".to_owned()));
}

#[tokio::test]
async fn the_client_is_stated_where_that_is_wanted() {
    let next = Next::well().await;
    let world = World::new(Some(&next), |settings| settings.xclient_to_next_hop = true).await;
    let mut client = world.open().await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    client.hang_up().await;
    let xclient = "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1 PORT=1000 PROTO=ESMTP HELO=c.example";
    let expected = ["connect", "EHLO mx.example", xclient, "EHLO mx.example", FROM, TO];
    assert_eq!(next.heard()[2..8], expected);
    // Nobody else gets this connection.
    let mut client = world.open().await;
    assert_eq!(client.say("RSET").await, 250);
    // The first EHLO asked over one of its own.
    assert_eq!(next.heard().iter().filter(|line| *line == "connect").count(), 3);
}

#[tokio::test]
async fn a_crowd_shares_connections_and_slow_ones_keep_nobody_out() {
    let next = Next::well().await;
    let many = |settings: &mut Settings| settings.connections_per_address = 100;
    let world = World::new(Some(&next), many).await;
    let mut slow = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        slow.push(world.open().await);
    }
    let connections = || next.heard().iter().filter(|line| *line == "connect").count();
    assert_eq!(connections(), CONNECTIONS_MAX);
    // Another one waits until one is done, and takes over its connection.
    let mut patient = world.connect().await;
    assert!(patient.ask("EHLO c").await.text.contains("8BITMIME"));
    assert_eq!(patient.say(FROM).await, 250);
    patient.send(format!("{TO}\r\n")).await;
    assert_eq!(slow[0].message(MESSAGE).await.code, 250);
    assert_eq!(patient.reply().await.code, 250);
    assert_eq!(connections(), CONNECTIONS_MAX);
    // If none is done in time, there is one more.
    let mut unlucky = world.connect().await;
    unlucky.all(&["EHLO c", FROM]).await;
    unlucky.send(format!("{TO}\r\n")).await;
    tokio::time::pause();
    tokio::time::sleep(CROWDED_WAIT * 2).await;
    tokio::time::resume();
    assert_eq!(unlucky.reply().await.code, 250);
    assert_eq!(connections(), CONNECTIONS_MAX + 1);
}

/// A next hop that tires of waiting for DATA, and may then take less than before.
async fn tired(word: &'static str, then: (&'static str, &'static str)) -> Next {
    let tired = AtomicBool::new(false);
    Next::new(move |heard| {
        if heard == "DATA" && !tired.swap(true, Ordering::Relaxed) {
            return Answer::SayAndClose(word);
        }
        let refuses = heard.starts_with(then.0) && tired.load(Ordering::Relaxed);
        if refuses { Answer::Say(then.1) } else { Answer::Well }
    })
    .await
}

#[tokio::test]
async fn a_next_hop_that_waited_too_long_for_the_message_is_asked_again() {
    for word in ["421 4.4.2 timeout exceeded\r\n", ""] {
        let next = tired(word, ("nothing", "")).await;
        let world = World::before(&next).await;
        let mut client = world.open().await;
        client.all(&["RCPT TO:<c@here.example>"]).await;
        assert_eq!(client.message(MESSAGE).await.code, 250, "{word}");
        assert_eq!(next.contents().len(), 1);
        let heard = next.heard();
        let again = heard.iter().rposition(|line| line == "EHLO mx.example").unwrap();
        let expected = [FROM, TO, "RCPT TO:<c@here.example>", "DATA"];
        assert_eq!(heard[again + 1..again + 5], expected);
    }
}

#[tokio::test]
async fn what_is_not_accepted_again_is_refused() {
    let no = "550 5.1.1 no such user\r\n";
    let word = "421 4.4.2 timeout exceeded\r\n";
    for then in [("MAIL", no), ("RCPT TO:<b@", no), ("RCPT TO:<c@", no)] {
        let next = tired(word, then).await;
        let world = World::before(&next).await;
        let mut client = world.open().await;
        client.all(&["RCPT TO:<c@here.example>"]).await;
        assert_eq!(client.message(MESSAGE).await.code, 550, "{then:?}");
        assert!(next.contents().is_empty());
    }
    // Once is enough.
    let next = answering("DATA", || Answer::SayAndClose("421 4.4.2 timeout exceeded\r\n")).await;
    let world = World::before(&next).await;
    let mut client = world.open().await;
    assert_eq!(client.message(MESSAGE).await.code, 451);
    assert_eq!(next.heard().iter().filter(|line| *line == "DATA").count(), 2);
}

#[tokio::test]
async fn a_connection_that_talks_out_of_turn_is_not_used_again() {
    for xclient in [false, true] {
        let next = answering(".", || Answer::Say("250 fine\r\n250 once more\r\n")).await;
        let world =
            World::new(Some(&next), |settings| settings.xclient_to_next_hop = xclient).await;
        let mut client = world.open().await;
        assert_eq!(client.message(MESSAGE).await.code, 250);
        client.all(&[FROM, TO]).await;
        assert_eq!(client.message(MESSAGE).await.code, 250);
        assert_eq!(next.contents().len(), 2);
        let heard = next.heard();
        let [first, second] = [1, 2].map(|n| {
            let dots = heard.iter().enumerate().filter(|(_, line)| line.starts_with("content"));
            dots.map(|(at, _)| at).nth(n - 1).unwrap()
        });
        assert!(heard[first..second].contains(&"connect".to_owned()), "{heard:?}");
    }
}

fn connections(next: &Next) -> usize {
    next.heard().iter().filter(|line| *line == "connect").count()
}

#[tokio::test]
async fn ehlo_holds_no_connection_and_mostly_makes_none() {
    let next = answering("MAIL", || Answer::Say("450 4.2.0 not now\r\n")).await;
    let world = World::new(Some(&next), |settings| settings.xclient_to_next_hop = true).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(world.connect().await);
        let text = clients.last_mut().unwrap().ask("EHLO c").await.text;
        assert!(text.contains("8BITMIME"), "{text}");
    }
    assert_eq!(connections(&next), 1);
    // Nor does a transaction that was refused.
    let world = World::before(&next).await;
    for _ in 0..20 {
        clients.push(world.connect().await);
        let client = clients.last_mut().unwrap();
        client.all(&["EHLO c", FROM]).await;
        assert_eq!(client.say(TO).await, 450);
    }
    assert_eq!(connections(&next), 2);
}

#[tokio::test]
async fn an_outage_takes_nothing_from_what_is_offered() {
    let silent = Arc::new(AtomicBool::new(false));
    let now = silent.clone();
    let next = Next::new(move |line| match line.is_empty() && now.load(Ordering::Relaxed) {
        true => Answer::SayAndClose("421 4.3.2 going down\r\n"),
        false => Answer::Well,
    })
    .await;
    let world = World::before(&next).await;
    let before = world.connect().await.ask("EHLO c").await.text;
    assert!(before.contains("8BITMIME"), "{before}");
    silent.store(true, Ordering::Relaxed);
    tokio::time::pause();
    tokio::time::advance(OFFER_TIME * 2).await;
    tokio::time::resume();
    for _ in 0..2 {
        assert_eq!(world.connect().await.ask("EHLO c").await.text, before);
    }
    // It was asked again, but once.
    assert_eq!(connections(&next), 2);
}

#[tokio::test]
async fn a_next_hop_that_cannot_be_told_the_client_gets_no_mail() {
    let offer = || Answer::Say("250-next.example\r\n250 8BITMIME\r\n");
    let next = answering("EHLO", offer).await;
    let world = World::new(Some(&next), |settings| settings.xclient_to_next_hop = true).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c", FROM]).await;
    for _ in 0..2 {
        let reply = client.ask(TO).await;
        assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (451, "4.3.5".into()));
    }
    assert!(!next.heard().iter().any(|line| line.starts_with("MAIL")));
}
