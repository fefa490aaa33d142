//! What Postfix asks other programs, as codecs without sockets: [`policy`] delegation,
//! [`socketmap`] and [`tcp_table`]. Exim speaks the first through `${readsocket}`, Sendmail the
//! second.
//!
//! Each server side is a decoder that is fed what was read ([`Input`]) and gives what was asked,
//! and a writer for the answers. What a decoder gives borrows from what was read: nothing is
//! copied.
//!
//! Trusts: nothing that a client sends. Can be made to do: keep one request, up to its bound.

mod answer;
mod input;
mod netstring;
pub mod policy;
pub mod socketmap;
pub mod tcp_table;

pub use answer::Answer;
pub use input::Input;
pub use netstring::{NetstringError, Netstrings, write_netstring};
