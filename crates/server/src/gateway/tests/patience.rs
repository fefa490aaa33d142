//! Time is paused here: it passes only while nothing else can happen.

use std::time::Duration;

use quivive_resolver::Resolver;
use tokio::time::{Instant, sleep, sleep_until};

use super::world::{FROM, TO, World, checker_with};
use crate::check::DNS_BUDGET;

#[tokio::test(start_paused = true)]
async fn an_idle_client_is_sent_away() {
    let world = World::maildir().await;
    let mut client = world.connect().await;
    let start = Instant::now();
    assert_eq!(client.reply().await.code, 421);
    let patience = world.gateway.settings().patience;
    assert_eq!(start.elapsed().as_secs(), patience.command.as_secs());
    assert!(client.is_closed().await);
}

#[tokio::test(start_paused = true)]
async fn a_command_at_one_octet_a_second_has_its_time() {
    let world = World::maildir().await;
    let mut client = world.connect().await;
    let seconds = world.gateway.settings().patience.command.as_secs();
    for _ in 0..seconds {
        client.send("N").await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(client.reply().await.code, 421);
}

#[tokio::test(start_paused = true)]
async fn a_message_at_one_octet_a_second_has_its_time() {
    let world = World::maildir().await;
    let mut client = world.open().await;
    assert_eq!(client.say("DATA").await, 354);
    let seconds = world.gateway.settings().patience.message.as_secs();
    for _ in 0..seconds {
        client.send("N").await;
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(client.reply().await.code, 421);
    assert!(client.is_closed().await);
    assert!(world.mails().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_stops_is_given_up() {
    let world = World::maildir().await;
    let mut client = world.open().await;
    assert_eq!(client.say("DATA").await, 354);
    client.send("Subject: half\r\n").await;
    let start = Instant::now();
    assert_eq!(client.reply().await.code, 421);
    let patience = world.gateway.settings().patience;
    assert_eq!(start.elapsed().as_secs(), patience.block.as_secs());
    assert!(client.is_closed().await);
    assert!(world.mails().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_talks_is_sent_away() {
    let world = World::maildir().await;
    let mut client = world.connect().await;
    let patience = world.gateway.settings().patience;
    let start = Instant::now();
    let mut next = start;
    while next < start + patience.quiet {
        sleep_until(next).await;
        assert_eq!(client.say("NOOP").await, 250);
        next += patience.command / 2;
    }
    assert_eq!(client.reply().await.code, 421);
    assert_eq!(start.elapsed().as_secs(), patience.quiet.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_left() {
    let world = World::maildir().await;
    let mut client = world.connect_by("192.0.2.1", 4096);
    // The answers are more than the pipe holds.
    client.send("HELP\r\n".repeat(500)).await;
    let start = Instant::now();
    client.leaves().await;
    let patience = world.gateway.settings().patience;
    assert_eq!(start.elapsed().as_secs(), patience.write.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_proxy_header_has_its_time() {
    let world = World::new(None, |settings| {
        settings.proxy_from = vec!["192.0.2.0/24".parse().unwrap()];
    })
    .await;
    let mut client = world.connect_from("192.0.2.1");
    client.send("PROXY ").await;
    assert!(client.is_closed().await);
}

#[tokio::test(start_paused = true)]
async fn a_silent_name_server_defers_and_is_not_waited_for_before_rcpt() {
    // Bound, and never read from.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = [silent.local_addr().unwrap()];
    let resolver = Resolver::from_servers(&servers, quivive_resolver::Settings::default());
    let world = World::judged_by(checker_with(resolver), None, |_| {}).await;
    let mut client = world.connect().await;
    let start = Instant::now();
    client.all(&["EHLO c.example", FROM]).await;
    assert_eq!(start.elapsed().as_millis(), 0);
    let reply = client.ask(TO).await;
    assert_eq!((reply.code, reply.enhanced.unwrap().to_string()), (451, "4.7.24".into()));
    assert!(start.elapsed() <= DNS_BUDGET, "{:?}", start.elapsed());
    // Whoever is gone meanwhile is not judged any longer.
    client.all(&["RSET", "MAIL FROM:<a@other.example>"]).await;
    client.hang_up().await;
}
