//! A Postfix that asks the policy service as its page says.

use std::fs;
use std::net::SocketAddr;

use crate::book;
use crate::filtered::Filtered;
use crate::peer;
use crate::quivive::Serve;

/// Where the page has its listener, its name, and its rules for the header.
const ADDRESS: &str = "127.0.0.1:10040";
const NAME: &str = "mx.example.org";
const RULES: &str = "/etc/postfix/quivive.header_checks";

/// The page's block that asks at RCPT.
pub const AT_RCPT: usize = 0;
/// The block that asks at DATA besides.
pub const AT_DATA: usize = 1;
/// The block that asks at the end of the message.
pub const AT_THE_END: usize = 2;
/// The block that asks over a UNIX socket.
pub const OVER_UNIX_SOCKET: usize = 3;
/// The block that lets mail through while nobody answers.
pub const WITHOUT_US: usize = 4;

/// Where the page has its UNIX socket, below the folder of the daemon in tests.
const SOCKET: &str = "/run/quivive/policy";

/// What is configured as the page says, in our name.
fn block(language: &str, index: usize) -> String {
    let page = book::page("postfix.md");
    let escaped = |name: &str| name.replace('.', "\\.");
    book::blocks(&page, language)
        .remove(index)
        .replace(NAME, "mx.example.test")
        .replace(&escaped(NAME), &escaped("mx.example.test"))
}

/// The page's configuration of Quivive on a free port, without its store.
pub fn configuration(name_server: SocketAddr) -> String {
    block("toml", 0).replace(ADDRESS, "127.0.0.1:0").replace("quivive.db", "")
        + &format!("[resolver]\nservers = [\"{name_server}\"]\n")
}

/// The page's lines for `main.cf`, with the daemon where it is, and its rules for the header.
///
/// # Panics
/// When the rules cannot be written.
pub fn main_cf(serve: &Serve, blocks: &[usize]) -> String {
    let rules = serve.folder().join("quivive.header_checks");
    fs::write(&rules, block("header_checks", 0)).expect("the folder is ours");
    let lines: String = blocks.iter().map(|index| block("main.cf", *index)).collect();
    let lines = lines.replace(RULES, &rules.display().to_string());
    match serve.listening("policy").strip_prefix("unix:") {
        Some(path) => {
            let inet = format!("inet:{ADDRESS}");
            lines.replace(SOCKET, path).replace(&inet, &format!("unix:{path}"))
        }
        None => lines.replace(ADDRESS, serve.listening("policy")),
    }
}

/// A Postfix that asks over a UNIX socket, as these blocks say.
pub fn world_with_socket(blocks: &[usize]) -> Filtered {
    let configuration = |name_server| {
        let listener = block("toml", 1).replace(SOCKET, "policy.sock");
        // The group of that name is of the peer's folder alone.
        let group = format!("\"{}\"", peer::OWNER);
        let listener = listener.replace("\"postfix\"", &group);
        let whole = configuration(name_server);
        let (head, rest) = whole.split_once("[[listen]]").expect("the page has a listener");
        let (_, rest) = rest.split_once("\n\n").expect("something follows it");
        format!("{head}{listener}\n{rest}")
    };
    Filtered::start_as(configuration, |serve| main_cf(serve, blocks))
}

/// A Postfix that asks as these blocks say.
pub fn world(blocks: &[usize]) -> Filtered {
    Filtered::start_as(configuration, |serve| main_cf(serve, blocks))
}

/// As [`world`] at RCPT, with a daemon that is found at the same port after a restart.
pub fn lasting_world() -> Filtered {
    let world = world(&[AT_RCPT]);
    let listening = world.serve.address("policy").to_string();
    let configuration = configuration(world.nsd.address).replace("127.0.0.1:0", &listening);
    world.serve.configure(&configuration);
    world
}
