//! Listeners and drivers of the daemon: doors translate, the checker drives, nothing here decides.

pub mod asking;
pub mod check;
mod doors;
mod facts;
pub mod gateway;
pub mod grants;
pub mod header_edit;
pub mod http;
mod judging;
mod ledger;
pub mod listener;
pub mod logins;
pub mod maildir;
pub mod maps;
pub mod milter;
pub mod next_hop;
pub mod opensmtpd;
pub mod policy;
mod results;
mod seats;
pub mod secret_file;
pub mod server;
pub mod spool;
pub mod srs;
mod stream;
pub mod tables;
pub mod tls;
mod watchdog;

pub use ledger::Ledger;

/// The examples of the book.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct Library;
