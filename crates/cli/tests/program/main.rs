//! The program, run as anybody runs it.

mod batch;
mod case;
mod check;
mod daemon;
mod dns;
mod run;
mod srs;
