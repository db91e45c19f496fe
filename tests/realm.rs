//! `kdc-testenv`: a realm that anyone can start, and that leaves nothing behind.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests start programs and take the time"
)]

#[path = "realm/directory.rs"]
mod directory;
#[path = "realm/kerberos.rs"]
mod kerberos;
mod lab;
#[path = "realm/whole.rs"]
mod whole;
