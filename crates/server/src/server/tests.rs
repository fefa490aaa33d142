use quivive_postfix::Answer;
use quivive_resolver::{Resolver, Zone};
use quivive_smtp::{Reply, ReplyDecoder};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use super::*;
use crate::asking::Patience;
use crate::gateway::Settings;
use crate::gateway::tests::world::checker;
use crate::ledger::Ledger;
use crate::listener::TURNED_AWAY_MAX;
use crate::maps::Map;
use crate::next_hop::NextHop;
use crate::opensmtpd;
use crate::stream::Stream;

async fn listener(address: &Address, folder: &TempDir, hostname: &str) -> Listener {
    let mut settings = Settings::new(hostname, NextHop::Maildir(folder.path().join("Maildir")));
    settings.spool_folder = folder.path().to_owned();
    let gateway = Gateway::new(settings, checker()).await.unwrap();
    let access = Access::default();
    Listener { address: address.clone(), access, door: Door::Gateway(Box::new(gateway)) }
}

async fn connect(address: &Address) -> io::Result<Stream> {
    Ok(match address {
        Address::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
    })
}

async fn reply(stream: &mut Stream) -> Reply {
    let mut input = Vec::new();
    loop {
        assert_ne!(stream.read_buf(&mut input).await.unwrap(), 0);
        if let (_, Some(reply)) = ReplyDecoder::new().decode(&input).unwrap() {
            return reply;
        }
    }
}

async fn ask(stream: &mut Stream, line: &str) -> Reply {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    reply(stream).await
}

fn any_port() -> Address {
    Address::Tcp(([127, 0, 0, 1], 0).into())
}

#[tokio::test]
async fn sessions_keep_what_they_began_with_over_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let unix = Address::Unix(folder.path().join("socket"));
    let configured = [any_port(), unix];
    let mut listeners = Vec::new();
    for address in &configured {
        listeners.push(listener(address, &folder, "old.example").await);
    }
    let server = Server::start(listeners, DRAIN_TIME).await.unwrap();
    let addresses: Vec<Address> = server.addresses().map(|(_, address)| address.clone()).collect();
    for (address, configured) in addresses.iter().zip(&configured) {
        let mut before = connect(address).await.unwrap();
        assert!(reply(&mut before).await.text.starts_with("old.example"));
        server.reload(vec![listener(configured, &folder, "new.example").await]);
        assert_eq!(ask(&mut before, "HELO c").await.text, "old.example");
        let mut after = connect(address).await.unwrap();
        assert!(reply(&mut after).await.text.starts_with("new.example"));
    }
}

#[tokio::test]
async fn draining_accepts_no_more_and_ends_what_does_not_end() {
    let folder = tempfile::tempdir().unwrap();
    let unix = Address::Unix(folder.path().join("socket"));
    let listeners = vec![listener(&unix, &folder, "mx.example").await];
    let server = Server::start(listeners, Duration::from_millis(100)).await.unwrap();
    let mut idle = connect(&unix).await.unwrap();
    reply(&mut idle).await;
    let mut busy = connect(&unix).await.unwrap();
    reply(&mut busy).await;
    ask(&mut busy, "HELO c").await;
    assert_eq!(ask(&mut busy, "MAIL FROM:<>").await.code, 250);
    server.drain().await;
    assert_eq!(reply(&mut idle).await.code, 421);
    // The one that never finished was cut off.
    assert_eq!(busy.read(&mut [0]).await.unwrap(), 0);
    assert!(connect(&unix).await.is_err());
}

#[tokio::test]
async fn more_connections_than_there_may_be_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let unix = Address::Unix(folder.path().join("socket"));
    let mut settings = Settings::new("mx", NextHop::Maildir(folder.path().join("Maildir")));
    settings.connections_max = 1;
    let gateway = Gateway::new(settings, checker()).await.unwrap();
    let door = Door::Gateway(Box::new(gateway));
    let server = Server::start(
        vec![Listener { address: unix.clone(), access: Access::default(), door }],
        DRAIN_TIME,
    )
    .await;
    let server = server.unwrap_or_else(|(_, error)| panic!("{error}"));
    let mut first = connect(&unix).await.unwrap();
    assert_eq!(reply(&mut first).await.code, 220);
    let mut crowd = Vec::new();
    for _ in 0..TURNED_AWAY_MAX {
        let mut other = connect(&unix).await.unwrap();
        let refusal = reply(&mut other).await;
        assert_eq!((refusal.code, refusal.enhanced.unwrap().to_string()), (421, "4.3.2".into()));
        assert_eq!(other.read(&mut [0]).await.unwrap(), 0);
        crowd.push(other);
    }
    // Nor are those many without end: this one hears nothing, as all the others still linger.
    let mut silent = connect(&unix).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(ask(&mut first, "NOOP").await.code, 250);
    assert_eq!(ask(&mut first, "QUIT").await.code, 221);
    drop((first, crowd));
    // There is a place once the first one's session is over.
    while reply(&mut connect(&unix).await.unwrap()).await.code != 220 {}
    server.drain().await;
}

