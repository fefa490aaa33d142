//! Quivive among real servers: what the tests over the whole path share.
//!
//! Peers come from `target/peers`, where `cargo xtask test` puts them. Each runs on a loopback
//! address of its own, on a free port, in a temporary folder, and ends with the value that stands
//! for it.

pub mod book;
pub mod bound;
pub mod browser;
pub mod bypasses;
pub mod churn;
pub mod client;
pub mod dns;
pub mod dovecot;
pub mod exim;
pub mod filtered;
pub mod grants;
pub mod kept;
pub mod maildir;
pub mod main_job;
pub mod matrix;
pub mod milter;
pub mod nsd;
pub mod opensmtpd;
pub mod peer;
pub mod policy;
pub mod postfix;
pub mod quivive;
pub mod sendmail;
pub mod srs;
pub mod submission;
pub mod trust;
pub mod unbound;
pub mod wait;
pub mod web;
