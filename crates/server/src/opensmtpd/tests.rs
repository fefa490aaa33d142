use std::sync::Arc;

use quivive_evidence::{Header, Method};
use quivive_opensmtpd::talk::{self, Answer, Hello, LINE_OCTETS_MAX, Mail, Message, Outcome};
use quivive_opensmtpd::talk::{Question, TALK};
use quivive_resolver::{Resolver, Zone};
use quivive_store::{Filter, Store};
use quivive_verdict::{Case, Mode, Policy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::gateway::Arrival;
use crate::gateway::tests::world::{checker, checker_of_logins};
use crate::seats::Seats;

/// A filter in the middle of a talk.
struct Talk {
    stream: BufReader<DuplexStream>,
    session: JoinHandle<()>,
    drain: watch::Sender<bool>,
}

impl Talk {
    fn connect(door: &Arc<Opensmtpd>) -> Self {
        let (ours, theirs) = duplex(1 << 22);
        let (drain, draining) = watch::channel(false);
        let seats = Arc::new(Seats::default());
        let arrival = Arrival { stream: Box::new(theirs), peer: None, seats, drain: draining };
        let session = tokio::spawn(converse(door.clone(), arrival));
        Self { stream: BufReader::new(ours), session, drain }
    }

    async fn open(door: &Arc<Opensmtpd>, mail_from: &str) -> Self {
        Self::open_as(door, mail_from, None).await
    }

    /// A message of a client that logged in, if it did.
    async fn open_as(door: &Arc<Opensmtpd>, mail_from: &str, login: Option<&str>) -> Self {
        let mut talk = Self::connect(door);
        let hello: Hello = talk.hear().await;
        assert_eq!((hello.talk, &*hello.names[0]), (TALK, "mx.example"));
        let mail = Mail {
            client: [192, 0, 2, 25].into(),
            helo: "client.example".to_owned(),
            mail_from: mail_from.to_owned(),
            login: login.map(str::to_owned),
        };
        talk.say(&Question::Mail(mail)).await;
        talk
    }

    async fn say(&mut self, said: &impl Serialize) {
        self.stream.write_all(&talk::write(said)).await.unwrap();
    }

    async fn hear<T: DeserializeOwned>(&mut self) -> T {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    async fn rcpt(&mut self, recipient: &str) -> Option<String> {
        self.say(&Question::Rcpt(recipient.to_owned())).await;
        match self.hear().await {
            Answer::Rcpt(refusal) => refusal,
            other @ Answer::Message(_) => panic!("{other:?}"),
        }
    }

    async fn message(&mut self, header: &[u8]) -> Outcome {
        let (recipients, header) = (vec!["b@here.example".to_owned()], Header::read(header));
        self.say(&Question::Message(Message::new(recipients, header))).await;
        match self.hear().await {
            Answer::Message(outcome) => outcome,
            other @ Answer::Rcpt(_) => panic!("{other:?}"),
        }
    }

    /// The daemon has nothing more to say.
    async fn ends_here(mut self) {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "");
        self.session.await.unwrap();
    }
}

fn door() -> Arc<Opensmtpd> {
    Arc::new(Opensmtpd::new(Settings::new("mx.example"), checker()))
}

async fn door_with_store() -> (Arc<Opensmtpd>, Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = quivive_store::Settings {
        path: folder.path().join("q.db"),
        retain_days: 30,
        retain_mib: 100,
        hash_addresses_after_days: 0,
    };
    let store = Store::open(settings).await.unwrap();
    let ledger = Ledger { store: Some(store.clone()), ..Ledger::default() };
    let door = Opensmtpd::new(Settings::new("mx.example"), checker()).with_ledger(ledger);
    (Arc::new(door), store, folder)
}

async fn cases(store: &Store) -> Vec<Case> {
    store.flush().await;
    let filter = Filter { limit: 10, ..Filter::default() };
    let mut cases = Vec::new();
    for line in store.list(&filter).await.unwrap().lines {
        cases.push(store.case(&line.id).await.unwrap().unwrap());
    }
    cases
}

#[tokio::test]
async fn what_passes_is_marked_and_is_one_case() {
    let (door, store, _folder) = door_with_store().await;
    let mut talk = Talk::open(&door, "a@pass.example").await;
    assert_eq!(talk.rcpt("b@here.example").await, None);
    assert_eq!(talk.rcpt("c@here.example").await, None);
    let outcome = talk.message(b"From: a@pass.example\r\n\r\n").await;
    assert_eq!(outcome.refusal, None);
    let names: Vec<&str> = outcome.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Authentication-Results", "Received-SPF", "Received-SPF"]);
    assert!(outcome.fields[0].1.starts_with("mx.example;"), "{:?}", outcome.fields);
    talk.say(&Question::End("250 2.0.0 c8bb6d9e Message accepted".to_owned())).await;
    talk.ends_here().await;
    let [case] = &cases(&store).await[..] else { panic!("one message is one case") };
    assert_eq!((&*case.door, &*case.outcome), ("opensmtpd", "250 2.0.0 c8bb6d9e Message accepted"));
    assert_eq!(case.facts.recipients, ["b@here.example", "c@here.example"]);
}

#[tokio::test]
async fn who_sends_is_refused_at_rcpt() {
    let (door, store, _folder) = door_with_store().await;
    let mut talk = Talk::open(&door, "a@fail.example").await;
    for _ in 0..2 {
        let refusal = talk.rcpt("b@here.example").await.unwrap();
        assert!(refusal.starts_with("550 5.7.23 SPF: 192.0.2.25 is not permitted"), "{refusal}");
    }
    // Whoever sends the message all the same hears it again.
    let outcome = talk.message(b"").await;
    assert!(outcome.refusal.unwrap().starts_with("550 5.7.23 "));
    talk.say(&Question::End("550 5.7.23 x".to_owned())).await;
    talk.ends_here().await;
    let mut talk = Talk::open(&door, "a@slow.example").await;
    assert!(talk.rcpt("b@here.example").await.unwrap().starts_with("451 4.7.24 "));
    drop(talk.stream);
    talk.session.await.unwrap();
    let mut outcomes: Vec<String> =
        cases(&store).await.into_iter().map(|case| case.outcome).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["", "550 5.7.23 x"], "a filter that dies loses no case");
}

