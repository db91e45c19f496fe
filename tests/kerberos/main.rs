//! Kerberos as strangers see it: a real KDC, real clients, the real server.
//!
//! The server has a keytab and no Kerberos in its environment; the clients have alice's tickets.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    reason = "outside the server: the tests play the world, with its files and programs"
)]

#[path = "../lab/mod.rs"]
mod lab;

mod bindings;
mod clients;
mod doctor;
mod domain;
mod exchange;
mod faults;
mod large;
mod page;
mod scene;
mod settings;
