//! Listeners and drivers of the daemon: doors translate, the checker drives, nothing here decides.

pub mod check;
pub mod header_edit;
pub mod maildir;
pub mod spool;
