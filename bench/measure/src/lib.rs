//! What every measured program shares, ours and peers alike: the clock, the count of allocations,
//! the files with answers and queries, and the protocol in which a measurement is asked for.
//!
//! *Protocol:* a line `pass GROUP REPEATS` on standard input; the line `NANOSECONDS CHECKS RIGHT
//! ALLOCATIONS` on standard output. Time is the thread's processor time. `warm GROUP REPEATS` is
//! answered alike, and not meant to be measured. Other programs answer `wire` ([`serve_wire`]) or
//! `threads` ([`serve_threads`]).

mod allocations;
mod files;
mod lanes;
mod parsing;
mod processor;
mod serve;
mod threads;
mod wire;

pub use allocations::{allocations, octets_in_use};
pub use files::{
    Known, Query, RESULTS, Status, queries_file, read_answers, read_groups, read_queries,
    result_number,
};
pub use lanes::check_in_lanes;
pub use parsing::Parsing;
pub use processor::processor_time;
pub use serve::{Pass, Subject, serve};
pub use threads::{ThreadsRequest, serve_threads};
pub use wire::{Start, WireCount, WirePass, WireRequest, serve_wire};
