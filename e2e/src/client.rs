//! Clients: Postfix's smtp-source, swaks, and a dialogue line by line.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Output;

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

/// A dialogue with an SMTP or LMTP server.
pub struct Dialogue {
    stream: BufReader<TcpStream>,
}

impl Dialogue {
    /// Connects and takes the greeting.
    ///
    /// # Panics
    /// When there is none.
    pub fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
        let mut dialogue = Self { stream: BufReader::new(stream) };
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
        let mut stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
        let (family, ours) = match client_address.contains(':') {
            true => ("TCP6", "::1"),
            false => ("TCP4", "127.0.0.1"),
        };
        let header = format!("PROXY {family} {client_address} {ours} 1025 25\r\n");
        stream.write_all(header.as_bytes()).expect("the server reads");
        let mut dialogue = Self { stream: BufReader::new(stream) };
        dialogue.expect("220");
        dialogue.say(&format!("EHLO {helo}"), "250");
        dialogue
    }

    /// Connects as a client that stands elsewhere, by the PROXY protocol (version 2), and takes the
    /// greeting.
    ///
    /// # Panics
    /// When there is none.
    pub fn open_by_proxy_2(server: SocketAddr, client: IpAddr) -> Self {
        let mut stream = TcpStream::connect(server).expect("the server listens");
        stream.set_read_timeout(Some(wait::DEADLINE)).expect("a time is given");
        stream.write_all(&proxy_header(client)).expect("the server reads");
        let mut dialogue = Self { stream: BufReader::new(stream) };
        dialogue.expect("220");
        dialogue
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
        self.stream.get_mut().write_all(octets)
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
