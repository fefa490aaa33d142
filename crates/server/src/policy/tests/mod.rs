mod bounds;
mod questions;
mod world;
