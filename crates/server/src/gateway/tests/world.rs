//! A gateway with its world: a zone, a client, and a next hop that does as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use quivive_evidence::{FindingResult, Identity, Method};
use quivive_resolver::{Resolver, Zone};
use quivive_smtp::{Reply, ReplyDecoder};
use quivive_verdict::{Action, Policy};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::check::Checker;
use crate::gateway::{Arrival, Gateway, Settings, converse};
use crate::logins::Logins;
use crate::next_hop::{Dialect, NextHop, Place, Target};
use crate::seats::Seats;

const ZONE: &[u8] = b"
pass.example. TXT \"v=spf1 +all\"
fail.example. TXT \"v=spf1 -all\"
broken.example. TXT \"v=spf1 foo\"
;!servfail slow.example.
";

/// The checker of nearly all these worlds.
pub(crate) fn checker() -> Checker {
    checker_with(Resolver::from_zone(Zone::parse(ZONE).unwrap()))
}

/// SPF fail is refused, a temporary error deferred, a permanent one discarded.
pub(crate) fn checker_with(resolver: Resolver) -> Checker {
    let mut policy = Policy::new("mx.example");
    let mut row = |result, action| {
        policy.actions.set(Method::Spf, Identity::Mailfrom, result, action);
    };
    row(FindingResult::Fail, Action::Reject);
    row(FindingResult::Temperror, Action::Defer);
    row(FindingResult::Permerror, Action::Discard);
    Checker::new(Arc::new(policy), resolver)
}

/// As [`checker`], which judges also those who logged in by where they are.
pub(crate) fn checker_of_logins() -> Checker {
    let checker = checker();
    let mut policy = Policy::clone(checker.policy());
    policy.practice.check_logins = true;
    checker.judging_by(Arc::new(policy))
}

pub(crate) struct World {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) seats: Arc<Seats>,
    pub(crate) drain: watch::Sender<bool>,
    /// The Maildir and the spool folder lie here.
    pub(crate) folder: TempDir,
}

impl World {
    /// A gateway into a Maildir.
    pub(crate) async fn maildir() -> Self {
        Self::new(None, |_| {}).await
    }

    /// A gateway before a next hop that speaks SMTP.
    pub(crate) async fn before(next: &Next) -> Self {
        Self::new(Some(next), |_| {}).await
    }

    pub(crate) async fn new(next: Option<&Next>, change: impl FnOnce(&mut Settings)) -> Self {
        Self::judged_by(checker(), next, change).await
    }

    pub(crate) async fn judged_by(
        checker: Checker,
        next: Option<&Next>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::of(checker, next, None, change).await
    }

    /// With logins it is a gateway for users, who may send to everybody.
    pub(crate) async fn of(
        checker: Checker,
        next: Option<&Next>,
        logins: Option<Arc<Logins>>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let next_hop = match next {
            Some(next) => next.hop(Dialect::Smtp),
            None => NextHop::Maildir(folder.path().join("Maildir")),
        };
        let mut settings = Settings::new("mx.example", next_hop);
        if logins.is_none() {
            settings.recipient_domains = vec!["here.example".to_owned()];
        }
        settings.spool_folder = folder.path().to_owned();
        change(&mut settings);
        let gateway = match logins {
            Some(logins) => Gateway::for_users(settings, checker, logins).await,
            None => Gateway::new(settings, checker).await,
        };
        let gateway = Arc::new(gateway.unwrap());
        let (drain, _) = watch::channel(false);
        Self { gateway, seats: Arc::default(), drain, folder }
    }

    /// A client that has not heard the greeting yet.
    pub(crate) fn connect_from(&self, address: &str) -> Client {
        self.connect_by(address, 1 << 20)
    }

    /// The pipe to this client holds so many octets in each direction.
    pub(crate) fn connect_by(&self, address: &str, octets: usize) -> Client {
        let (ours, theirs) = tokio::io::duplex(octets);
        let peer: SocketAddr = format!("{address}:1000").parse().unwrap();
        let arrival = Arrival {
            stream: Box::new(theirs),
            peer: Some(peer),
            seats: self.seats.clone(),
            drain: self.drain.subscribe(),
        };
        let session = tokio::spawn(converse(self.gateway.clone(), arrival));
        Client::new(ours, session)
    }

    /// A client that has heard the greeting.
    pub(crate) async fn connect(&self) -> Client {
        let mut client = self.connect_from("192.0.2.1");
        assert_eq!(client.reply().await.code, 220);
        client
    }

    /// A client with a transaction open for one recipient.
    pub(crate) async fn open(&self) -> Client {
        let mut client = self.connect().await;
        client.all(&["EHLO c.example", FROM, TO]).await;
        client
    }

    /// What lies in the Maildir.
    pub(crate) fn mails(&self) -> Vec<String> {
        let folder = self.folder.path().join("Maildir/new");
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

pub(crate) const FROM: &str = "MAIL FROM:<a@pass.example>";
pub(crate) const TO: &str = "RCPT TO:<b@here.example>";

pub(crate) struct Client {
    reader: ReadHalf<Box<dyn crate::stream::Duplex>>,
    writer: WriteHalf<Box<dyn crate::stream::Duplex>>,
    input: Vec<u8>,
    session: JoinHandle<()>,
}

impl Client {
    fn new(stream: DuplexStream, session: JoinHandle<()>) -> Self {
        Self::over(Box::new(stream), session)
    }

    pub(crate) fn over(stream: Box<dyn crate::stream::Duplex>, session: JoinHandle<()>) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self { reader, writer, input: Vec::new(), session }
    }

    /// The stream, to go on otherwise.
    pub(crate) fn into_stream(self) -> (Box<dyn crate::stream::Duplex>, JoinHandle<()>) {
        assert!(self.input.is_empty(), "{}", self.input.escape_ascii());
        (self.reader.unsplit(self.writer), self.session)
    }

    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.writer.write_all(octets.as_ref()).await.unwrap();
    }

