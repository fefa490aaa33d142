//! The HTTP door: programs ask about messages and look at cases, with a token.
//!
//! ```text
//! request -> access: rate of the address, token, rate of the token
//!         -> check:  body -> contract::Request -> Checker -> contract::JudgementJson, a case
//!         -> cases:  the store -> contract::CaseJson
//!         -> srs:    body -> Rewriter -> contract::SrsJson
//! ```
//! A request chooses a message, methods and identities, and nothing else: no file, no resolver, no
//! zone, no configuration, no time. The door decides nothing: what is answered is the verdict.

mod access;
mod answer;
mod body;
mod cases;
mod check;
mod connection;
mod limits;
mod router;
mod srs;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

pub use self::body::{BODY_TIME, LARGE_AT_ONCE, REQUEST_OCTETS_MAX, SMALL_OCTETS_MAX};
pub use self::check::{ENVELOPE_OCTETS_MAX, ID_OCTETS_MAX, RECIPIENTS_MAX};
pub(crate) use self::connection::{NO_PLACE, converse};
use self::limits::Limits;
pub use self::router::{DESCRIPTION, REQUEST_TIME, router};
use self::tokens::{Tokens, TokensError};
use crate::check::Checker;
use crate::ledger::Ledger;
use crate::srs::Rewriter;

/// How an HTTP door is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name.
    pub receiver: String,
    /// Where the tokens are, as hashes.
    pub token_file: PathBuf,
    /// How many requests a minute one token may make, and one client address.
    pub requests_per_minute: u32,
    /// How many connections one client address may hold; loopback may more.
    pub connections_per_address: usize,
    /// What rewrites addresses for forwarding, if anything does.
    pub rewriter: Option<Rewriter>,
}

/// An HTTP door that is ready for clients. Clones share everything.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    settings: Settings,
    checker: Checker,
    ledger: Ledger,
    tokens: Tokens,
    /// What outlives reloads.
    lasting: Arc<Lasting>,
}

struct Lasting {
    limits: Limits,
    /// Places for large bodies, of which each takes much memory.
    large: Semaphore,
}

impl Api {
    /// Makes a door ready: reads its tokens.
    ///
    /// # Errors
    /// They are not usable.
    pub fn new(settings: Settings, checker: Checker, ledger: Ledger) -> Result<Self, TokensError> {
        let tokens = Tokens::open(&settings.token_file)?;
        let limits = Limits::new(settings.requests_per_minute);
        let lasting = Arc::new(Lasting { limits, large: Semaphore::new(LARGE_AT_ONCE) });
        Ok(Self(Arc::new(Inner { settings, checker, ledger, tokens, lasting })))
    }

    /// The door that takes the place of an older one: what was used up of its limits stays so,
    /// unless they are others.
    #[must_use]
    pub fn in_place_of(self, older: &Self) -> Self {
        if self.0.settings.requests_per_minute != older.0.settings.requests_per_minute {
            return self;
        }
        let lasting = older.0.lasting.clone();
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { lasting, ..inner })),
            // Somebody talks with it already; then it keeps its own.
            Err(shared) => Self(shared),
        }
    }

    /// How it was set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }
}
