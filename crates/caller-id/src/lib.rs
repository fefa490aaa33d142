//! Microsoft Caller ID for E-Mail (draft-atkinson-callerid-00, 2004) as a pure function of recorded
//! evidence: a domain says in an XML document at `_ep.DOMAIN` which hosts send its mail, and the
//! client is looked for among those of the domain that the header holds responsible.
//!
//! The way of a check: [`CallerId`] takes the responsible address from the header (`prd.rs`),
//! finds the domain's [`Document`] (`published.rs`, read by `document.rs` out of what `xml.rs`
//! makes of it), and walks what it says of outgoing mail servers (`outgoing.rs`).
//!
//! *Trusts:* nothing. Documents have neither a DTD nor entities of their own, and bounds on depth
//! and nodes. *Can be made to do:* ask [`QUESTIONS_MAX`] questions. *Known harm:* the address that
//! is judged need not be the one that a reader sees: a pass says nothing about `From`.

mod check;
mod document;
mod lint;
mod outgoing;
mod prd;
mod publish;
mod published;
mod xml;

pub use check::CallerId;
pub use document::{Document, Mailers, Outgoing, Part, Place, Scope, Servers};
pub use lint::CallerIdLint;
pub use outgoing::{DOCUMENTS_MAX, MX_HOSTS_MAX};
pub use prd::{Responsible, responsible};
pub use publish::{CallerIdPublish, RECORD_OCTETS_MAX};
pub use published::{DOCUMENT_OCTETS_MAX, Published, RECORDS_MAX, join, owner_name};
pub use xml::{DEPTH_MAX, Fault, FaultKind, NODES_MAX};

/// The namespace of documents.
pub const NAMESPACE: &str = "http://ms.net/1";

/// The label before the domain.
pub const LABEL: &str = "_ep";

/// How many questions a check may use.
pub const QUESTIONS_MAX: usize = 40;
