//! What the tests of NTLM are made with: clients, messages, and a server.

#![expect(dead_code, reason = "each test program uses its part")]

pub(crate) mod by_hand;
pub(crate) mod exchange;
pub(crate) mod message;
pub(crate) mod server;
pub(crate) mod speaker;
