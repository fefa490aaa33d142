//! RMX, the Reverse MX: rules at `_rmx.DOMAIN` that say which clients may use a domain as a
//! sender's.
//!
//! The way of a check: [`Rmx`] finds the domain's records (`find.rs`) by their names (`names.rs`),
//! as TXT (`text.rs`) or as records of their own type (`rdata.rs`), puts them in order
//! (`record.rs`), and walks their entries; the first that matches decides (`matching.rs`).

mod apl;
mod check;
mod entry;
mod find;
mod matching;
mod names;
mod rdata;
mod record;
mod text;

pub use apl::{AplItem, read_apl};
pub use check::Rmx;
pub use entry::{Entry, Rule};
pub use names::{LABEL, address_name, family_name, owner_name};
pub use record::{Fault, FaultKind, PlacedEntry, Record};

/// The type that a lone check asks for where none is set: the first that is for private use (RFC
/// 6895 section 3.1). None was ever assigned.
pub const PRIVATE_TYPE: u16 = 65280;

/// How many entries that ask DNS a check may come to.
pub const LOOK_UPS_MAX: usize = 10;

/// How many look-ups of entries may find nothing; one more is an error.
pub const VOID_LOOK_UPS_MAX: usize = 2;

/// How many hosts an `mx` may name; more are an error.
pub const MX_HOSTS_MAX: usize = 10;

/// How many names of the client a `domain` looks at; more are ignored.
pub const PTR_NAMES_MAX: usize = 10;

/// How many questions a check may use.
pub const QUESTIONS_MAX: usize = quivive_evidence::NEEDED_QUESTIONS_MAX;

/// What the drafts leave to the receiver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// The type under which records of their own type are asked for; none: TXT alone.
    pub type_number: Option<u16>,
    /// Takes the entry type 8 for `mx`, which has no number in the drafts. A private extension.
    pub mx_entry_type: bool,
}
