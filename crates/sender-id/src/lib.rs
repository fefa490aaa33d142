//! Sender ID (RFC 4406): SPF's records and evaluation for the reverse-path or for the Purported
//! Responsible Address (RFC 4407) of the header, which a client may announce by SUBMITTER (RFC
//! 4405).
//!
//! [`SenderId`] takes the address (`pra.rs` for the header's) and hands it to [`quivive_spf`],
//! which selects records by scope.
//!
//! *Trusts:* nothing. *Can be made to do:* what SPF can. *Known harm:* anybody can put a Sender or
//! Resent-From of his own domain on top of a forged From: a pass says nothing about From.

mod check;
mod lint;
mod pra;
mod publish;

pub use check::{SUBMITTER_PROPERTY, SenderId};
pub use lint::SenderIdLint;
pub use pra::{Pra, pra, same_address};
pub use publish::SenderIdPublish;
