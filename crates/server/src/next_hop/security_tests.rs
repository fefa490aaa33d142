//! A relay that wants TLS and a login.

use std::sync::{Arc, Mutex};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::{ClientTls, Connection, Dialect, Login, Lost, Patience, Place, Security, Target};
use crate::stream::Stream;
use crate::tls::{TlsAcceptor, acceptor, connector};

const PLAIN: &str = "250-relay.example\r\n250 AUTH PLAIN LOGIN\r\n";

/// What the relay says after its greeting and its first EHLO.
type Script = Vec<(&'static str, &'static str)>;

struct Relay {
    target: Target,
    certificates: tempfile::TempDir,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// A relay that answers these lines; `starttls` begins TLS after its answer, as does `implicit`
    /// with the connection.
    async fn start(implicit: bool, script: Script) -> Self {
        let certificates = tempfile::tempdir().unwrap();
        let acceptor = made(&certificates);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let notes = heard.clone();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream: Stream = Box::new(stream);
            if implicit {
                let Ok(secured) = acceptor.accept(stream).await else { return };
                stream = Box::new(secured);
            }
            attend(stream, script, acceptor, notes).await;
        });
        let place = Place::Tcp("127.0.0.1".to_owned(), port);
        Self { target: Target { dialect: Dialect::Smtp, place }, certificates, heard }
    }

    fn security(&self, implicit: bool, name: &str, login: Option<(&str, &str)>) -> Security {
        let connector = connector(Some(&self.certificates.path().join("c.pem"))).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let login = login
            .map(|(user, password)| Login { user: user.to_owned(), password: password.to_owned() });
        Security { tls: Some(ClientTls { connector, name, implicit }), login }
    }

    async fn open(&self, security: &Security) -> Result<Connection, Lost> {
        let patience = Patience::default();
        Connection::open(&self.target, security, "mx.example", None, patience).await
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn made(folder: &tempfile::TempDir) -> TlsAcceptor {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["relay.example".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    acceptor(&certificate, &key).unwrap()
}

async fn attend(
    mut stream: Stream,
    script: Script,
    acceptor: TlsAcceptor,
    notes: Arc<Mutex<Vec<String>>>,
) {
    stream.write_all(b"220 relay.example\r\n").await.unwrap();
    let mut script = script.into_iter();
    loop {
        let mut line = String::new();
        let mut reader = BufReader::with_capacity(1, &mut stream);
        if reader.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        notes.lock().unwrap().push(line.trim_end().to_owned());
        let Some((expected, answer)) = script.next() else { return };
        assert!(line.starts_with(expected), "{line}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        if expected == "STARTTLS" && answer.starts_with("220") {
            let Ok(secured) = acceptor.accept(stream).await else { return };
            stream = Box::new(secured);
        }
    }
}

const STARTTLS: &str = "250-relay.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n";

#[tokio::test]
async fn starttls_and_a_login() {
    let script = vec![
        ("EHLO", STARTTLS),
        ("STARTTLS", "220 go on\r\n"),
        ("EHLO", PLAIN),
        ("AUTH PLAIN AHVzZXIAc2VjcmV0", "235 2.7.0 welcome\r\n"),
    ];
    let relay = Relay::start(false, script).await;
    let security = relay.security(false, "relay.example", Some(("user", "secret")));
    let connection = relay.open(&security).await.unwrap();
    // What was offered in the clear does not count.
    assert!(!connection.extensions().starttls);
    assert_eq!(relay.heard().len(), 4);
    assert!(!format!("{security:?}").contains("secret"));
}

#[tokio::test]
async fn implicit_tls_and_a_login_by_prompts() {
    let script = vec![
        ("EHLO", "250-relay.example\r\n250 AUTH LOGIN\r\n"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6\r\n"),
        ("dXNlcg==", "334 UGFzc3dvcmQ6\r\n"),
        ("c2VjcmV0", "235 2.7.0 welcome\r\n"),
    ];
    let relay = Relay::start(true, script).await;
    let security = relay.security(true, "relay.example", Some(("user", "secret")));
    relay.open(&security).await.unwrap();
    assert_eq!(relay.heard().len(), 4);
}

#[tokio::test]
async fn without_starttls_nothing_is_said_in_the_clear() {
    let relay = Relay::start(false, vec![("EHLO", PLAIN)]).await;
    let security = relay.security(false, "relay.example", Some(("user", "secret")));
    assert!(matches!(relay.open(&security).await.err(), Some(Lost::NoTls)));
    assert_eq!(relay.heard(), ["EHLO mx.example"]);
}

#[tokio::test]
async fn a_certificate_must_be_in_the_relays_name_and_of_a_trusted_authority() {
    let script = || vec![("EHLO", STARTTLS), ("STARTTLS", "220 go on\r\n")];
    let relay = Relay::start(false, script()).await;
    let security = relay.security(false, "other.example", None);
    assert!(matches!(relay.open(&security).await.err(), Some(Lost::Handshake(_))));
    let (relay, stranger) =
        (Relay::start(false, script()).await, Relay::start(false, script()).await);
    let security = stranger.security(false, "relay.example", None);
    assert!(matches!(relay.open(&security).await.err(), Some(Lost::Handshake(_))));
}

#[tokio::test]
async fn what_was_said_ahead_of_tls_is_not_taken_for_an_answer() {
    let script = vec![("EHLO", STARTTLS), ("STARTTLS", "220 go on\r\n250 relay.example\r\n")];
    let relay = Relay::start(false, script).await;
    let security = relay.security(false, "relay.example", None);
    let lost = relay.open(&security).await.err();
    // The handshake may also stumble over it, where it came in a packet of its own.
    assert!(matches!(lost, Some(Lost::OutOfStep | Lost::Handshake(_))), "{lost:?}");
}

#[tokio::test]
async fn a_login_that_is_refused_or_not_offered() {
    let tls = |answer: &'static str| vec![("EHLO", PLAIN), ("AUTH PLAIN", answer)];
    let relay = Relay::start(true, tls("535 5.7.8 wrong\r\n")).await;
    let security = relay.security(true, "relay.example", Some(("user", "secret")));
    let lost = relay.open(&security).await.err().unwrap();
    assert!(matches!(&lost, Lost::LoginRefused(reply) if reply.code == 535), "{lost}");
    assert_eq!(lost.reply().enhanced.unwrap().to_string(), "4.3.5");
    let relay = Relay::start(true, vec![("EHLO", "250 relay.example\r\n")]).await;
    let security = relay.security(true, "relay.example", Some(("user", "secret")));
    assert!(matches!(relay.open(&security).await.err(), Some(Lost::NoLogin)));
}

#[tokio::test]
async fn a_relay_that_stops_in_the_handshake_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let helper = Relay::start(true, Vec::new()).await;
    let target = Target { dialect: Dialect::Smtp, place: Place::Tcp("127.0.0.1".to_owned(), port) };
    let security = helper.security(true, "relay.example", None);
    let greeting = std::time::Duration::from_millis(50);
    let patience = Patience { greeting, ..Patience::default() };
    let opening = Connection::open(&target, &security, "mx.example", None, patience);
    let (opened, accepted) = tokio::join!(opening, async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets).await;
        octets.len()
    });
    assert!(matches!(opened.err(), Some(Lost::TimedOut)));
    assert!(accepted > 0);
}
