//! What the store promises, on good days and bad ones.

mod bad_days;
mod bounds;
mod known;
mod packs;
mod record;
mod search;
mod senders;
mod subjects;
mod world;