#[tokio::test]
async fn who_logged_in_is_not_judged_by_where_it_is_unless_it_is_wanted() {
    let (door, store, _folder) = door_with_store().await;
    let mut talk = Talk::open_as(&door, "a@fail.example", Some("ann")).await;
    assert_eq!(talk.rcpt("b@here.example").await, None);
    let outcome = talk.message(b"").await;
    assert_eq!(outcome.refusal, None);
    assert_eq!(outcome.fields[0].1, "mx.example; none");
    talk.say(&Question::End("250 2.0.0 ok".to_owned())).await;
    talk.ends_here().await;
    let [case] = &cases(&store).await[..] else { panic!("one message is one case") };
    let reason = "the client logged in: nothing but binding is checked ([local] check_logins)";
    assert_eq!(case.verdict.reasons, [reason]);
    let door = Arc::new(Opensmtpd::new(Settings::new("mx.example"), checker_of_logins()));
    let mut talk = Talk::open_as(&door, "a@fail.example", Some("ann")).await;
    assert!(talk.rcpt("b@here.example").await.unwrap().starts_with("550 5.7.23 "));
}

#[tokio::test]
async fn what_names_no_recipient_is_no_case() {
    let (door, store, _folder) = door_with_store().await;
    let mut talk = Talk::open(&door, "a@pass.example").await;
    talk.say(&Question::End(String::new())).await;
    talk.ends_here().await;
    assert_eq!(cases(&store).await.len(), 0);
}

#[tokio::test]
async fn methods_that_read_the_header_judge_at_the_end() {
    let mut policy = Policy::new("mx.example");
    policy.methods.extend(quivive_verdict::methods().map(|method| (method, Mode::Report)));
    let resolver =
        Resolver::from_zone(Zone::parse(b"pass.example. TXT \"v=spf1 +all\"\n").unwrap());
    let checker = Checker::new(Arc::new(policy), resolver);
    let door = Arc::new(Opensmtpd::new(Settings::new("mx.example"), checker));
    let mut talk = Talk::open(&door, "a@pass.example").await;
    assert_eq!(talk.rcpt("b@here.example").await, None);
    let outcome = talk.message(b"From: a@pass.example\r\n\r\n").await;
    let results = &outcome.fields[0].1;
    for method in quivive_verdict::methods().filter(|method| *method == Method::SenderId) {
        assert!(results.contains(method.word()), "{results}");
    }
    assert!(results.contains("spf=pass"), "{results}");
}

