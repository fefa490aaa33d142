//! A milter with its world: a zone, and a mail server that asks.

use std::sync::Arc;

use quivive_milter::packet;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::check::Checker;
use crate::gateway::Arrival;
use crate::gateway::tests::world::checker;
use crate::milter::{Milter, Settings, converse};

pub(super) struct World {
    milter: Arc<Milter>,
    drain: watch::Sender<bool>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::judged_by(checker(), |_| {})
    }

    pub(super) fn judged_by(checker: Checker, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new("mx.example");
        change(&mut settings);
        let (drain, _) = watch::channel(false);
        Self { milter: Arc::new(Milter::new(settings, checker)), drain }
    }

    /// A mail server that has said nothing.
    pub(super) fn connect(&self) -> Mta {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let arrival = Arrival {
            stream: Box::new(theirs),
            peer: None,
            seats: Arc::default(),
            drain: self.drain.subscribe(),
        };
        let session = tokio::spawn(converse(self.milter.clone(), arrival));
        Mta { stream: ours, session }
    }

    /// A mail server that offers everything, of this version, with a client there.
    pub(super) async fn client(&self, version: &str) -> Mta {
        let mut mta = self.connect();
        mta.offer(6, 0x1ff, 0x1f_ffff).await;
        mta.say(b'D', &format!("Cv\0{version}\0")).await;
        mta.say(b'C', "mail.example\x004\0\x19192.0.2.1\0").await;
        mta.say(b'H', "helo.example\0").await;
        mta
    }

    /// As [`World::client`] of Postfix, with a message of this sender before its first recipient.
    pub(super) async fn mail(&self, sender: &str) -> Mta {
        let mut mta = self.client("Postfix 3.7.11").await;
        mta.say(b'M', &format!("<{sender}>\0")).await;
        mta
    }

    /// The daemon wants to end.
    pub(super) fn drain(&self) {
        self.drain.send_replace(true);
    }
}

/// A mail server's side of a connection.
pub(super) struct Mta {
    stream: DuplexStream,
    session: JoinHandle<()>,
}

impl Mta {
    /// Negotiates, and gives the answer's three numbers.
    pub(super) async fn offer(&mut self, version: u32, actions: u32, protocol: u32) -> [u32; 3] {
        let data = [version, actions, protocol].map(u32::to_be_bytes).concat();
        self.send(&packet(b'O', &data)).await;
        let (command, data) = self.hear().await;
        assert_eq!(command, b'O');
        let number = |at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
        [number(0), number(4), number(8)]
    }

    pub(super) async fn say(&mut self, command: u8, data: &str) {
        self.send(&packet(command, data.as_bytes())).await;
    }

    pub(super) async fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }

    /// The next packet.
    pub(super) async fn hear(&mut self) -> (u8, Vec<u8>) {
        let octets = self.stream.read_u32().await.expect("a packet comes") as usize;
        let mut data = vec![0; octets];
        self.stream.read_exact(&mut data).await.unwrap();
        let command = data.remove(0);
        (command, data)
    }

    /// The next packet as text: its command, then its data.
    pub(super) async fn told(&mut self) -> String {
        let (command, data) = self.hear().await;
        format!("{}{}", char::from(command), data.escape_ascii())
    }

    /// Says and hears.
    pub(super) async fn ask(&mut self, command: u8, data: &str) -> String {
        self.say(command, data).await;
        self.told().await
    }

    /// Sends a header field.
    pub(super) async fn field(&mut self, name: &str, value: &str) {
        self.say(b'L', &format!("{name}\0 {value}\0")).await;
    }

    /// Everything that is said to the end of a message, up to the answer to it.
    pub(super) async fn end(&mut self) -> Vec<String> {
        self.say(b'E', "").await;
        let mut said = Vec::new();
        loop {
            let (command, data) = self.hear().await;
            said.push(format!("{}{}", char::from(command), data.escape_ascii()));
            if !matches!(command, b'h' | b'i' | b'm' | b'q' | b'p' | b'e' | b'+' | b'-') {
                return said;
            }
        }
    }

    /// The connection is closed, and nobody is left at its other end.
    pub(super) async fn left(mut self) -> bool {
        let nothing = self.stream.read(&mut [0; 1]).await.unwrap() == 0;
        self.session.await.unwrap();
        nothing
    }

    /// Goes away without a word, and waits for the session to notice.
    pub(super) async fn hang_up(self) {
        drop(self.stream);
        self.session.await.unwrap();
    }
}
