//! What strangers see: a client that sends exact octets, the transcript format and its player, and
//! servers to talk to. Nothing here uses anything private of the server.

#![expect(dead_code, reason = "each test program uses its part")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod dovecot;
pub(crate) mod engine;
pub(crate) mod fixture;
pub(crate) mod house;
pub(crate) mod pattern;
pub(crate) mod play;
pub(crate) mod postern;
pub(crate) mod scram;
pub(crate) mod script;
pub(crate) mod text;
pub(crate) mod tls;
