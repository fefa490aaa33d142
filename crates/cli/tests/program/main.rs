//! The program, run as anybody runs it.

mod batch;
mod binding;
mod book;
mod case;
mod check;
mod daemon;
mod dns;
mod lint;
mod practice;
mod publish;
mod relatives;
mod run;
mod setup;
mod simulate;
mod srs;
mod token;
mod user;
