//! Quivive among real servers: what the tests over the whole path share.
//!
//! Peers come from `target/peers`, where `cargo xtask test` puts them.
