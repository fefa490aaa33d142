//! Time is paused here: it passes only while nothing else can happen.

use super::trust::Trust;
use super::world::{FROM, TO, World};
use crate::gateway::{Settings, TlsMode};

const MESSAGE: &str = "Subject: hello\r\n\r\nHow are you?\r\n";

#[tokio::test(start_paused = true)]
async fn an_address_has_so_many_connections() {
    let world = World::new(None, |settings| settings.connections_per_address = 2).await;
    let first = world.connect().await;
    let _second = world.connect().await;
    let mut third = world.connect_from("192.0.2.1");
    assert_eq!(third.reply().await.code, 421);
    assert!(third.is_closed().await);
    assert_eq!(world.connect_from("192.0.2.2").reply().await.code, 220);
    first.hang_up().await;
    world.connect().await;
    // Loopback is exempt.
    let mut local = Vec::new();
    for _ in 0..3 {
        local.push(world.connect_from("127.0.0.1"));
        assert_eq!(local.last_mut().unwrap().reply().await.code, 220);
    }
}

#[tokio::test(start_paused = true)]
async fn a_last_word_reaches_a_client_that_is_still_sending() {
    let world = World::maildir().await;
    let mut client = world.connect().await;
    // More than the pipe holds: only if it is read to its end is all of it sent.
    client.send("EHLO c\n".repeat(200_000)).await;
    assert_eq!(client.reply().await.code, 521);
    assert!(client.is_closed().await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_stops_is_not_listened_to_for_ever() {
    let world = World::maildir().await;
    let mut client = world.connect_by("192.0.2.1", 4096);
    client.send("EHLO c\n").await;
    // It neither reads nor closes.
    client.leaves().await;
}

#[tokio::test(start_paused = true)]
async fn strangers_state_nothing() {
    let world = World::maildir().await;
    let mut client = world.connect_from("192.0.2.1");
    client.send("PROXY TCP4 198.51.100.1 198.51.100.2 1 2\r\n").await;
    assert_eq!((client.reply().await.code, client.reply().await.code), (220, 500));
    client.all(&["EHLO c"]).await;
    assert_eq!(client.say("XCLIENT ADDR=198.51.100.1").await, 550);
}

#[tokio::test(start_paused = true)]
async fn listed_peers_must_send_a_proxy_header() {
    let listed = |settings: &mut Settings| {
        settings.proxy_from = vec!["192.0.2.0/24".parse().unwrap()];
        settings.connections_per_address = 1;
    };
    let world = World::new(None, listed).await;
    let header = "PROXY TCP4 198.51.100.1 198.51.100.2 1 2\r\n";
    let mut client = world.connect_from("192.0.2.1");
    client.send(format!("{header}EHLO c\r\n{FROM}\r\n{TO}\r\n")).await;
    for code in [220, 250, 250, 250] {
        assert_eq!(client.reply().await.code, code);
    }
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert!(world.mails()[0].contains("[198.51.100.1]"), "{}", world.mails()[0]);
    // The address that is stated counts.
    let mut second = world.connect_from("192.0.2.1");
    second.send(header).await;
    assert_eq!(second.reply().await.code, 421);
    // Without the header there is nothing to talk about.
    let mut third = world.connect_from("192.0.2.1");
    third.send("EHLO c\r\n").await;
    assert!(third.is_closed().await);
    assert_eq!(world.connect_from("203.0.113.1").reply().await.code, 220);
}

#[tokio::test(start_paused = true)]
async fn listed_peers_may_state_a_client() {
    let world = World::new(None, |settings| {
        settings.xclient_from = vec!["192.0.2.1/32".parse().unwrap()];
    })
    .await;
    let mut client = world.connect().await;
    assert!(client.ask("EHLO upstream.example").await.text.contains("XCLIENT"));
    let xclient = "XCLIENT ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE] HELO=stated.example LOGIN=joe";
    assert_eq!(client.say(xclient).await, 220);
    client.all(&["EHLO upstream.example", FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let mail = &world.mails()[0];
    assert!(mail.contains("from stated.example ([IPv6:2001:db8::1])"), "{mail}");
    assert!(mail.contains("ESMTPA"), "{mail}");
    // Whatever it states, the peer is the one that is listed.
    assert_eq!(client.say("XCLIENT ADDR=192.0.2.77").await, 220);
}

#[tokio::test(start_paused = true)]
async fn a_stated_client_has_nothing_of_the_one_before() {
    let world = World::new(None, |settings| {
        settings.xclient_from = vec!["192.0.2.1/32".parse().unwrap()];
    })
    .await;
    let mut client = world.connect().await;
    client.all(&["EHLO upstream.example"]).await;
    // In two lines, as what is long comes.
    client.all(&["XCLIENT ADDR=198.51.100.1 NAME=first.example LOGIN=joe"]).await;
    client.all(&["EHLO upstream.example", "XCLIENT PROTO=SMTP HELO=first.example"]).await;
    client.all(&["EHLO upstream.example", FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    client.all(&["XCLIENT ADDR=198.51.100.2 HELO=[UNAVAILABLE] PROTO=[TEMPUNAVAIL]"]).await;
    assert_eq!(client.say(FROM).await, 503);
    client.all(&["EHLO second.example", FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    let mails = world.mails();
    let find = |from: &str| mails.iter().any(|mail| mail.contains(from));
    assert!(find("from first.example (first.example [198.51.100.1])"), "{mails:?}");
    assert!(find("from second.example ([198.51.100.2])"), "{mails:?}");
    // An unknown address is neither the upstream's nor the last client's.
    for address in ["[UNAVAILABLE]", "[TEMPUNAVAIL]"] {
        client.all(&[&format!("XCLIENT ADDR={address} HELO=third.example")]).await;
        client.all(&["EHLO upstream.example"]).await;
        let reply = client.ask(FROM).await;
        assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (451, "4.7.0".into()));
        assert_eq!(client.say(TO).await, 503);
    }
    client.all(&["XCLIENT ADDR=198.51.100.3", "EHLO upstream.example", FROM]).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_talks_first_goes_on_unless_it_is_waited_for() {
    let world = World::maildir().await;
    let mut client = world.connect_from("192.0.2.1");
    client.send("EHLO c\r\n").await;
    assert_eq!((client.reply().await.code, client.reply().await.code), (220, 250));

    let delay = std::time::Duration::from_millis(200);
    let world = World::new(None, |settings| settings.greeting_delay = delay).await;
    let mut client = world.connect_from("192.0.2.1");
    client.send("EHLO c\r\n").await;
    assert_eq!(client.reply().await.code, 554);
    assert!(client.is_closed().await);
}

#[tokio::test(start_paused = true)]
async fn starttls_forgets_what_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::new(folder.path(), TlsMode::StartTls);
    let world = World::new(None, |settings| settings.tls = Some(trust.tls.clone())).await;
    let mut client = world.connect().await;
    assert!(client.ask("EHLO c").await.text.contains("STARTTLS"));
    assert_eq!(client.say("STARTTLS").await, 220);
    let mut client = trust.handshake(client).await;
    assert_eq!(client.say(FROM).await, 503);
    assert!(!client.ask("EHLO c").await.text.contains("STARTTLS"));
    assert_eq!(client.say("STARTTLS").await, 502);
    client.all(&[FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
    assert!(world.mails()[0].contains("with ESMTPS"), "{}", world.mails()[0]);
}

#[tokio::test(start_paused = true)]
async fn plaintext_behind_starttls_is_not_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::new(folder.path(), TlsMode::StartTls);
    let world = World::new(None, |settings| settings.tls = Some(trust.tls.clone())).await;
    let mut client = world.connect().await;
    client.all(&["EHLO c"]).await;
    client.send("STARTTLS\r\nRSET\r\nNOOP\r\n").await;
    assert_eq!(client.reply().await.code, 220);
    let mut client = trust.handshake(client).await;
    // The first answer under TLS is to the first command under TLS.
    assert!(client.ask("EHLO c").await.text.contains("SIZE"));
}

#[tokio::test(start_paused = true)]
async fn implicit_tls_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust::new(folder.path(), TlsMode::Implicit);
    let world = World::new(None, |settings| settings.tls = Some(trust.tls.clone())).await;
    let mut client = trust.handshake(world.connect_from("192.0.2.1")).await;
    assert_eq!(client.reply().await.code, 220);
    client.all(&["EHLO c", FROM, TO]).await;
    assert_eq!(client.message(MESSAGE).await.code, 250);
}

#[tokio::test(start_paused = true)]
async fn idle_clients_are_sent_away_when_the_daemon_ends_and_transactions_finish() {
    let world = World::maildir().await;
    let mut idle = world.connect().await;
    let mut busy = world.open().await;
    world.drain.send_replace(true);
    assert_eq!(
        idle.reply().await.to_string(),
        "421 4.3.2 The server is going down; come again later"
    );
    assert!(idle.is_closed().await);
    assert_eq!(busy.message(MESSAGE).await.code, 250);
    assert_eq!(busy.reply().await.code, 421);
    assert!(busy.is_closed().await);
    assert_eq!(world.mails().len(), 1);
}
