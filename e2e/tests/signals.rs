//! What signals do to `quivive serve`, and what its sudden death leaves behind.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use quivive_e2e::client::Dialogue;
use quivive_e2e::peer::{self, Peer};
use quivive_e2e::quivive::{self, Serve};
use quivive_e2e::{maildir, nsd, wait};

const DNS: &str = "vouched.test. TXT \"v=spf1 ip4:192.0.2.25 -all\"";

/// A daemon that delivers into a Maildir.
struct World {
    nsd: Peer,
    serve: Serve,
    maildir: PathBuf,
    _folder: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let nsd = nsd::start(DNS);
        let folder = peer::open_folder();
        let maildir = folder.path().join("box");
        let serve = Serve::start(&configuration(&nsd, &maildir));
        Self { nsd, serve, maildir, _folder: folder }
    }

    fn client(&self, address: &str) -> Dialogue {
        Dialogue::open_as(self.serve.address("gateway"), address, "client.test")
    }
}

fn configuration(nsd: &Peer, maildir: &std::path::Path) -> String {
    let next_hop = format!("maildir:{}", maildir.display());
    quivive::gateway(nsd.address, &next_hop, "")
}

#[test]
fn terminate_lets_a_message_in_transit_finish() {
    let mut world = World::start();
    let mut client = world.client("192.0.2.25");
    client.say("MAIL FROM:<a@vouched.test>", "250");
    client.say("RCPT TO:<b@example.test>", "250");
    client.say("DATA", "354");
    client.send(b"Subject: half\r\n\r\n").expect("the server reads");
    world.serve.signal("TERM");
    let address = world.serve.address("gateway");
    wait::until("no more connections", || is_closed(address).then_some(()));
    client.say("and the rest\r\n.", "250");
    let _ = client.send(b"QUIT\r\n");
    let status = world.serve.wait();
    assert_eq!(status.code(), Some(0), "{}", world.serve.log());
    let messages = maildir::messages(&world.maildir);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].contains("and the rest"));
}

/// Whether nobody listens any more, or says so at once.
fn is_closed(address: SocketAddr) -> bool {
    match TcpStream::connect(address) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionRefused,
    }
}

#[test]
fn hang_up_reloads_and_keeps_sessions() {
    let world = World::start();
    let mut old = world.client("192.0.2.66");
    let lenient = configuration(&world.nsd, &world.maildir).replace("fail = \"reject\"\n", "");
    world.serve.configure(&lenient);
    world.serve.signal("HUP");
    let text = "Subject: x\r\n\r\nbody";
    wait::until("the new configuration", || {
        let heard = world.client("192.0.2.66").message("a@vouched.test", "b@example.test", text);
        heard.starts_with("250").then_some(())
    });
    // The session that stands keeps what it began with.
    let heard = old.message("a@vouched.test", "b@example.test", text);
    assert!(heard.starts_with("550 5.7.23 "), "{heard}");
    old.say("QUIT", "221");
    let message = maildir::messages(&world.maildir).remove(0);
    assert!(maildir::field(&message, "Received-SPF").is_some_and(|spf| spf.starts_with("fail")));
}

#[test]
fn a_broken_configuration_changes_nothing() {
    let mut world = World::start();
    world.serve.configure("hostname = 1\n");
    world.serve.signal("HUP");
    wait::until("a complaint", || world.serve.log().contains("nothing was reloaded").then_some(()));
    assert!(world.serve.is_running());
    let heard = world.client("192.0.2.66").message("a@vouched.test", "b@example.test", "x: y");
    assert!(heard.starts_with("550 5.7.23 "), "{heard}");
}

/// How many clients send while the daemon is killed, and how many messages are acknowledged first.
const CLIENTS: usize = 8;
const ACKNOWLEDGED_MIN: usize = 50;

#[test]
fn sudden_death_loses_nothing_that_was_acknowledged() {
    let mut world = World::start();
    let address = world.serve.address("gateway");
    let (acknowledged, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let subjects: HashSet<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (acknowledged, stop) = (&acknowledged, &stop);
                scope.spawn(move || send_until_cut(address, client, acknowledged, stop))
            })
            .collect();
        wait::until("mail in transit", || {
            (acknowledged.load(Ordering::Relaxed) >= ACKNOWLEDGED_MIN).then_some(())
        });
        world.serve.signal("KILL");
        world.serve.wait();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
    });
    assert!(subjects.len() >= ACKNOWLEDGED_MIN);
    let messages = maildir::messages(&world.maildir);
    for message in &messages {
        assert!(message.ends_with("the end\n") || message.ends_with("the end\r\n"), "{message:?}");
    }
    let arrived: HashSet<String> =
        messages.iter().filter_map(|message| maildir::field(message, "Subject")).collect();
    assert_eq!(arrived.len(), messages.len(), "a message arrived twice");
    let lost: Vec<_> = subjects.difference(&arrived).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
}

/// Sends messages one after the other until the connection is cut; gives the acknowledged subjects.
fn send_until_cut(
    address: SocketAddr,
    client: usize,
    acknowledged: &AtomicUsize,
    stop: &AtomicBool,
) -> Vec<String> {
    let mut dialogue = Dialogue::open_as(address, "192.0.2.25", "client.test");
    let mut subjects = Vec::new();
    for number in 0.. {
        let subject = format!("{client}-{number}");
        let filling = "x".repeat(70) + "\r\n";
        let content =
            format!("Subject: {subject}\r\n\r\n{}the end\r\n.\r\n", filling.repeat(number % 40));
        let talk = [
            ("MAIL FROM:<a@vouched.test>\r\n".to_owned(), "250"),
            ("RCPT TO:<b@example.test>\r\n".to_owned(), "250"),
            ("DATA\r\n".to_owned(), "354"),
            (content, "250"),
        ];
        for (line, expected) in talk {
            let sent = dialogue.send(line.as_bytes());
            let reply = sent.and_then(|()| dialogue.reply()).unwrap_or_default();
            match reply {
                Some(reply) => assert!(reply.starts_with(expected), "{reply}"),
                None => return subjects,
            }
        }
        subjects.push(subject);
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    subjects
}
