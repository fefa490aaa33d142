//! The pages as a browser asks for them, over a real store.

mod access;
mod hostile;
mod metrics;
mod pages;
mod public;
mod replay;
mod simulate;
mod world;
