//! The lines that lead a mail server of this machine to the listeners of the configuration. Nothing
//! of the mail server is read, and nothing is changed.

mod exim;
mod opensmtpd;
mod postfix;
mod sendmail;

use std::io::Write;
use std::process::ExitCode;

use quivive_config::{Address, Config, Door, Listen};
use serde::Serialize;

use crate::command_line::{Global, MailServer, Setup};
use crate::error::Error;
use crate::style::STRONG;
use crate::{json, world};

/// What `--json` says.
#[derive(Serialize)]
struct SetupJson<'a> {
    mail_server: &'a str,
    parts: &'a [Part],
    checks: &'a [String],
}

/// Lines for one place.
#[derive(Serialize)]
struct Part {
    /// The file, and where in it.
    place: String,
    /// Which of our doors they lead to.
    door: &'static str,
    text: String,
}

/// What is to be done about a mail server.
#[derive(Default)]
struct Instructions {
    parts: Vec<Part>,
    /// What is to be looked at, a sentence each.
    checks: Vec<String>,
}

/// Prints the lines, and what is to be checked.
pub(crate) fn run(global: &Global, setup: &Setup) -> Result<ExitCode, Error> {
    let config = world::kept_config(global)?;
    let instructions = match setup.mail_server {
        MailServer::Postfix => postfix::instructions(&config)?,
        MailServer::Exim => exim::instructions(&config)?,
        MailServer::Sendmail => sendmail::instructions(&config)?,
        MailServer::Opensmtpd => opensmtpd::instructions(&config)?,
    };
    let mail_server = setup.mail_server.word();
    let Instructions { parts, checks } = &instructions;
    let mut out = anstream::stdout().lock();
    if global.json {
        out.write_all(&json::line(&SetupJson { mail_server, parts, checks }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for Part { place, text, .. } in parts {
        writeln!(out, "{STRONG}# {place}{STRONG:#}\n{text}")?;
    }
    writeln!(out, "{STRONG}# See that{STRONG:#}")?;
    for check in checks {
        writeln!(out, "# - {check}")?;
    }
    Ok(ExitCode::SUCCESS)
}

impl MailServer {
    fn word(self) -> &'static str {
        match self {
            Self::Postfix => "postfix",
            Self::Exim => "exim",
            Self::Sendmail => "sendmail",
            Self::Opensmtpd => "opensmtpd",
        }
    }
}

impl Instructions {
    fn part(&mut self, place: impl Into<String>, door: Door, text: String) {
        self.parts.push(Part { place: place.into(), door: door.word(), text });
    }

    fn check(&mut self, check: impl Into<String>) {
        self.checks.push(check.into());
    }

    /// What can stand between a mail server and this listener.
    fn check_way_to(&mut self, listen: &Listen, account: &str) {
        let Listen { door, address, socket_mode, socket_group, socket_owner, .. } = listen;
        let door = door.word();
        match address {
            Address::Tcp(address) if address.port() == 0 => self.check(format!(
                "the {door} listener has a port of its own: with port 0 it is another one after \
                 each start"
            )),
            Address::Tcp(address) if !address.ip().to_canonical().is_loopback() => {
                self.check(format!(
                    "nobody but your mail servers reaches {address}: whoever does is answered"
                ));
            }
            Address::Tcp(_) => {}
            Address::Unix(path) => {
                let path = path.display();
                if socket_mode.is_none() && socket_group.is_none() && socket_owner.is_none() {
                    self.check(format!(
                        "{account} may write to {path}: `socket_group` and `socket_mode = \
                         \"0660\"` of the listener say so"
                    ));
                }
            }
        }
    }
}

/// The listeners of a door.
fn listeners(config: &Config, door: Door) -> impl Iterator<Item = &Listen> + Clone {
    config.listen.iter().filter(move |listen| listen.door == door)
}

/// No listener is of any use to the mail server.
fn nothing_to_ask(mail_server: &str, door: &str, port: u16) -> Error {
    Error::Unclear(format!(
        "this configuration has no listener that {mail_server} can ask; add one such as\n\n\
         [[listen]]\ndoor = \"{door}\"\naddress = \"127.0.0.1:{port}\"\n"
    ))
}

/// An address as a program on this host reaches it.
fn reached(address: std::net::SocketAddr) -> std::net::SocketAddr {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    (ip, address.port()).into()
}

/// A name as it stands in a regular expression.
fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        if !character.is_alphanumeric() && character != '-' {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_on_loopback() {
        let reach = |address: &str| reached(address.parse().unwrap()).to_string();
        assert_eq!(reach("0.0.0.0:25"), "127.0.0.1:25");
        assert_eq!(reach("[::]:25"), "[::1]:25");
        assert_eq!(reach("192.0.2.1:25"), "192.0.2.1:25");
    }

    #[test]
    fn names_mean_themselves_in_expressions() {
        assert_eq!(escaped("mx-1.example.org"), "mx-1\\.example\\.org");
        assert_eq!(escaped("a+b|c"), "a\\+b\\|c");
    }
}
