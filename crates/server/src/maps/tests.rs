use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use quivive_postfix::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::conversation::Door;
use super::*;
use crate::asking::Patience;
use crate::gateway::Arrival;
use crate::ledger::Ledger;
use crate::seats::Seats;

/// Has one key, and a key that is in trouble.
struct TestMap(&'static str);

impl Map for TestMap {
    fn look_up(&self, key: &str) -> Answer {
        match key {
            "a b@here.example" => Answer::Found(format!("{}@there.example", self.0)),
            "trouble" => Answer::Temporary("in trouble"),
            _ => Answer::NotFound("not here"),
        }
    }
}

fn socketmap(word: &'static str) -> Socketmap {
    let maps = BTreeMap::from([("forward".to_owned(), Arc::new(TestMap(word)) as Arc<dyn Map>)]);
    Socketmap { maps, ..Socketmap::default() }
}

fn tcp_table() -> TcpTable {
    let map = Arc::new(TestMap("x"));
    TcpTable { map, patience: Patience::default(), ledger: Ledger::default() }
}

struct Client<D> {
    stream: DuplexStream,
    session: JoinHandle<()>,
    current: Arc<ArcSwap<D>>,
    drain: watch::Sender<bool>,
}

impl<D: Door> Client<D> {
    fn of(door: D) -> Self {
        // A pipe this narrow takes no answer at once.
        let (stream, theirs) = tokio::io::duplex(7);
        let (drain, draining) = watch::channel(false);
        let current = Arc::new(ArcSwap::from_pointee(door));
        let seats = Arc::new(Seats::default());
        let arrival = Arrival { stream: Box::new(theirs), peer: None, seats, drain: draining };
        let session = tokio::spawn(converse(current.clone(), arrival));
        Self { stream, session, current, drain }
    }

    async fn hears(&mut self, expected: &str) {
        let mut heard = vec![0; expected.len()];
        self.stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), expected);
    }

    async fn ask(&mut self, question: &str, expected: &str) {
        self.stream.write_all(question.as_bytes()).await.unwrap();
        self.hears(expected).await;
    }

    /// The session ends by itself, and says nothing more.
    async fn hears_the_end(mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
        drop(self.stream);
        self.session.await.unwrap();
    }
}

#[tokio::test]
async fn a_socketmap_answers_as_often_as_it_is_asked() {
    let mut client = Client::of(socketmap("x"));
    client.ask("24:forward a b@here.example,", "18:OK x@there.example,").await;
    client.ask("9:forward x,", "17:NOTFOUND not here,").await;
    client.ask("15:forward trouble,", "15:TEMP in trouble,").await;
    client.ask("10:backward x,", "17:PERM Invalid map.,").await;
    client.ask("7:forward,", "17:PERM Invalid map.,").await;
    client.stream.shutdown().await.unwrap();
    client.hears_the_end().await;
}

#[tokio::test]
async fn a_tcp_table_answers_as_often_as_it_is_asked() {
    let mut client = Client::of(tcp_table());
    client.ask("get a%20b@here.example\n", "200 x@there.example\n").await;
    client.ask("get %FF\n", "500 this is not UTF-8\n").await;
    client.ask("get trouble\n", "400 in trouble\n").await;
    client.ask("put a b\n", "500 Invalid request\n").await;
    client.stream.shutdown().await.unwrap();
    client.hears_the_end().await;
}

#[tokio::test]
async fn questions_that_come_ahead_are_answered_in_order() {
    let client = Client::of(socketmap("x"));
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let questions = "9:forward x,24:forward a b@here.example,".repeat(3000);
    let asking = tokio::spawn(async move {
        writer.write_all(questions.as_bytes()).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut answers = String::new();
    reader.read_to_string(&mut answers).await.unwrap();
    asking.await.unwrap();
    assert!(answers == "17:NOTFOUND not here,18:OK x@there.example,".repeat(3000));
}

#[tokio::test]
async fn a_kept_connection_sees_a_reload() {
    let mut client = Client::of(socketmap("old"));
    client.ask("24:forward a b@here.example,", "20:OK old@there.example,").await;
    client.current.store(Arc::new(socketmap("new")));
    client.ask("24:forward a b@here.example,", "20:OK new@there.example,").await;
}

#[tokio::test]
async fn what_is_no_question_is_told_so_and_left() {
    let mut client = Client::of(socketmap("x"));
    client.ask("2147483648:", "19:PERM Invalid query.,").await;
    client.hears_the_end().await;
    let mut client = Client::of(tcp_table());
    let question = "x".repeat(quivive_postfix::tcp_table::LINE_OCTETS_MAX);
    client.ask(&question, "500 Invalid request\n").await;
    client.hears_the_end().await;
}

#[tokio::test(start_paused = true)]
async fn silent_and_slow_programs_are_left() {
    for question in ["", "9:forw"] {
        let mut client = Client::of(socketmap("x"));
        client.stream.write_all(question.as_bytes()).await.unwrap();
        client.hears_the_end().await;
    }
    // However its octets trickle in.
    let client = Client::of(socketmap("x"));
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let trickle = tokio::spawn(async move {
        writer.write_all(b"4000:").await.unwrap();
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "");
    client.session.await.unwrap();
    drop(reader);
    trickle.await.unwrap();
}

#[tokio::test]
async fn an_idle_program_is_left_when_the_daemon_ends() {
    let mut client = Client::of(socketmap("x"));
    client.ask("9:forward x,", "17:NOTFOUND not here,").await;
    client.drain.send_replace(true);
    client.hears_the_end().await;
    // One that has begun to ask is answered.
    let mut client = Client::of(socketmap("x"));
    client.stream.write_all(b"9:forw").await.unwrap();
    tokio::task::yield_now().await;
    client.drain.send_replace(true);
    client.ask("ard x,", "17:NOTFOUND not here,").await;
    client.hears_the_end().await;
}

#[tokio::test]
async fn a_program_that_dies_ends_its_session() {
    let mut client = Client::of(socketmap("x"));
    client.ask("9:forward x,", "17:NOTFOUND not here,").await;
    client.stream.write_all(b"9:forw").await.unwrap();
    let Client { stream, session, .. } = client;
    drop(stream);
    session.await.unwrap();
}
