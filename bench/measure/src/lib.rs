//! What every measured program shares, ours and peers alike: the clock, the count of allocations,
//! the files with answers and queries, and the protocol in which a measurement is asked for.
//!
//! *Protocol:* a line `pass GROUP REPEATS` on standard input; the line `NANOSECONDS CHECKS RIGHT
//! ALLOCATIONS` on standard output. Time is the thread's processor time.

mod allocations;
mod files;
mod processor;
mod serve;

pub use allocations::allocations;
pub use files::{Known, Query, RESULTS, Status, read_answers, read_queries, result_number};
pub use processor::processor_time;
pub use serve::{Pass, Subject, serve};
