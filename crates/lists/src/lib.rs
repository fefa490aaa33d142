//! What DNS says of a client's address alone, whoever it claims to be: each method a pure function
//! of recorded evidence.
//!
//! - [`Iprev`]: its name, confirmed by the name's addresses (RFC 8601 section 3),
//! - [`DnsList`]: whether it is on a block list (RFC 5782) or a white list (RFC 8904).
//!
//! *Trusts:* the lists that the operator names. *Can be made to do:* ask the names that a
//! stranger's reverse name points to, ten at most. *Known harm:* every list learns who sends us
//! mail.

mod dns_list;
mod iprev;
mod list;

pub use dns_list::{DnsList, Kind, QUESTIONS_MAX, REASON_CHARACTERS_MAX};
pub use iprev::{Iprev, NAMES_MAX};
pub use list::{Codes, List, ListError};
