//! Local users: the accounts of one TOML file.
//!
//! [`UsersFile`] is the file under somebody's hands (the command line), [`LocalUsers`] the file as
//! the running server sees it: loaded again when it changed, and never replaced by a bad one.
//! Neither ever prints a password hash.

mod edit;
mod entry;
mod error;
mod file;
mod import;
mod index;
mod live;
mod parse;

pub use entry::User;
pub use error::{Problem, UsersError};
pub use file::{Owner, UsersFile};
pub use import::{ImportNote, Imported, import_passwd_file};
pub use live::{LocalDirectory, LocalUsers};

#[cfg(test)]
pub(crate) mod tests;
