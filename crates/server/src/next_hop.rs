//! Where the gateway's mail goes: an SMTP or LMTP server, or a Maildir; and what leads elsewhere, a
//! relay.

mod connection;
mod link;
mod pool;
mod security;
#[cfg(test)]
mod security_tests;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use self::connection::{Connection, Lost, SendError};
#[cfg(test)]
pub(crate) use self::link::{CONNECTIONS_MAX, CROWDED_WAIT, OFFER_TIME};
pub(crate) use self::link::{Link, RemoteHop};
pub use self::security::{ClientTls, Login, Security, ServerName};

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextHop {
    /// Another server.
    Remote(Target),
    /// One Maildir for all.
    Maildir(PathBuf),
}

/// A server that takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it speaks.
    pub dialect: Dialect,
    /// Where it is.
    pub place: Place,
}

/// What a next hop speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SMTP (RFC 5321).
    Smtp,
    /// LMTP (RFC 2033): one reply per recipient, of which we therefore give it one.
    Lmtp,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A host name or address, and a port.
    Tcp(String, u16),
    /// A UNIX socket.
    Unix(PathBuf),
}

/// How long a next hop is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the connection stands.
    pub connect: Duration,
    /// For the greeting, and for answers to EHLO and XCLIENT.
    pub greeting: Duration,
    /// For answers to MAIL, RCPT, RSET and DATA. RFC 5321 section 4.5.3.2 would have five minutes;
    /// our own client waits no longer than that itself.
    pub command: Duration,
    /// Until a block of the message is taken (RFC 5321 section 4.5.3.2.5).
    pub block: Duration,
    /// For the answer to the end of the message: a little less than the ten minutes of RFC 5321
    /// section 4.5.3.2.6, which our client waits as well.
    pub end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            greeting: Duration::from_secs(30),
            command: Duration::from_secs(120),
            block: Duration::from_secs(180),
            end: Duration::from_secs(540),
        }
    }
}