/// 192.0.2.25, the client of these tests, is our own gateway.
#[tokio::test]
async fn the_client_before_our_gateway_counts() {
    let checker = checker();
    let mut policy = Policy::clone(checker.policy());
    policy.practice.upstreams = vec!["192.0.2.25/32".parse().unwrap()];
    let checker = checker.judging_by(Arc::new(policy));
    let door = Arc::new(Opensmtpd::new(Settings::new("mx.example"), checker));
    let handed_on = async |header: &str| {
        let mut talk = Talk::open(&door, "a@fail.example").await;
        assert_eq!(talk.rcpt("b@here.example").await, None, "nobody knows the client yet");
        talk.message(header.as_bytes()).await
    };
    // As smtpd writes it on top, and below it what our gateway wrote.
    let own = "Received: from gw.example (gw.example [192.0.2.25])\n\tby mx.example (OpenSMTPD)";
    let outcome =
        handed_on(&format!("{own}\r\nReceived: from x (x [203.0.113.9]) by gw\r\n\r\n")).await;
    let refusal = outcome.refusal.unwrap();
    assert!(refusal.starts_with("550 5.7.23 SPF: 203.0.113.9 is not permitted"), "{refusal}");
    let outcome = handed_on(&format!("{own}\r\nSubject: no other\r\n\r\n")).await;
    assert_eq!(outcome.refusal, None);
    assert_eq!(outcome.fields[0].1, "mx.example; none");
}

#[tokio::test]
async fn what_is_no_question_ends_the_talk() {
    let door = door();
    for said in ["\n", "{}\n", "[[[[\n", "{\"rcpt\":\"b\"}\n", "{\"end\":\"\"}\n", "\u{0}\n"] {
        let mut talk = Talk::connect(&door);
        let _: Hello = talk.hear().await;
        talk.stream.write_all(said.as_bytes()).await.unwrap();
        talk.ends_here().await;
    }
    let mut talk = Talk::open(&door, "a@pass.example").await;
    let deep = "[".repeat(10_000);
    talk.stream.write_all(format!("{{\"message\":{deep}\n").as_bytes()).await.unwrap();
    talk.ends_here().await;
    let mut talk = Talk::open(&door, "a@pass.example").await;
    talk.stream.write_all(&vec![b'x'; LINE_OCTETS_MAX + CHUNK_MORE]).await.unwrap();
    talk.ends_here().await;
    let mut talk = Talk::open(&door, "a@pass.example").await;
    let mail = Mail {
        client: [192, 0, 2, 25].into(),
        helo: String::new(),
        mail_from: String::new(),
        login: None,
    };
    talk.say(&Question::Mail(mail)).await;
    talk.ends_here().await;
}

/// More than what is read at once.
const CHUNK_MORE: usize = 8192;

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_for_ever() {
    let door = door();
    let start = tokio::time::Instant::now();
    let mut silent = Talk::connect(&door);
    let _: Hello = silent.hear().await;
    silent.ends_here().await;
    assert_eq!(start.elapsed(), Patience::default().beginning);
    let mut silent = Talk::open(&door, "a@pass.example").await;
    assert_eq!(silent.rcpt("b@here.example").await, None);
    let start = tokio::time::Instant::now();
    silent.ends_here().await;
    assert_eq!(start.elapsed(), Patience::default().question);
}

#[tokio::test]
async fn the_end_of_the_daemon_ends_what_has_not_begun_alone() {
    let door = door();
    let mut idle = Talk::connect(&door);
    let _: Hello = idle.hear().await;
    let mut busy = Talk::open(&door, "a@pass.example").await;
    assert_eq!(busy.rcpt("b@here.example").await, None);
    idle.drain.send_replace(true);
    busy.drain.send_replace(true);
    idle.ends_here().await;
    assert_eq!(busy.message(b"").await.refusal, None);
    busy.say(&Question::End(String::new())).await;
    busy.ends_here().await;
}
