mod bad_days;
pub(crate) mod binding;
mod mail;
mod srs;
mod world;
