//! Local users: the accounts of one TOML file.
//!
//! [`UsersFile`] is the file under somebody's hands (the command line), [`LocalUsers`] the file as
//! the running server sees it: loaded again when it changed, and never replaced by a bad one.
//! Neither ever prints a password hash. [`UsersKey`] seals the NT hashes in it, which open a mailbox
//! as the password would.

mod edit;
mod entry;
mod error;
mod file;
mod import;
mod index;
mod key;
mod live;
mod parse;
mod smbpasswd;
mod stored;
mod unsealing;

pub use entry::User;
pub use error::{Problem, UsersError};
pub use file::{Owner, UsersFile};
pub use import::{ImportNote, Imported, import_passwd_file};
pub use key::{KeyError, UsersKey};
pub use live::{LocalDirectory, LocalUsers};
pub use smbpasswd::import_smbpasswd;
pub use stored::{DamagedNtHash, StoredNtHash};
pub use unsealing::SealTrouble;

#[cfg(test)]
mod name_tests;
#[cfg(test)]
mod nt_hash_tests;
#[cfg(test)]
pub(crate) mod tests;
