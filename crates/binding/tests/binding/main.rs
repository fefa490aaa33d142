//! The method as its users see it: a table of grants, messages, findings.

mod bypasses;
mod vectors;
mod world;
