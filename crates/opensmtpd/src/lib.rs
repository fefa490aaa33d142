//! A filter for OpenSMTPD (smtpd-filters(7)), without any I/O: what smtpd says is given to
//! [`Filter`] line by line, what it is to hear comes out, and in between the filter asks a daemon
//! about each message.
//!
//! ```text
//! smtpd --lines--> Filter --Event::Begin, Ask, End--> whoever talks with the daemon (talk)
//! smtpd <--lines-- Filter <--answered, lost---------- whoever talks with the daemon
//! ```
//! The filter only translates: the daemon decides. A refusal for who sends is spoken at RCPT, one
//! for the message at its end. The lines of a message are held until the daemon has its header and
//! has said what belongs on top; then they go on as they come.
//!
//! Trusts: smtpd, for who its clients are. Can be made to do: hold up to [`HEADER_HELD_MAX`] octets
//! of a message, and as much again as comes until the daemon answers, for which the driver stops
//! reading at [`HELD_MAX`].

mod editing;
mod filter;
mod line;
mod session;
pub mod talk;
mod transaction;

pub use editing::HEADER_HELD_MAX;
pub use filter::{Event, Filter, HELD_MAX, SESSIONS_MAX, Settings, TransactionId, WhenDown};
pub use line::{LINE_OCTETS_MAX, Line, Malformed, Phase, Report, Request, Version};
