mod clients;
mod forwarding;
mod mail;
mod next_hops;
mod patience;
mod submitters;
mod upstreams;
pub(crate) mod world;