/// No key is in it.
struct Nothing;

impl Map for Nothing {
    fn look_up(&self, _: &str) -> Answer {
        Answer::NotFound("not here")
    }
}

/// The doors of which nothing else tests it; what a client says there, and what it hears first.
async fn quick_doors(folder: &TempDir) -> Vec<(Listener, &'static str, &'static str)> {
    const PAGE: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let map: Arc<dyn Map> = Arc::new(Nothing);
    let maps = [("forward".to_owned(), map.clone())].into();
    let world = quivive_console::World {
        store: None,
        policy: checker().policy().clone(),
        resolver: Resolver::from_zone(Zone::parse(b"").unwrap()),
        metrics: Arc::default(),
    };
    let doors = [
        (
            Door::Opensmtpd(Opensmtpd::new(opensmtpd::Settings::new("mx"), checker())),
            "",
            "{\"talk\":1,",
        ),
        (
            Door::Socketmap(Socketmap { maps, ..Socketmap::default() }),
            "9:forward x,",
            "17:NOTFOUND not here,",
        ),
        (
            Door::TcpTable(TcpTable {
                map,
                patience: Patience::default(),
                ledger: Ledger::default(),
            }),
            "get x\n",
            "500 not here\n",
        ),
        (
            Door::Console(Web { pages: Console::new(world, Default::default()), tls: None }),
            PAGE,
            "HTTP/1.1 ",
        ),
        (
            Door::Public(Web { pages: Public::new(None, "http://localhost/", "mx"), tls: None }),
            PAGE,
            "HTTP/1.1 ",
        ),
    ];
    let gateway = listener(&any_port(), folder, "mx").await;
    let others = doors.into_iter().map(|(door, said, heard)| {
        let (address, access) = (any_port(), Access::default());
        (Listener { address, access, door }, said, heard)
    });
    [(gateway, "", "220 mx ")].into_iter().chain(others).collect()
}

#[tokio::test]
async fn a_hundred_silent_connections_do_not_delay_the_next() {
    let folder = tempfile::tempdir().unwrap();
    for (listener, said, expected) in quick_doors(&folder).await {
        let server = Server::start(vec![listener], DRAIN_TIME).await;
        let server = server.unwrap_or_else(|(_, error)| panic!("{error}"));
        let (word, address) = server.addresses().next().unwrap();
        let address = address.clone();
        let mut silent = Vec::new();
        for number in 0..100 {
            let mut stream = connect(&address).await.unwrap();
            // Some have begun to ask.
            let begun = said.len().min(number % 5);
            stream.write_all(&said.as_bytes()[..begun]).await.unwrap();
            silent.push(stream);
        }
        let mut stream = connect(&address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut heard = vec![0; expected.len()];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), expected, "{word}");
        drop((stream, silent));
        server.drain().await;
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_and_a_leftover_socket_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let unix = Address::Unix(folder.path().join("socket"));
    let start =
        async || Server::start(vec![listener(&unix, &folder, "mx").await], DRAIN_TIME).await;
    // As a process leaves it that was killed.
    drop(std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap());
    let server = start().await.unwrap_or_else(|(_, error)| panic!("{error}"));
    let (address, error) = start().await.err().unwrap();
    assert_eq!((address, error.kind()), (unix.clone(), io::ErrorKind::AddrInUse));
    server.drain().await;
    assert!(!folder.path().join("socket").exists());
}

#[tokio::test]
async fn the_socket_of_a_successor_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let unix = Address::Unix(path.clone());
    let listeners = vec![listener(&unix, &folder, "mx").await];
    let server = Server::start(listeners, DRAIN_TIME).await.unwrap();
    // The first file stays alive, so that its number is not given again.
    std::fs::rename(&path, folder.path().join("old")).unwrap();
    let _successor = std::os::unix::net::UnixListener::bind(&path).unwrap();
    server.drain().await;
    assert!(path.exists());
}

#[tokio::test]
async fn a_socket_belongs_to_whom_it_was_given() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let unix = Address::Unix(path.clone());
    let start = async |access: Access| {
        let listener = Listener { access, ..listener(&unix, &folder, "mx").await };
        Server::start(vec![listener], DRAIN_TIME).await
    };
    let only_owner = Access { mode: Some(0o600), ..Access::default() };
    let server = start(only_owner).await.unwrap_or_else(|(_, error)| panic!("{error}"));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.drain().await;
    let nobody = Access { owner: Some("nobody here".to_owned()), ..Access::default() };
    let (_, error) = start(nobody).await.err().unwrap();
    assert_eq!(error.to_string(), "there is no account `nobody here`");
    assert!(!path.exists());
}
