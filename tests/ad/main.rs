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
#![expect(
    clippy::print_stdout,
    reason = "the tables of names and accounts are worth reading"
)]

#[path = "../lab/mod.rs"]
mod lab;

#[path = "../ntlm/tools/mod.rs"]
mod tools;

mod branch;
mod doctor;
mod faults;
mod forms;
mod house;
mod mixed;
mod names;
mod outsider;
mod sites;
mod states;
mod verdicts;

use tools::{by_hand, exchange, message, server, speaker};
