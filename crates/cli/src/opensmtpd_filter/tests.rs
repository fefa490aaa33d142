use std::path::Path;

use quivive_opensmtpd::WhenDown;
use quivive_opensmtpd::talk::{self, Answer, Hello, Outcome, Question, TALK};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use super::*;

/// A filter at work between a smtpd and a daemon that are both these tests.
struct World {
    to: DuplexStream,
    from: BufReader<DuplexStream>,
    filter: JoinHandle<std::io::Result<()>>,
    folder: TempDir,
}

impl World {
    fn start(when_down: WhenDown) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Unix(folder.path().join("socket"));
        let (to, input) = duplex(1 << 20);
        let (output, from) = duplex(1 << 20);
        let filter = tokio::spawn(filter(Settings { when_down }, place, input, output));
        Self { to, from: BufReader::new(from), filter, folder }
    }

    fn daemon(&self) -> UnixListener {
        UnixListener::bind(self.folder.path().join("socket")).unwrap()
    }

    async fn say(&mut self, lines: &[&str]) {
        for line in lines {
            self.to.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
    }

    async fn begin(&mut self, session: &str) {
        let report = |rest: String| format!("report|0.7|1.2|smtp-in|{rest}");
        self.say(&[
            &report(format!("link-connect|{session}|n|pass|192.0.2.25:1|192.0.2.1:25")),
            &report(format!("link-identify|{session}|EHLO|client.test")),
            &report(format!("tx-mail|{session}|c8bb6d9e|ok|a@vouched.test")),
        ])
        .await;
    }

    async fn ask(&mut self, session: &str, request: &str) {
        let (phase, rest) = request.split_once('|').unwrap();
        self.say(&[&format!("filter|0.7|1.2|smtp-in|{phase}|{session}|t|{rest}")]).await;
    }

    async fn hear(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    /// smtpd is gone, and the filter with it.
    async fn end(self) {
        drop(self.to);
        self.filter.await.unwrap().unwrap();
    }
}

type Connected = BufReader<tokio::net::UnixStream>;

async fn accept(daemon: &UnixListener) -> Connected {
    let (stream, _) = daemon.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    let hello = Hello { talk: TALK, names: vec!["mx.example".to_owned()] };
    stream.write_all(&talk::write(&hello)).await.unwrap();
    stream
}

/// The next question, passing over whoever only wants to hear the names.
async fn question(stream: &mut Connected) -> Option<Question> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).await.unwrap();
    (!line.is_empty()).then(|| talk::read(&line).unwrap())
}

/// A talk about a message that has begun.
async fn begun(daemon: &UnixListener) -> Connected {
    loop {
        let mut stream = accept(daemon).await;
        if let Some(question) = question(&mut stream).await {
            assert!(matches!(question, Question::Mail(_)), "{question:?}");
            return stream;
        }
    }
}

async fn answer(stream: &mut Connected, answer: &Answer) {
    stream.write_all(&talk::write(answer)).await.unwrap();
}

#[tokio::test]
async fn a_message_goes_through() {
    let mut world = World::start(WhenDown::Defer);
    let daemon = world.daemon();
    world.begin("s").await;
    world.ask("s", "rcpt-to|b@example.test").await;
    let mut talk = begun(&daemon).await;
    assert_eq!(question(&mut talk).await, Some(Question::Rcpt("b@example.test".to_owned())));
    answer(&mut talk, &Answer::Rcpt(None)).await;
    assert_eq!(world.hear().await, "filter-result|s|t|proceed");
    for line in ["Subject: x", "", "body", "."] {
        world.ask("s", &format!("data-line|{line}")).await;
    }
    assert!(matches!(question(&mut talk).await, Some(Question::Message(_))));
    let fields = vec![("X".to_owned(), "y".to_owned())];
    answer(&mut talk, &Answer::Message(Outcome { refusal: None, fields })).await;
    for line in ["X: y", "Subject: x", "", "body", "."] {
        assert_eq!(world.hear().await, format!("filter-dataline|s|t|{line}"));
    }
    world.ask("s", "commit|").await;
    assert_eq!(world.hear().await, "filter-result|s|t|proceed");
    world.say(&["report|0.7|1.2|smtp-in|protocol-server|s|250 2.0.0 Ok"]).await;
    world.say(&["report|0.7|1.2|smtp-in|tx-commit|s|c8bb6d9e|1"]).await;
    assert_eq!(question(&mut talk).await, Some(Question::End("250 2.0.0 Ok".to_owned())));
    assert_eq!(question(&mut talk).await, None);
    world.end().await;
}

