//! Silence, death, crowds.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::world::{Question, World, service};
use crate::asking::ASKERS_MAX;
use crate::gateway::tests::world::checker;
use crate::listener::{Access, Address};
use crate::policy::messages::{FORGOTTEN_AFTER, MESSAGES_MAX, Messages, SETTLED_AFTER, SWEEP};
use crate::server::{Door, Listener, Server};

const ANSWER: &[u8] = b"action=PREPEND Authentication-Results: mx.example; spf=pass ";

#[tokio::test]
async fn a_mail_server_that_dies_ends_its_session() {
    let world = World::new().await;
    // Between questions, within one, and before it took the answer.
    let question = Question::rcpt("1.2", "pass").0 + "\n";
    for octets in [0, 50, question.len()] {
        let mut asker = world.connect();
        asker.stream.write_all(&question.as_bytes()[..octets]).await.unwrap();
        drop(asker.stream);
        asker.session.await.unwrap();
    }
    // Who asked, died and comes back meets the same message.
    assert_eq!(world.current.load().messages.count(), 1);
    let mut asker = world.connect();
    asker.ask(&Question::rcpt("1.2", "pass")).await;
    assert_eq!(world.cases_at_the_end().await.len(), 1);
    assert_eq!(world.current.load().messages.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn silence_writes_down_and_then_forgets() {
    let service = Arc::new(service(checker()));
    let ask = async |instance: &str| {
        let mut requests = quivive_postfix::policy::Requests::default();
        let question = Question::rcpt(instance, "pass").0 + "\n";
        requests.input().space()[..question.len()].copy_from_slice(question.as_bytes());
        requests.input().filled(question.len());
        let mut output = Vec::new();
        let request = requests.request().unwrap().unwrap();
        service.answer(request, &mut None, &mut output).await;
        String::from_utf8(output).unwrap()
    };
    assert!(ask("1").await.contains("PREPEND Authentication-Results"));
    sleep(SETTLED_AFTER / 2).await;
    assert!(ask("2").await.contains("PREPEND Authentication-Results"));
    let written = || service.messages.written();
    assert_eq!((service.messages.count(), written()), (2, 0));
    sleep(SETTLED_AFTER + SWEEP).await;
    assert_eq!((service.messages.count(), written()), (2, 2));
    // It is still known what was said, and what is owed.
    assert!(ask("1").await.contains("PREPEND Received-SPF"));
    sleep(FORGOTTEN_AFTER - SWEEP).await;
    assert_eq!(service.messages.count(), 1);
    sleep(SWEEP * 2).await;
    assert_eq!(service.messages.count(), 0);
    // Nobody looks for silence any more until there is a message again.
    sleep(Duration::from_secs(3600)).await;
    assert!(ask("1").await.contains("PREPEND Authentication-Results"));
    sleep(FORGOTTEN_AFTER + SWEEP).await;
    assert_eq!(service.messages.count(), 0);
}

#[tokio::test]
async fn no_more_messages_are_known_than_there_may_be() {
    const MAX: usize = 16;
    let world = World::new().await;
    let mut small = service(checker()).with_ledger(world.ledger.clone());
    assert_eq!(small.messages.messages_max, MESSAGES_MAX);
    small.messages = Arc::new(Messages::new(MAX));
    world.current.store(Arc::new(small));
    let ask = async |number: usize| {
        // Each on a connection of its own, as Exim does.
        let mut asker = world.connect();
        asker.ask(&Question::rcpt(&number.to_string(), "pass")).await
    };
    for number in 0..=MAX {
        ask(number).await;
    }
    assert_eq!(world.current.load().messages.count(), MAX);
    // The first was forgotten, and written down.
    assert_eq!(world.cases().await.len(), 1);
    assert!(ask(MAX).await.contains("Received-SPF"));
    assert!(ask(0).await.contains("Authentication-Results"));
}

async fn server(address: &Address, world: &World) -> Server {
    let service = service(checker()).with_ledger(world.ledger.clone());
    let door = Door::Policy(Box::new(service));
    let listener = Listener { address: address.clone(), access: Access::default(), door };
    let server = Server::start(vec![listener], Duration::from_secs(5)).await;
    server.unwrap_or_else(|(_, error)| panic!("{error}"))
}

async fn ask(stream: &mut UnixStream, instance: &str) {
    let question = Question::rcpt(instance, "pass").0 + "\n";
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = vec![0; ANSWER.len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(ANSWER));
}

#[tokio::test]
async fn a_hundred_silent_connections_do_not_delay_the_next() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy");
    let server = server(&Address::Unix(path.clone()), &world).await;
    let mut silent = Vec::new();
    for octets in 0..100 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        let question = Question::rcpt("silent", "pass").0;
        stream.write_all(&question.as_bytes()[..octets]).await.unwrap();
        silent.push(stream);
    }
    let mut asker = UnixStream::connect(&path).await.unwrap();
    ask(&mut asker, "1").await;
    drop(silent);
    drop(asker);
    server.drain().await;
    assert_eq!(world.cases().await.len(), 1, "what was judged is written when the daemon ends");
}

#[tokio::test]
async fn connections_beyond_the_bound_defer() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy");
    let server = server(&Address::Unix(path.clone()), &world).await;
    let mut kept = Vec::new();
    for _ in 0..ASKERS_MAX {
        kept.push(UnixStream::connect(&path).await.unwrap());
    }
    let mut beyond = UnixStream::connect(&path).await.unwrap();
    let question = Question::rcpt("1", "pass").0 + "\n";
    beyond.write_all(question.as_bytes()).await.unwrap();
    let mut answer = String::new();
    beyond.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("action=DEFER_IF_PERMIT 4.3.2 Too many"), "{answer}");
    ask(&mut kept[0], "1").await;
    drop(kept);
    server.drain().await;
}
