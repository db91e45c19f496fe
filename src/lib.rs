//! Postern: the POP3 front door of an organisation that lives on Active Directory or Kerberos.
//!
//! | room | what it is | what it never does |
//! |---|---|---|
//! | [`pop3`] | the protocol, pure | know a socket, a file, a clock or a task |
//! | [`store`] | the mail | open anything without an [`postern_auth::Identity`] |
//! | `net` | the door: listeners, TLS, the one I/O loop | decide what a command means |
//! | [`protocol_log`] | a record for each command, in the form of Exchange | hold a session up |
//! | `config` | as written, then as meant | let a wrong value out |
//! | `admin` | the office: users, check, maildrops | run inside the server |
//!
//! Arrows: `net -> pop3, store, auth`; `pop3 -> auth` (words only) and the store's plain data;
//! `store -> auth::Identity`. No arrow points up. `docs/architecture.md` says more.

pub mod admin;
mod calendar;
pub mod cli;
pub mod config;
pub mod demo;
pub mod event;
pub mod net;
pub mod pop3;
pub mod protocol_log;
pub mod serve;
pub mod store;
