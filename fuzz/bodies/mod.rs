//! What the fuzz targets do with an input: ordinary functions that panic when something is wrong.
//! The fuzzer calls them, and so does `tests/corpus.rs` with every file in `corpus/`.
//!
//! They use nothing private of the two crates, never the network, and no file but a temporary one.

pub mod command;
pub mod config;
pub mod line;
pub mod maildir;
mod model;
pub mod names;
pub mod sasl;
mod scram;
mod secret;
pub mod session;
pub mod stuffing;
mod toy;
pub mod uidlist;
pub mod users;
