//! What a transcript cannot say: TLS, limits, signals, time, and files that change underneath.
//!
//! Everything here talks to a running server through its sockets, its files and its log.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests use sockets, files and programs"
)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "../wire/mod.rs"]
mod wire;

mod activation;
mod certificate_check;
mod certificate_limits;
mod certificates;
mod dawdling;
mod delegates;
mod external;
mod hostile;
mod life;
mod limits;
mod log;
mod mail;
mod ntlm;
mod protocol_log;
mod refusals;
mod report;
mod scram;
mod settings;
mod timers;
mod tls;
