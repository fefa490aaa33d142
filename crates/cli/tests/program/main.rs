//! The program, run as anybody runs it.

mod batch;
mod check;
mod daemon;
mod dns;
mod run;
