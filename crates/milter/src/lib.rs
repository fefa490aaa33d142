//! The milter protocol, version 6, as Sendmail and Postfix speak it: the filter's side as a codec
//! and a [`Session`] without sockets.
//!
//! No standard describes it; what is here is what the two mail servers do. The mail server (MTA)
//! connects to the filter and says what it offers. The filter takes the least it needs
//! ([`Wishes`]): events that it does not ask for never come, and those it only listens to need no
//! answer. Then come connections, their messages, and for each message its parts; at the end of
//! the message the filter may change it ([`Edit`]).
//!
//! Trusts: that whoever connects is the MTA; who may connect is the driver's business. Can be made
//! to do: keep one packet and six lists of macros, each within its bound; nothing else of a message
//! is kept.

mod actions;
mod answer;
mod command;
mod edit;
mod error;
mod event;
mod macros;
mod negotiation;
mod packet;
mod session;
mod step;

pub use actions::Actions;
pub use answer::{Answer, REPLY_LINE_OCTETS_MAX, REPLY_LINES_MAX, Refusal};
pub use edit::{BODY_CHUNK_OCTETS_MAX, Edit};
pub use error::ProtocolError;
pub use event::{Address, Client, Event, Field, Peer};
pub use macros::{MacroStage, Macros};
pub use negotiation::{Offer, Terms, VERSION, VERSION_MIN, Wishes};
pub use packet::{COMMAND_OCTETS_MAX, PACKET_OCTETS_MAX, packet};
pub use session::Session;
pub use step::{Step, Steps};
