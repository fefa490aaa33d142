//! A submission server as its page says, and its users.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::client::Dialogue;
use crate::quivive::{self, Serve};
use crate::trust::{ClientCertificate, Trust};
use crate::{book, peer};

/// What everybody's password is.
pub const PASSWORD: &str = "sesame";

/// Who has a login.
pub const USERS: &[&str] = &["alice", "bob", "boss", "carol", "secretary"];

/// The page's configurations, in its order.
pub const SERVER: usize = 0;
/// Grants in a database.
pub const DATABASE: usize = 1;
/// Grants of a service.
pub const SERVICE: usize = 2;
/// Beside a Postfix that asks by milter.
pub const MILTER: usize = 3;
/// Beside a Postfix that asks the policy service.
pub const POLICY: usize = 4;

/// A message of alice's own.
pub const OWN: &str = "From: alice@example.org\r\nSubject: x\r\n\r\nHow are you?";

/// A block of the page in this language.
pub fn block(language: &str, index: usize) -> String {
    book::blocks(&book::page("submission.md"), language).remove(index)
}

/// A submission server, as the page configures it.
pub struct Submission {
    /// The daemon.
    pub serve: Serve,
    /// Its certificates; its other files lie beside them.
    pub trust: Trust,
}

impl Submission {
    /// Starts it before this next hop.
    pub fn start(next_hop: &str) -> Self {
        Self::start_with(next_hop, |configuration, _| configuration)
    }

    /// As [`Submission::start`], with a configuration that was changed, which names files of the
    /// folder of certificates.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_with(next_hop: &str, change: impl FnOnce(String, &Trust) -> String) -> Self {
        let trust = Trust::new();
        fs::write(trust.path("grants"), block("grants", 0)).expect("the folder is ours");
        write_users(&trust.path("users"));
        let configuration = block("toml", SERVER)
            .replace("0.0.0.0:587", "127.0.0.1:0")
            .replace("0.0.0.0:465", "127.0.0.1:0")
            .replace("smtp:127.0.0.1:25", next_hop);
        let configuration = in_folder(&change(configuration, &trust), &trust);
        Self { serve: Serve::start(&configuration), trust }
    }

    /// Where TLS begins by STARTTLS.
    pub fn by_starttls(&self) -> SocketAddr {
        self.serve.addresses("submission")[0]
    }

    /// Where TLS begins at once.
    pub fn by_tls(&self) -> SocketAddr {
        self.serve.addresses("submission")[1]
    }

    /// A client in TLS that has said EHLO.
    pub fn connect(&self) -> Dialogue {
        self.connect_as(None)
    }

    /// As [`Submission::connect`], with a certificate.
    pub fn connect_as(&self, own: Option<&ClientCertificate>) -> Dialogue {
        let mut client = Dialogue::open(self.by_starttls());
        client.say("EHLO laptop.test", "250");
        client.start_tls(self.trust.connection(own));
        client.say("EHLO laptop.test", "250");
        client
    }

    /// A client that has logged in.
    pub fn log_in(&self, user: &str) -> Dialogue {
        let mut client = self.connect();
        client.say(&plain("", user, PASSWORD), "235 2.7.0");
        client
    }
}

/// AUTH PLAIN (RFC 4616).
pub fn plain(acts_as: &str, user: &str, password: &str) -> String {
    format!("AUTH PLAIN {}", base64(format!("{acts_as}\0{user}\0{password}").as_bytes()))
}

/// RFC 4648 section 4.
pub fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// The configuration with its files where they are.
pub fn in_folder(configuration: &str, trust: &Trust) -> String {
    let mut configuration = configuration.to_owned();
    for name in ["grants", "users", "c.pem", "k.pem", "ca.pem", "grants.token", "accounts.db"] {
        let path = format!("\"{}\"", trust.path(name).display());
        configuration = configuration.replace(&format!("\"{name}\""), &path);
    }
    configuration
}

/// The configuration with another table `[binding]`.
///
/// # Panics
/// When it has none.
pub fn with_binding(configuration: &str, binding: &str) -> String {
    let (before, rest) = configuration.split_once("[binding]\n").expect("there is such a table");
    let (_, after) = rest.split_once("\n[").expect("another table follows it");
    format!("{before}{binding}\n[{after}")
}

/// Writes the file of users as `quivive user passwd` makes it.
///
/// # Panics
/// When it cannot be made.
pub fn write_users(path: &Path) {
    // Each password is work by intent: once for all tests of a process.
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let folder = peer::open_folder();
        let file = folder.path().join("users");
        USERS.iter().for_each(|user| set_password(&file, user, PASSWORD));
        fs::read_to_string(file).expect("it was made")
    });
    fs::write(path, text).expect("the folder is ours");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
}

/// Sets the password of a user in a file, by the program.
///
/// # Panics
/// When it cannot be set.
pub fn set_password(file: &Path, user: &str, password: &str) {
    let mut command = Command::new(quivive::program());
    command.args(["user", "passwd", user, "--file"]).arg(file);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("the input is piped");
    writeln!(input, "{password}").expect("the program reads");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_written_in_base64() {
        for (octets, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(octets.as_bytes()), text);
        }
    }

    #[test]
    fn a_table_takes_the_place_of_another() {
        let text = "a = 1\n[binding]\nx = 1\n\n[[listen]]\ny = 1\n";
        assert_eq!(
            with_binding(text, "[binding]\nz = 1\n"),
            "a = 1\n[binding]\nz = 1\n\n[[listen]]\ny = 1\n"
        );
    }
}
