//! Speed of Quivive, side by side with its limits and its peers: ratios of one run.
//!
//! The time of a busy machine means little: what is compared runs in turn, in many short rounds,
//! and what counts is the median of the ratios within a round, shown with its noise.

pub mod cases;
pub mod corpus;
mod cost;
pub mod differential;
pub mod domains;
pub mod doors;
pub mod gateway;
mod progress;
pub mod series;
pub mod spf;
pub mod srs;
pub mod table;
pub mod wire;
