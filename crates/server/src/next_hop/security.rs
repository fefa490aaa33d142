//! How a relay is spoken to: by TLS, and with a login.

use std::fmt;

use data_encoding::BASE64;
use quivive_smtp::sasl::Mechanism;
use quivive_smtp::{Auth, Command, Extensions, Reply};
pub use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Connection, Lost};
use crate::stream::Stream;

/// How a next hop is spoken to. Without anything: in the clear, and without a name.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// TLS.
    pub tls: Option<ClientTls>,
    /// The login.
    pub login: Option<Login>,
}

/// TLS with a server that must have a certificate in its name.
#[derive(Clone)]
pub struct ClientTls {
    /// What makes the connection.
    pub connector: TlsConnector,
    /// The server's name or address.
    pub name: ServerName<'static>,
    /// Whether it begins with the first octet, and not after STARTTLS.
    pub implicit: bool,
}

/// A name with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl ClientTls {
    pub(super) async fn handshake(
        &self,
        stream: Stream,
        patience: std::time::Duration,
    ) -> Result<Stream, Lost> {
        let connecting = self.connector.connect(self.name.clone(), stream);
        let stream = timeout(patience, connecting).await.map_err(|_| Lost::TimedOut)?;
        Ok(Box::new(stream.map_err(Lost::Handshake)?))
    }
}

impl Connection {
    /// RFC 3207: what was offered in the clear is forgotten, and nothing that came in the clear is
    /// taken for what comes by TLS.
    pub(super) async fn start_tls(&mut self, tls: &ClientTls, hostname: &str) -> Result<(), Lost> {
        if !self.extensions.starttls {
            return Err(Lost::NoTls);
        }
        let reply = self.command(&Command::StartTls).await?;
        if reply.code != 220 {
            return Err(Lost::Unwelcome(reply));
        }
        if !self.input.is_empty() {
            return Err(Lost::OutOfStep);
        }
        let plain: Stream = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = tls.handshake(plain, self.patience.greeting).await?;
        self.extensions = Extensions::default();
        self.hello(hostname).await
    }

    /// RFC 4954, by the plainest mechanism there is: the connection is private, or on this host.
    pub(super) async fn log_in(&mut self, login: &Login) -> Result<(), Lost> {
        let offered = self.extensions.auth.unwrap_or_default();
        let Login { user, password } = login;
        let base64 = |text: &str| BASE64.encode(text.as_bytes());
        let reply = if offered.contains(Mechanism::Plain) {
            let response = base64(&format!("\0{user}\0{password}"));
            self.command(&auth(Mechanism::Plain, Some(response))).await?
        } else if offered.contains(Mechanism::Login) {
            self.command(&auth(Mechanism::Login, None)).await.and_then(prompted)?;
            self.respond(&base64(user)).await.and_then(prompted)?;
            self.respond(&base64(password)).await?
        } else {
            return Err(Lost::NoLogin);
        };
        match reply.code {
            235 => Ok(()),
            _ => Err(Lost::LoginRefused(reply)),
        }
    }
}

fn auth(mechanism: Mechanism, initial_response: Option<String>) -> Command {
    Command::Auth(Auth { mechanism: mechanism.name().to_owned(), initial_response })
}

fn prompted(reply: Reply) -> Result<(), Lost> {
    if reply.code == 334 { Ok(()) } else { Err(Lost::LoginRefused(reply)) }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientTls({:?})", self.name)
    }
}

/// Shows nothing of the password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user)
    }
}
