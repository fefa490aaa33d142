mod bad_days;
mod mail;
mod world;
