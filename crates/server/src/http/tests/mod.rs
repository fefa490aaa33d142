mod access;
mod cases;
mod check;
mod connections;
mod description;
mod srs;
mod world;
