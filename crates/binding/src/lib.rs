//! Submission binding: a client may use only the return addresses that the server knows to be its
//! own, in the envelope (RFC 6409 section 6.1) and in the header (section 6.3).
//!
//! Who may use what is a matter of [`Grant`]s: an identity (a login, a certificate, a network), a
//! pattern of addresses, and for what. They are stored somewhere: in a [`GrantTable`], a database,
//! a service; [`Binding`], the method, asks for them as for any other evidence
//! ([`quivive_evidence::Question::Stored`]), so that a recorded message can be judged again.
//!
//! ```text
//! facts: login, reverse-path, header --> Binding --asks `grants:ADDRESS CLIENT`--> a source: Query
//!                                           |       `usage:LOGIN ...`         --> a counter: Use
//!                                           v
//!                                        Finding: pass, fail, none, policy, temperror, permerror
//! ```
//!
//! Trusts: the source of the grants. Can be made to do: ask one question for each address that a
//! message names, and no more than [`ADDRESSES_MAX`] of them.

mod address;
mod author;
mod binding;
mod client;
mod grant;
mod names;
mod ownership;
mod query;
mod rate;
mod resent;
mod rules;
mod table;
mod usage;
mod words;

pub use address::Address;
pub use binding::Binding;
pub use client::Client;
pub use grant::{Grant, GrantError, Holder, Scope, Scopes};
pub use ownership::{ADDRESSES_MAX, GRANTS};
pub use query::{ENTRIES_MAX, PARENTS_MAX, Query, QueryError, Subject};
pub use rate::Rate;
pub use rules::{Excuse, Mode, Rules};
pub use table::{GRANTS_MAX, GrantTable, TABLE_OCTETS_MAX, TableError, TableFault};
pub use usage::{USAGE, Use, UseOf};
