//! What the fuzz targets do with an input: ordinary functions that panic when something is wrong.
//! The fuzzer calls them, and so does `tests/corpus.rs` with every file in `corpus/`.
//!
//! They use nothing private of the two crates but what `postern_auth::readers` shows, never the network, and no file but a temporary one.

pub mod ap_req;
pub mod command;
pub mod config;
pub mod keytab;
pub mod ldap;
pub mod line;
pub mod maildir;
mod model;
pub mod names;
mod ntlm;
pub mod ntlm_authenticate;
pub mod ntlm_login;
pub mod ntlm_negotiate;
pub mod ntlm_pairs;
mod principal;
pub mod sasl;
mod scram;
mod secret;
pub mod session;
pub mod stuffing;
mod toy;
pub mod uidlist;
pub mod users;
pub mod winbind;
