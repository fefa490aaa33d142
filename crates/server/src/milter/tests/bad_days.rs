use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use quivive_milter::packet;
use quivive_resolver::Resolver;
use tokio::time::Instant;

use super::world::World;
use crate::gateway::tests::world::{checker, checker_with};
use crate::listener::{Access, Address};
use crate::milter::{Milter, Settings};
use crate::server::{DRAIN_TIME, Door, Listener, Server};

#[tokio::test]
async fn who_does_not_speak_the_protocol_is_cut_off() {
    let lines = b"GET / HTTP/1.1\r\n\r\n".to_vec();
    let announced = [&2_000_000_000_u32.to_be_bytes()[..], b"B"].concat();
    let nothing = 0_u32.to_be_bytes().to_vec();
    let old = packet(b'O', &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let early = packet(b'D', b"Mi\0x\0");
    for octets in [lines, announced, nothing, old, early, packet(b'?', b"")] {
        let mut mta = World::new().connect();
        mta.send(&octets).await;
        assert!(mta.left().await, "{}", octets.escape_ascii());
    }
    let mut mta = World::new().mail("a@pass.example").await;
    mta.say(b'R', "no end").await;
    assert!(mta.left().await);
}

#[tokio::test]
async fn a_mail_server_that_dies_leaves_nobody_waiting() {
    let world = World::new();
    world.connect().hang_up().await;
    world.client("Postfix").await.hang_up().await;
    let mut mta = world.mail("a@pass.example").await;
    mta.ask(b'R', "<b@here.example>\0").await;
    mta.field("Subject", "x").await;
    mta.hang_up().await;
    // In the midst of a packet.
    let mut mta = world.mail("a@pass.example").await;
    mta.send(&packet(b'R', b"<b@here.example>\0")[..9]).await;
    mta.hang_up().await;
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_dies_during_a_check_ends_it() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = [silent.local_addr().unwrap()];
    let resolver = Resolver::from_servers(&servers, quivive_resolver::Settings::default());
    let world = World::judged_by(checker_with(resolver), |_| {});
    let mut mta = world.mail("a@pass.example").await;
    mta.say(b'R', "<b@here.example>\0").await;
    mta.hang_up().await;
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_left_after_a_while() {
    let patience = Settings::new("mx.example").patience;
    let start = Instant::now();
    assert!(World::new().connect().left().await);
    assert_eq!(start.elapsed().as_secs(), patience.greeting.as_secs());
    let start = Instant::now();
    assert!(World::new().client("Postfix").await.left().await);
    assert_eq!(start.elapsed().as_secs(), patience.quiet.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_is_finished_before_we_go() {
    let world = World::new();
    let patience = Settings::new("mx.example").patience;
    let idle = world.client("Postfix").await;
    let mut busy = world.mail("a@pass.example").await;
    assert_eq!(busy.ask(b'R', "<b@here.example>\0").await, "c");
    world.drain();
    let start = Instant::now();
    assert!(idle.left().await);
    assert_eq!(start.elapsed(), patience.farewell);
    tokio::time::sleep(10 * patience.farewell).await;
    assert_eq!(busy.end().await.last().unwrap(), "c");
    let start = Instant::now();
    assert!(busy.left().await);
    assert_eq!(start.elapsed(), patience.farewell);
    // Who comes late is still served, if it does not sleep.
    let mut late = world.mail("a@pass.example").await;
    assert_eq!(late.ask(b'R', "<b@here.example>\0").await, "c");
    assert_eq!(late.end().await.last().unwrap(), "c");
}

#[tokio::test]
async fn a_hundred_silent_connections_do_not_delay_the_next() {
    let milter = Milter::new(Settings::new("mx.example"), checker());
    let address = Address::Tcp(([127, 0, 0, 1], 0).into());
    let door = Door::Milter(Box::new(milter));
    let listener = Listener { address, access: Access::default(), door };
    let server = Server::start(vec![listener], DRAIN_TIME).await;
    let server = server.unwrap_or_else(|(_, error)| panic!("{error}"));
    let (word, Address::Tcp(address)) = server.addresses().next().unwrap() else { panic!() };
    assert_eq!(word, "milter");
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let answer = tokio::task::spawn_blocking({
        let address = *address;
        move || {
            use std::io::Write;
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream
                .write_all(&packet(b'O', &[0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff]))
                .unwrap();
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).unwrap();
            answer[4]
        }
    });
    assert_eq!(answer.await.unwrap(), b'O');
    drop(silent);
    server.drain().await;
}
