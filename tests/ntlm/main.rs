//! NTLM as strangers see it: clients that we did not write, and those who have no password.
//!
//! Written from [MS-NLMP], [MS-OXPOP3] and what real clients send; nothing of the server's code is used.

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

mod stage;
mod tools;

mod accepted;
mod bindings;
mod logins;
mod ntlmv1;
mod offered;
mod refused;
mod relay;
mod scan;
mod wire;

use tools::{by_hand, exchange, message, server, speaker};
