//! Clients: Postfix's smtp-source, swaks, msmtp, and a dialogue line by line.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use rustls::{ClientConnection, StreamOwned};

use crate::{peer, wait};

/// Runs `smtp-source` against a server, to its end.
///
/// # Panics
/// When it cannot be started.
pub fn smtp_source(server: SocketAddr, arguments: &[&str]) -> Output {
    let server = server.to_string();
    let words: Vec<&str> =
        ["smtp-source"].iter().chain(arguments).copied().chain([server.as_str()]).collect();
    peer::command("postfix", &words).output().expect("unshare starts")
}

/// Runs `swaks` against a server, to its end.
///
/// # Panics
/// When it cannot be started.
pub fn swaks(server: SocketAddr, arguments: &[&str]) -> Output {
    let server = server.to_string();
    let words: Vec<&str> =
        ["swaks", "--server", &server].iter().chain(arguments).copied().collect();
    peer::command("swaks", &words).output().expect("unshare starts")
}

/// Has `msmtp` send a message to these recipients as these lines of its configuration say, to its
/// end. What it says and hears stands on its output.
///
/// # Panics
/// When it cannot be started.
pub fn msmtp(account: &str, recipients: &[&str], message: &str) -> Output {
    let folder = peer::open_folder();
    let file = folder.path().join("msmtprc");
    fs::write(&file, format!("account default\n{account}")).expect("the folder is ours");
    // With a password in it, it has to be its owner's alone.
    let permissions = fs::Permissions::from_mode(0o600);
    fs::set_permissions(&file, permissions).expect("the file is ours");
    let file = format!("--file={}", file.display());
    let words: Vec<&str> = ["msmtp", "--debug", &file].iter().chain(recipients).copied().collect();
    let mut command = peer::command("msmtp", &words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("unshare starts");
    let mut input = child.stdin.take().expect("the input is piped");
    // It may have given up before it reads.
    let _ = input.write_all(message.as_bytes());
    drop(input);
    child.wait_with_output().expect("it ends")
}

/// What a dialogue goes over.
trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

/// A dialogue with an SMTP or LMTP server.
pub struct Dialogue {
    stream: BufReader<Box<dyn Duplex>>,
}

impl Dialogue {
    /// Connects and takes the greeting.
    ///
    /// # Panics
    /// When there is none.
    pub fn open(server: SocketAddr) -> Self {
        Self::greeted(connect(server))
    }

    /// As [`Dialogue::open`], by TLS from the first octet.
    ///
    /// # Panics
    /// When there is no greeting.
    pub fn open_by_tls(server: SocketAddr, tls: ClientConnection) -> Self {
        Self::greeted(StreamOwned::new(tls, connect(server)))
    }

    /// STARTTLS, and from then on TLS.
    ///
    /// # Panics
    /// When the server does not want to, or said more than that it does.
    pub fn start_tls(&mut self, tls: ClientConnection) {
        self.say("STARTTLS", "220");
        assert!(self.stream.buffer().is_empty(), "what comes in the clear counts for nothing");
        let nothing: Box<dyn Duplex> = Box::new(io::empty());
        let plain = std::mem::replace(&mut self.stream, BufReader::new(nothing)).into_inner();
        self.stream = BufReader::new(Box::new(StreamOwned::new(tls, plain)));
    }

    fn greeted(stream: impl Duplex + 'static) -> Self {
        let mut dialogue = Self { stream: BufReader::new(Box::new(stream)) };
        dialogue.expect("220");
        dialogue
    }

    /// Connects as a client that stands elsewhere, by XCLIENT, and says EHLO.
    ///
    /// # Panics
    /// When the server does not believe us.
    pub fn open_as(server: SocketAddr, client_address: &str, helo: &str) -> Self {
        let mut dialogue = Self::open(server);
        dialogue.say(&format!("EHLO {helo}"), "250");
        let address = match client_address.contains(':') {
            true => format!("IPV6:{client_address}"),
            false => client_address.to_owned(),
        };
        dialogue.say(&format!("XCLIENT ADDR={address}"), "220");
        dialogue.say(&format!("EHLO {helo}"), "250");
        dialogue
    }

    /// Connects as a client that stands elsewhere, by the PROXY protocol, and says EHLO.
    ///
    /// # Panics
    /// When the server does not believe us.
    pub fn open_by_proxy(server: SocketAddr, client_address: &str, helo: &str) -> Self {
        let mut stream = connect(server);
        let (family, ours) = match client_address.contains(':') {
            true => ("TCP6", "::1"),
            false => ("TCP4", "127.0.0.1"),
        };
        let header = format!("PROXY {family} {client_address} {ours} 1025 25\r\n");
        stream.write_all(header.as_bytes()).expect("the server reads");
        let mut dialogue = Self::greeted(stream);
        dialogue.say(&format!("EHLO {helo}"), "250");
        dialogue
    }

    /// Connects as a client that stands elsewhere, by the PROXY protocol (version 2), and takes the
    /// greeting.
    ///
    /// # Panics
    /// When there is none.
    pub fn open_by_proxy_2(server: SocketAddr, client: IpAddr) -> Self {
        let mut stream = connect(server);
        stream.write_all(&proxy_header(client)).expect("the server reads");
        Self::greeted(stream)
    }

    /// Sends a line and takes the reply, which must begin with `expected`.
    ///
    /// # Panics
    /// When it does not.
    pub fn say(&mut self, line: &str, expected: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes()).expect("the server reads");
        self.expect(expected)
    }

    /// Sends octets as they are.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(octets)?;
        stream.flush()
    }

    /// Takes a reply of one or more lines; nothing when the connection ends first.
    ///
    /// # Errors
    /// When the connection breaks, or after the deadline.
    pub fn reply(&mut self) -> io::Result<Option<String>> {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            if self.stream.read_line(&mut reply)? == 0 {
                return Ok(None);
            }
            if reply.as_bytes().get(start + 3) != Some(&b'-') {
                return Ok(Some(reply));
            }
        }
    }

    /// Takes a reply, which must begin with `expected`.
    ///
    /// # Panics
    /// When it does not.
    pub fn expect(&mut self, expected: &str) -> String {
        let reply = self.reply().expect("a reply comes").expect("the connection stands");
        assert!(reply.starts_with(expected), "expected {expected}, heard {reply}");
        reply
    }

    /// Sends a whole message and gives the reply to the first command that was refused, or the
    /// last.
    pub fn message(&mut self, sender: &str, recipient: &str, content: &str) -> String {
        let mail = self.ask(&format!("MAIL FROM:<{sender}>"));
        if !mail.starts_with("250") {
            return mail;
        }
        let rcpt = self.ask(&format!("RCPT TO:<{recipient}>"));
        if !rcpt.starts_with("250") {
            return rcpt;
        }
        self.say("DATA", "354");
        self.ask(&format!("{content}\r\n."))
    }

    /// Sends a line and takes whatever reply there is.
    ///
    /// # Panics
    /// When there is none.
    pub fn ask(&mut self, line: &str) -> String {
        self.say(line, "")
    }
}

/// A connection that waits for what is read until the deadline.
fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("the server listens");
    stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
    stream
}

/// A header of the PROXY protocol (version 2): a connection from this client.
fn proxy_header(client: IpAddr) -> Vec<u8> {
    let (family, addresses) = match client {
        IpAddr::V4(client) => (0x11, [client.octets(), [192, 0, 2, 1]].concat()),
        IpAddr::V6(client) => (0x21, [client.octets(), client.octets()].concat()),
    };
    let ports = [0x30, 0x39, 0, 25];
    let length = (addresses.len() + ports.len()) as u16;
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21".to_vec();
    header.push(family);
    header.extend(length.to_be_bytes());
    header.extend(addresses);
    header.extend(ports);
    header
}
