use std::sync::Arc;
use std::time::Duration;

use quivive_mail::Aliases;

use crate::srs::Rewriter;

/// How a milter is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name in results.
    pub hostname: String,
    /// How many connections a listener has at most; more are closed at once.
    pub connections_max: usize,
    /// How long mail servers are waited for.
    pub patience: Patience,
    /// How addresses of the envelope are rewritten; none: they are not.
    pub forwarding: Option<Forwarding>,
}

/// How a milter rewrites the addresses of mail that is forwarded.
#[derive(Debug, Clone)]
pub struct Forwarding {
    /// Which addresses stand for which others. It is the mail server that expands them, later.
    pub aliases: Arc<Aliases>,
    /// What rewrites senders, and finds originals.
    pub rewriter: Rewriter,
    /// Whether nothing else is done: mail comes a second time here, judged and marked already.
    pub is_all: bool,
}

/// How long mail servers are waited for. The defaults are the bounds; tests have others.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the first packet, which says what the mail server offers.
    pub greeting: Duration,
    /// Without a packet: longer than mail servers wait for their clients, which they do with a
    /// connection to us open. Sendmail waits an hour for a command.
    pub quiet: Duration,
    /// Until the mail server takes what we say.
    pub write: Duration,
    /// Between two words to a mail server that a check still runs.
    pub progress: Duration,
    /// For a check at RCPT, where the mail server cannot be told that it still runs. Sendmail waits
    /// ten seconds unless it is told otherwise. What comes out later counts at the end of the
    /// message.
    pub silence: Duration,
    /// Without a packet and without a message, once the daemon wants to end: then the connection is
    /// closed. Its client, if there still is one, has a temporary error.
    pub farewell: Duration,
}

impl Settings {
    /// How many connections a listener has at most, unless it is said.
    pub const CONNECTIONS_MAX: usize = 1000;

    /// A milter of this name, with the defaults.
    pub fn new(hostname: &str) -> Self {
        Self {
            hostname: hostname.to_owned(),
            connections_max: Self::CONNECTIONS_MAX,
            patience: Patience::default(),
            forwarding: None,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            greeting: Duration::from_secs(30),
            quiet: Duration::from_secs(2 * 60 * 60),
            write: Duration::from_secs(60),
            progress: Duration::from_secs(10),
            silence: Duration::from_secs(8),
            farewell: Duration::from_secs(2),
        }
    }
}
