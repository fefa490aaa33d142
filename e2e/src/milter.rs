//! Mail servers that ask the milter as its page says.

use std::net::SocketAddr;
use std::path::Path;

use crate::filtered::Filtered;
use crate::quivive::Serve;
use crate::{book, peer};

/// The page's blocks for Postfix and for Sendmail.
const FOR_POSTFIX: usize = 0;
const FOR_SENDMAIL: usize = 1;

/// Where the page has its sockets and its name.
const POSTFIX_SOCKET: &str = "/var/spool/postfix/quivive/milter.sock";
const SENDMAIL_SOCKET: &str = "/run/quivive/milter.sock";
const NAME: &str = "mx.example.org";

/// A listener over TCP, in place of the page's.
pub const OVER_TCP: &str = "[[listen]]\ndoor = \"milter\"\naddress = \"127.0.0.1:0\"\n";

fn block(language: &str, index: usize) -> String {
    book::blocks(&book::page("milter.md"), language).remove(index).replace(NAME, "mx.example.test")
}

/// What leads Postfix to a milter over TCP.
pub fn by_tcp(serve: &Serve) -> String {
    format!("smtpd_milters = {}\n", inet(serve.address("milter")))
}

/// An address as Postfix writes it.
pub fn inet(address: SocketAddr) -> String {
    format!("inet:{}:{}", address.ip(), address.port())
}

/// The page's configuration for Postfix, with its socket below this folder.
fn configuration(name_server: SocketAddr, socket: &Path) -> String {
    // The group of that name is of the peer's folder alone.
    let group = format!("\"{}\"", peer::OWNER);
    let listener = block("toml", FOR_POSTFIX)
        .replace(POSTFIX_SOCKET, &socket.display().to_string())
        .replace("\"postfix\"", &group);
    listener + &resolver(name_server)
}

fn resolver(name_server: SocketAddr) -> String {
    format!("[resolver]\nservers = [\"{name_server}\"]\n")
}

/// A Postfix that asks as the page says. The folder is the one of the socket.
///
/// # Panics
/// When it does not start.
pub fn world(folder: &Path) -> Filtered {
    let socket = folder.join("milter.sock");
    let lines = |_: &Serve| {
        block("main.cf", 0).replace("quivive/milter.sock", &socket.display().to_string())
    };
    Filtered::start_as(|name_server| configuration(name_server, &socket), lines)
}

/// As the page says for Sendmail: the daemon with its socket in this folder, and the line of
/// `sendmail.mc` that leads there.
///
/// # Panics
/// When the daemon does not start.
pub fn for_sendmail(name_server: SocketAddr, folder: &Path) -> (Serve, String) {
    let socket = folder.join("milter.sock").display().to_string();
    let configuration = block("toml", FOR_SENDMAIL).replace(SENDMAIL_SOCKET, &socket);
    let serve = Serve::start(&(configuration + &resolver(name_server)));
    (serve, block("sendmail.mc", 0))
}
