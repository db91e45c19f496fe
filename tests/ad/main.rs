//! NTLM of Active Directory: Postern on a member of a real domain, with winbind's `ntlm_auth`.

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

#[path = "../lab/mod.rs"]
mod lab;

#[path = "../ntlm/tools/mod.rs"]
mod tools;

mod doctor;
mod domain;
mod faults;
mod house;
mod mixed;
mod verdicts;

use tools::{by_hand, exchange, message, server, speaker};