#[tokio::test]
async fn a_daemon_that_comes_late_is_waited_for() {
    let mut world = World::start(WhenDown::Defer);
    world.begin("s").await;
    world.ask("s", "rcpt-to|b@example.test").await;
    world.ask("s", "helo|x").await;
    // It has tried in vain by now.
    assert_eq!(world.hear().await, "filter-result|s|t|proceed");
    let daemon = world.daemon();
    let mut talk = begun(&daemon).await;
    assert!(question(&mut talk).await.is_some());
    answer(&mut talk, &Answer::Rcpt(Some("550 5.7.23 no".to_owned()))).await;
    assert_eq!(world.hear().await, "filter-result|s|t|reject|550 5.7.23 no");
    world.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_daemon_mail_is_deferred() {
    for (when_down, answer) in [
        (WhenDown::Defer, "filter-result|s|t|reject|451 4.3.0 "),
        (WhenDown::Accept, "filter-result|s|t|proceed"),
    ] {
        let mut world = World::start(when_down);
        world.begin("s").await;
        world.ask("s", "rcpt-to|b@example.test").await;
        let heard = world.hear().await;
        assert!(heard.starts_with(answer), "{heard}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_daemon_that_dies_defers_what_it_was_asked() {
    let mut world = World::start(WhenDown::Defer);
    let daemon = world.daemon();
    world.begin("s").await;
    world.ask("s", "rcpt-to|b@example.test").await;
    let mut talk = begun(&daemon).await;
    assert!(question(&mut talk).await.is_some());
    drop(talk);
    assert!(world.hear().await.starts_with("filter-result|s|t|reject|451 4.3.0 "));
    // The next message has a talk of its own.
    world.say(&["report|0.7|1.2|smtp-in|tx-rollback|s|c8bb6d9e"]).await;
    world.begin("s").await;
    world.ask("s", "rcpt-to|b@example.test").await;
    let mut talk = begun(&daemon).await;
    assert!(question(&mut talk).await.is_some());
    answer(&mut talk, &Answer::Rcpt(None)).await;
    assert_eq!(world.hear().await, "filter-result|s|t|proceed");
    world.end().await;
}

#[tokio::test]
async fn what_is_no_answer_is_as_none() {
    for nonsense in ["nonsense\n", "{\"message\":{\"refusal\":null,\"fields\":[]}}\n", "\n"] {
        let mut world = World::start(WhenDown::Defer);
        let daemon = world.daemon();
        world.begin("s").await;
        world.ask("s", "rcpt-to|b@example.test").await;
        let mut talk = begun(&daemon).await;
        assert!(question(&mut talk).await.is_some());
        talk.write_all(nonsense.as_bytes()).await.unwrap();
        assert!(world.hear().await.starts_with("filter-result|s|t|reject|451 4.3.0 "));
        world.end().await;
    }
}

#[tokio::test]
async fn another_version_is_not_believed() {
    let mut world = World::start(WhenDown::Defer);
    let daemon = world.daemon();
    world.begin("s").await;
    world.ask("s", "rcpt-to|b@example.test").await;
    let old = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = daemon.accept().await {
            let hello = Hello { talk: TALK + 1, names: Vec::new() };
            let _ = stream.write_all(&talk::write(&hello)).await;
            kept.push(stream);
        }
    });
    assert!(world.hear().await.starts_with("filter-result|s|t|reject|451 4.3.0 "));
    old.abort();
    world.end().await;
}

#[tokio::test]
async fn silent_talks_delay_nobody() {
    let mut world = World::start(WhenDown::Defer);
    let daemon = world.daemon();
    let mut silent = Vec::new();
    for session in 0..100 {
        world.begin(&format!("{session}")).await;
        world.ask(&format!("{session}"), "rcpt-to|b@example.test").await;
        silent.push(begun(&daemon).await);
    }
    world.begin("s").await;
    world.ask("s", "rcpt-to|b@example.test").await;
    let mut talk = begun(&daemon).await;
    assert!(question(&mut talk).await.is_some());
    answer(&mut talk, &Answer::Rcpt(None)).await;
    assert_eq!(world.hear().await, "filter-result|s|t|proceed");
    drop(silent);
    world.end().await;
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_passed_over() {
    let mut world = World::start(WhenDown::Defer);
    world.say(&["nonsense", "", "filter|six|1|smtp-in|commit|s|t|", "config|ready"]).await;
    let mut registered = 0;
    while world.hear().await != "register|ready" {
        registered += 1;
    }
    assert!(registered > 10);
    assert!(!Path::new(&world.folder.path().join("socket")).exists());
    world.end().await;
}
