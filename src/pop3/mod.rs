//! The protocol, pure: POP3 (RFC 1939) with the variations of \[MS-STANXPOP3\].
//!
//! A [`Session`] takes one line of a client, or the result of something that the driver did for it,
//! and answers with a [`Turn`]: octets to send, and what must happen [`Next`]. It knows no socket,
//! no file, no clock and no task; time reaches it as [`Session::expired`].
//!
//! The way of a command: [`verb`] is the table that says what exists and where it is legal,
//! [`command`] parses, `authorization`, `authenticating`, `transaction` and `updating` are the
//! states, and [`reply`] turns the outcome into words.

mod authenticating;
mod authorization;
pub mod capability;
pub mod command;
pub mod line;
mod listing;
mod marks;
pub mod reply;
mod session;
mod settings;
pub mod stuffing;
mod transaction;
mod turn;
mod updating;
pub mod verb;

#[cfg(test)]
mod tests;

pub use session::Session;
pub use settings::{Offer, Order, Profile, Settings, Utf8};
pub use turn::{Ending, Extent, Next, NotOpened, NotRetrieved, Turn};
