mod clients;
mod forwarding;
mod mail;
mod next_hops;
mod patience;
mod submitters;
pub(crate) mod world;
