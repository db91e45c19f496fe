//! Whether the sealed NT hashes of a users file can be opened, and what to do if not.

use std::path::Path;

use super::entry::User;
use super::key::{KeyError, UsersKey};
use super::parse::canonical;

/// Why sealed NT hashes cannot be used: their users are refused by NTLM, and by nothing else.
#[derive(Debug, thiserror::Error)]
pub enum SealTrouble {
    /// No key file is named.
    #[error(
        "the NT hash of {user:?} is sealed and no key is named: set users.key_file, or hand the \
         key over as the systemd credential postern-users.key"
    )]
    NoKey {
        /// The first of them.
        user: String,
    },
    /// The key file cannot be used.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// It was sealed under another key, or for another user.
    #[error(
        "the NT hash of {user:?}, one of {count}, was sealed under another key, or for another \
         name: name the right key in users.key_file, or set the password again with \
         `postern user passwd`"
    )]
    Wrong {
        /// The first of them.
        user: String,
        /// How many there are.
        count: usize,
    },
}

/// The key, where some hash is sealed, and what is wrong with it.
pub(super) fn key_for(
    users: &[User],
    key_file: Option<&Path>,
) -> (Option<UsersKey>, Option<SealTrouble>) {
    let is_sealed = |user: &&User| user.nt_hash.as_ref().is_some_and(|hash| hash.is_sealed());
    let Some(first) = users.iter().find(is_sealed) else {
        return (None, None);
    };
    let Some(key_file) = key_file else {
        let user = first.name.clone();
        return (None, Some(SealTrouble::NoKey { user }));
    };
    let key = match UsersKey::load(key_file) {
        Ok(key) => key,
        Err(error) => return (None, Some(error.into())),
    };
    let stays_shut = |user: &&User| {
        let stored = user.nt_hash.as_ref();
        stored.is_some_and(|hash| hash.open(&canonical(&user.name), Some(&key)).is_none())
    };
    let mut shut = users.iter().filter(stays_shut);
    let trouble = shut.next().map(|first| SealTrouble::Wrong {
        user: first.name.clone(),
        count: 1 + shut.count(),
    });
    (Some(key), trouble)
}
