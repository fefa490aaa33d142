mod clients;
mod forwarding;
mod mail;
mod next_hops;
mod patience;
pub(crate) mod world;
