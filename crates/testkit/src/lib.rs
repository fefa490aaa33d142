//! Worlds for tests: the OpenSPF suite, the vectors of the specification sheets, and a name server
//! that can be told to misbehave.

mod name_server;
pub mod suite;
pub mod vectors;

pub use name_server::{Manner, NameServer};
