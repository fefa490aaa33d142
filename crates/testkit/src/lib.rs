//! Worlds for tests: the OpenSPF suite, and a name server that can be told to misbehave.

mod name_server;
pub mod suite;

pub use name_server::{Manner, NameServer};
