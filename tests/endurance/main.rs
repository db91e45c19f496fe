//! How the server bears what goes wrong around its mail: kills, full and failing disks, files that
//! are swapped, clocks that jump, a users file under an editor.
//!
//! The real server runs on a real Maildir, and each line of trouble has a file here. Every test has a
//! short form, and a long one when `POSTERN_ENDURANCE=full` is set. Those that throw dice say the seed
//! when they fail; `POSTERN_SEED` runs the same throws again.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "outside the server: tests use files, sockets and programs, and look at the time"
)]

#[path = "../lab/mod.rs"]
mod lab;

mod length;
mod mail_clock;
mod mail_crowd;
mod mail_faults;
mod mail_full_disk;
mod mail_kill;
mod mail_swap;
mod mail_users;
mod mail_vanish;
