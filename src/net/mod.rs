//! The door: listeners, TLS, limits, time, and the one loop that does I/O.
//!
//! A connection lives on one thread from accept to close. The loop in `connection` reads a line,
//! asks [`crate::pop3`] what it means, and does what the answer says; it decides nothing itself.

mod accept;
mod connection;
mod listener;
mod login;
mod places;
mod retrieve;
mod seats;
mod service;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

pub use accept::accept;
pub use listener::{Bound, ListenError, bind};
pub use places::Places;
pub use seats::{Holding, Seats};
pub use service::{House, Phase, Service};
pub use tls::{ClientFiles, Tls, TlsError};
