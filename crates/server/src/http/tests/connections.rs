//! Clients that say nothing, too much, too slowly, or go away.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::world::{World, about};
use crate::gateway::Arrival;
use crate::http::{BODY_TIME, LARGE_AT_ONCE, REQUEST_OCTETS_MAX, SMALL_OCTETS_MAX, converse};
use crate::listener::{Access, Address};
use crate::seats::Seats;
use crate::server::{DRAIN_TIME, Door, Listener, Server, Web};

struct Client {
    stream: DuplexStream,
    session: JoinHandle<()>,
    _drain: watch::Sender<bool>,
}

impl Client {
    fn connect(world: &World) -> Self {
        let (stream, theirs) = duplex(1 << 16);
        let (tell, drain) = watch::channel(false);
        let peer: Option<SocketAddr> = Some(([192, 0, 2, 7], 1000).into());
        let seats = std::sync::Arc::new(Seats::default());
        let arrival = Arrival { stream: Box::new(theirs), peer, seats, drain };
        let session = tokio::spawn(converse(world.api.clone(), None, arrival));
        Self { stream, session, _drain: tell }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// The head of the next answer, as far as it comes at once.
    async fn hear(&mut self) -> String {
        let mut octets = vec![0; 8192];
        let count = self.stream.read(&mut octets).await.unwrap();
        String::from_utf8_lossy(&octets[..count]).into_owned()
    }
}

/// A listener of its own.
async fn serve(world: &World) -> (Server, SocketAddr) {
    let address = Address::Tcp(([127, 0, 0, 1], 0).into());
    let listener = Listener {
        address,
        access: Access::default(),
        door: Door::Http(Web { pages: world.api.clone(), tls: None }),
    };
    let server = Server::start(vec![listener], DRAIN_TIME).await;
    let server = server.unwrap_or_else(|(_, error)| panic!("{error}"));
    let Some(("http", Address::Tcp(address))) = server.addresses().next() else { panic!("TCP") };
    let address = *address;
    (server, address)
}

fn head(world: &World, more: &str) -> String {
    let token = &world.token;
    format!("POST /v1/check HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}\r\n\r\n")
}

fn whole(world: &World) -> String {
    let body = about("a@pass.example").to_string();
    format!("{}{body}", head(world, &format!("content-length: {}", body.len())))
}

#[tokio::test]
async fn a_connection_takes_several_requests() {
    let world = World::without_store();
    let mut client = Client::connect(&world);
    for _ in 0..3 {
        client.say(&whole(&world)).await;
        assert!(client.hear().await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[tokio::test]
async fn a_large_body_is_taken_and_a_larger_one_is_not() {
    let world = World::without_store();
    let mut asked = about("a@pass.example");
    asked["message"] = "x".repeat(SMALL_OCTETS_MAX * 4).into();
    assert_eq!(world.check(&asked).await.status, StatusCode::OK);
    let longest = about("").to_string();
    let blanks = " ".repeat(REQUEST_OCTETS_MAX - longest.len());
    assert_eq!(world.check_text(&format!("{longest}{blanks}")).await.status, StatusCode::OK);
    let answer = world.check_text(&format!("{longest}{blanks} ")).await;
    assert_eq!((answer.status, answer.kind()), (StatusCode::PAYLOAD_TOO_LARGE, "too-long"));
    // Whatever it says of its length, or does not.
    let mut client = Client::connect(&world);
    client.say(&head(&world, "content-length: 99999999999999")).await;
    assert!(client.hear().await.starts_with("HTTP/1.1 413 "));
    let mut client = Client::connect(&world);
    client.say(&head(&world, "transfer-encoding: chunked")).await;
    let (mut read, mut write) = tokio::io::split(client.stream);
    let endless = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        while write.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let mut octets = [0; 12];
    read.read_exact(&mut octets).await.unwrap();
    assert_eq!(&octets, b"HTTP/1.1 413");
    client.session.await.unwrap();
    endless.abort();
}

#[tokio::test]
async fn codings_are_not_undone() {
    let world = World::without_store();
    let mut client = Client::connect(&world);
    client.say(&head(&world, "content-encoding: gzip\r\ncontent-length: 2")).await;
    client.say("xx").await;
    assert!(client.hear().await.starts_with("HTTP/1.1 415 "));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::without_store();
    let mut client = Client::connect(&world);
    client.say(&head(&world, "content-length: 1000")).await;
    let start = tokio::time::Instant::now();
    let (mut read, mut write) = tokio::io::split(client.stream);
    let drip = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut octets = [0; 12];
    read.read_exact(&mut octets).await.unwrap();
    assert_eq!(&octets, b"HTTP/1.1 408");
    assert!(start.elapsed() < BODY_TIME + Duration::from_secs(2));
    client.session.await.unwrap();
    drip.abort();
}

#[tokio::test]
async fn who_sends_on_hears_the_answer_all_the_same() {
    let world = World::without_store();
    let (server, address) = serve(&world).await;
    for length in [REQUEST_OCTETS_MAX, REQUEST_OCTETS_MAX + 1] {
        let mut client = TcpStream::connect(address).await.unwrap();
        let path = if length > REQUEST_OCTETS_MAX { "/v1/check" } else { "/nowhere" };
        let head = head(&world, &format!("content-length: {length}")).replace("/v1/check", path);
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&vec![b' '; length]).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        let status = if length > REQUEST_OCTETS_MAX { "413" } else { "404" };
        assert!(answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{length}");
    }
    server.drain().await;
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_stranger_is_not_waited_for() {
    let world = World::without_store();
    let mut client = Client::connect(&world);
    let start = tokio::time::Instant::now();
    client.say("POST /v1/check HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await;
    assert!(client.hear().await.starts_with("HTTP/1.1 401 "));
    assert!(start.elapsed() < BODY_TIME);
}

#[tokio::test(start_paused = true)]
async fn large_bodies_wait_for_their_places_and_give_them_back() {
    let world = World::without_store();
    let mut slow = Vec::new();
    for _ in 0..LARGE_AT_ONCE {
        let mut client = Client::connect(&world);
        client.say(&head(&world, &format!("content-length: {}", SMALL_OCTETS_MAX + 1))).await;
        client.say("{").await;
        slow.push(client);
    }
    let body = about("a@pass.example").to_string();
    let large = format!("{body}{}", " ".repeat(SMALL_OCTETS_MAX));
    let mut last = Client::connect(&world);
    last.say(&head(&world, &format!("content-length: {}", large.len()))).await;
    // Small ones pass by meanwhile.
    let mut small = Client::connect(&world);
    small.say(&whole(&world)).await;
    assert!(small.hear().await.starts_with("HTTP/1.1 200 "));
    drop(slow);
    last.say(&large).await;
    assert!(last.hear().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn who_goes_away_leaves_nothing() {
    let world = World::without_store();
    for text in ["", "POST /v1/check HT", &head(&world, "content-length: 9"), &whole(&world)] {
        let mut client = Client::connect(&world);
        client.say(text).await;
        drop(client.stream);
        client.session.await.unwrap();
    }
    assert_eq!(world.api.0.lasting.large.available_permits(), LARGE_AT_ONCE);
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let world = World::set_up(|settings| settings.connections_per_address = 1, |_| {});
    let seats = std::sync::Arc::new(Seats::default());
    let talk = |address: [u8; 4]| {
        let (stream, theirs) = duplex(1 << 16);
        let (tell, drain) = watch::channel(false);
        let peer: Option<SocketAddr> = Some((address, 1000).into());
        let arrival = Arrival { stream: Box::new(theirs), peer, seats: seats.clone(), drain };
        let session = tokio::spawn(converse(world.api.clone(), None, arrival));
        Client { stream, session, _drain: tell }
    };
    let mut first = talk([192, 0, 2, 7]);
    first.say(&whole(&world)).await;
    assert!(first.hear().await.starts_with("HTTP/1.1 200 "));
    let refusal = talk([192, 0, 2, 7]).hear().await;
    assert!(refusal.starts_with("HTTP/1.1 503 "), "{refusal}");
    let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["kind"], "busy");
    for _ in 0..2 {
        // Whoever is on this host may have more.
        let mut local = talk([127, 0, 0, 1]);
        local.say(&whole(&world)).await;
        assert!(local.hear().await.starts_with("HTTP/1.1 200 "));
    }
}

#[tokio::test]
async fn a_hundred_silent_connections_do_not_delay_the_next() {
    let world = World::without_store();
    let (server, address) = serve(&world).await;
    let mut silent = Vec::new();
    for index in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if index % 2 == 0 {
            stream.write_all(b"POST /v1/check HTTP/1.1\r\nhost: ").await.unwrap();
        }
        silent.push(stream);
    }
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(whole(&world).as_bytes()).await.unwrap();
    let mut octets = [0; 12];
    client.read_exact(&mut octets).await.unwrap();
    assert_eq!(&octets, b"HTTP/1.1 200");
    drop((silent, client));
    server.drain().await;
}
