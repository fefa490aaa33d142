//! SMTP (RFC 5321) and LMTP (RFC 2033) as codecs and sessions without sockets.
//!
//! Framing is strict in both directions: only CRLF ends a line, only CRLF.CRLF ends DATA, and a
//! bare CR or LF is an error, so that no two hosts can disagree about where a message ends.
//!
//! Trusts: nothing that a peer sends. Can be made to do: keep a command line, a reply and a few
//! octets of look-ahead; content is handed on, never kept.

mod command;
mod data;
mod extensions;
mod line;
mod parameters;
mod path;
pub mod proxy;
mod reply;
pub mod sasl;
pub mod session;
mod xclient;
pub mod xtext;

pub use command::{Auth, Command, CommandError, Mail, Rcpt};
pub use data::{BdatDecoder, DataDecoder, DataEncoder, Decoded};
pub use extensions::Extensions;
pub use line::{COMMAND_LINE_OCTETS_MAX, DATA_LINE_OCTETS_MAX, LineDecoder, LineError};
pub use parameters::{Body, MailParameters, NO_SUBMITTER, Notify, RcptParameters, Ret};
pub use reply::{REPLY_LINE_OCTETS_MAX, REPLY_LINES_MAX, Reply, ReplyDecoder, ReplyError};
pub use session::{Event, Session};
pub use xclient::{Stated, Xclient};
