//! Quivive's window: the operator's pages with `/metrics`, and the page that tells a stranger why
//! its mail was refused.
//!
//! The pages need no script and load nothing from elsewhere. All text that a peer chose goes
//! through one type, which escapes it, isolates its direction and writes out what cannot be seen.
//! Nothing here decides anything: a replay judges recorded evidence, and changes nothing.
//!
//! ```text
//! Console (World, Settings) -> console_router -> converse(stream)
//! Public (Store)            -> public_router  -> converse(stream)
//! Metrics <- judgements, sessions
//! ```

mod access;
mod case;
mod cases;
mod chart;
mod connection;
mod exposition;
mod frame;
mod guard;
mod health;
mod lingering;
mod login;
mod metrics;
mod overview;
mod public;
mod records;
mod replay;
mod routes;
mod sent;
mod shown;
mod simulate;
mod state;
mod throttle;
mod tree;
mod trouble;
mod words;

pub use axum::Router as Pages;

pub use access::{
    PASSWORD_OCTETS_MAX, Password, PasswordError, SESSION_AGE_MAX, SESSION_IDLE, SESSIONS_MAX,
};
pub use connection::{CONNECTION_TIME, HEAD_OCTETS_MAX, HEAD_TIME, LAST_TIME, converse};
pub use guard::REQUEST_TIME;
pub use metrics::{LoginResult, Metrics, OpenSession, SrsResult};
pub use public::{Public, public_router};
pub use records::RECORDS_MAX;
pub use routes::{FORM_OCTETS_MAX, SIMULATION_OCTETS_MAX, console_router};
pub use simulate::SENDERS_MAX;
pub use state::{Console, Peer, Settings, World};
pub use throttle::{Throttle, network};