    /// The next reply.
    pub(crate) async fn reply(&mut self) -> Reply {
        loop {
            let (consumed, reply) = ReplyDecoder::new().decode(&self.input).unwrap();
            if let Some(reply) = reply {
                self.input.drain(..consumed);
                return reply;
            }
            let read = self.reader.read_buf(&mut self.input).await.unwrap();
            assert_ne!(read, 0, "closed instead of a reply");
        }
    }

    /// Says a line and hears the code.
    pub(crate) async fn say(&mut self, line: &str) -> u16 {
        self.ask(line).await.code
    }

    pub(crate) async fn ask(&mut self, line: &str) -> Reply {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// Says lines, none of which may be refused.
    pub(crate) async fn all(&mut self, lines: &[&str]) {
        for line in lines {
            let reply = self.ask(line).await;
            assert!(reply.code < 400, "{line}: {reply}");
        }
    }

    /// DATA, a message, and the answer.
    pub(crate) async fn message(&mut self, content: &str) -> Reply {
        assert_eq!(self.say("DATA").await, 354);
        self.send(format!("{content}.\r\n")).await;
        self.reply().await
    }

    /// Nothing more comes, and the session is over.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.reader.read_buf(&mut self.input).await.unwrap();
        let closed = self.input.is_empty();
        if closed {
            (&mut self.session).await.unwrap();
        }
        closed
    }

    /// The session ends although nothing is read and nothing closed.
    pub(crate) async fn leaves(mut self) {
        (&mut self.session).await.unwrap();
    }

    /// Closes without a word, and waits for the session to notice.
    pub(crate) async fn hang_up(self) {
        drop((self.reader, self.writer));
        self.session.await.unwrap();
    }
}

/// What a next hop does when it hears a line. `.` is the end of a message, `` its greeting.
pub(crate) enum Answer {
    /// As a next hop should.
    Well,
    Say(&'static str),
    Close,
    /// Says this and closes.
    SayAndClose(&'static str),
}

/// A next hop. It notes the lines that it hears, and messages as `content:...`.
pub(crate) struct Next {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

type Script = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

impl Next {
    pub(crate) async fn well() -> Self {
        Self::new(|_| Answer::Well).await
    }

    pub(crate) async fn new(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (script, notes): (Script, _) = (Arc::new(script), heard.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                notes.lock().unwrap().push("connect".to_owned());
                tokio::spawn(attend(stream, script.clone(), notes.clone()));
            }
        });
        Self { address, heard, task }
    }

    pub(crate) fn hop(&self, dialect: Dialect) -> NextHop {
        let place = Place::Tcp(self.address.ip().to_string(), self.address.port());
        NextHop::Remote(Target { dialect, place })
    }

    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn contents(&self) -> Vec<String> {
        let content = |line: String| line.strip_prefix("content:").map(str::to_owned);
        self.heard().into_iter().filter_map(content).collect()
    }

    /// Nobody listens there any more.
    pub(crate) async fn stop(self) -> SocketAddr {
        self.task.abort();
        let _ = self.task.await;
        self.address
    }
}

const EXTENSIONS: &str = "250-next.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                          250-SIZE 1000000\r\n250-XCLIENT ADDR HELO\r\n250 DSN\r\n";

async fn attend(mut stream: tokio::net::TcpStream, script: Script, notes: Arc<Mutex<Vec<String>>>) {
    let mut input: Vec<u8> = Vec::new();
    let mut line = String::new();
    loop {
        let well = match line.split([' ', ':']).next().unwrap_or_default() {
            "" => "220 next.example\r\n",
            "EHLO" | "LHLO" => EXTENSIONS,
            "DATA" => "354 go on\r\n",
            "XCLIENT" => "220 next.example\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 2.0.0 fine\r\n",
        };
        let (say, close) = match script(&line) {
            Answer::Well => (well, line == "QUIT"),
            Answer::Say(say) => (say, false),
            Answer::Close => ("", true),
            Answer::SayAndClose(say) => (say, true),
        };
        if stream.write_all(say.as_bytes()).await.is_err() || close {
            return;
        }
        let in_content = line == "DATA" && say.starts_with('3');
        let ending: &[u8] = if in_content { b"\r\n.\r\n" } else { b"\r\n" };
        let mut searched = 0;
        let end = loop {
            let mut unsearched = input[searched..].windows(ending.len());
            if let Some(end) = unsearched.position(|window| window == ending) {
                break searched + end;
            }
            searched = (input.len() + 1).saturating_sub(ending.len());
            match stream.read_buf(&mut input).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let octets: Vec<u8> = input.drain(..end + ending.len()).take(end).collect();
        let text = String::from_utf8_lossy(&octets).into_owned();
        let note = if in_content { format!("content:{text}\r\n") } else { text.clone() };
        notes.lock().unwrap().push(note);
        line = if in_content { ".".to_owned() } else { text };
    }
}
