//! Worlds for tests: the OpenSPF suite, the vectors of the specification sheets, zones for linters,
//! and a name server that can be told to misbehave.

pub mod lint;
mod name_server;
pub mod suite;
pub mod vectors;

pub use name_server::{Manner, NameServer};
