//! Where Quivive keeps its cases: a SQLite file, written in batches off the message's path.
//!
//! [`Store::record`] packs a case into octets, puts it into a bounded queue and returns: it never
//! waits for the file. One thread writes what waits, a batch in a transaction, and keeps the file
//! within its bounds. Whatever happens to the file (full disk, wrong permissions, damage, somebody
//! deletes it) is said in the log and in [`Health`], never to the message; the thread goes on as
//! soon as it can, a damaged file is moved aside.
//!
//! Several processes can have the same file open: each waits for the other's transaction, for
//! [`BUSY_TIMEOUT`] at most. The file is readable by its owner alone.
//!
//! ```text
//! record: pack -> queue
//! queue -> writer: one transaction a batch: cases as rows (body, words, parts that are not known)
//!                  or, in a flood, packed as they are; and counters of both
//!          then, when there is time: packed cases become rows; retention, ageing, recovery
//! case, list, overview, export <- readers, packed cases and rows alike
//! ```
//!
//! The SQL is what SQLite and PostgreSQL both take, save for the places that say so: pragmas
//! (`database.rs`), `BEGIN IMMEDIATE` (`batch.rs`) and the index of words (`batch.rs`, `list.rs`,
//! `merge.rs`).

mod age;
mod batch;
mod body;
mod cut;
mod database;
mod encode;
mod error;
mod file;
mod filter;
mod health;
mod known;
mod list;
mod merge;
mod overview;
mod pack;
mod packed;
mod packs;
mod part;
mod query;
mod queue;
mod read;
mod remove;
mod retention;
mod row;
mod senders;
mod store;
mod subject;
mod tally;
#[cfg(test)]
mod tests;
mod words;
mod writer;

pub use cut::CASE_OCTETS_MAX;
pub use database::BUSY_TIMEOUT;
pub use error::Error;
pub use filter::{Cursor, Filter, LIMIT_MAX};
pub use health::{Health, State, Trouble};
pub use list::{CaseLine, FindingLine, Page, RECIPIENTS_SHOWN};
pub use overview::{DAYS_MAX, Overview, Period};
pub use queue::{CASES_WAITING_MAX, OCTETS_WAITING_MAX};
pub use read::PUBLIC_DAYS;
pub use senders::{RecordedSenders, SENDERS_CASES_MAX};
pub use store::{ROOM_WAIT_MAX, Settings, Store};
pub use subject::Subject;
