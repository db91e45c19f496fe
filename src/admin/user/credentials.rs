//! What is stored of a new password: its hash, and what SCRAM and NTLM need where they are wanted.

use postern_auth::{
    NtHash, PasswordHash, ScramKeys, Secret, StoredNtHash, User, UsersKey, hash_password,
};

use super::{UserError, canonical};
use crate::admin::{AdminError, password};
use crate::cli::PasswordSource;
use crate::config::Config;

/// How a new password is taken.
#[derive(Clone, Copy)]
pub(super) struct Taking {
    from_stdin: bool,
    scram: bool,
    ntlm: bool,
}

/// What is stored of it.
pub(super) struct Credentials {
    hash: PasswordHash,
    scram: Option<ScramKeys>,
    nt_hash: Option<StoredNtHash>,
}

impl Taking {
    pub(super) fn new(source: &PasswordSource, no_scram: bool, ntlm: bool) -> Self {
        Self {
            from_stdin: source.password_stdin,
            scram: !no_scram,
            ntlm,
        }
    }

    /// Asks for the password of `name`; `users` are those of the file.
    pub(super) fn take(
        self,
        config: &Config,
        users: &[User],
        name: &str,
    ) -> Result<Credentials, AdminError> {
        // What is wrong with the key is said before anybody types a password.
        let key = self.ntlm.then(|| key(config, users)).transpose()?;
        let new = password::obtain(name, self.from_stdin)?;
        let nt_hash = key
            .map(|key| stored(key.as_ref(), name, &new))
            .transpose()?;
        let keys = self.scram.then(|| ScramKeys::new(&new)).transpose();
        Ok(Credentials {
            hash: hash_password(&new).map_err(UserError::from)?,
            scram: keys.map_err(UserError::from)?,
            nt_hash,
        })
    }
}

impl Credentials {
    /// Gives them to the user; what was there before is gone.
    pub(super) fn put(self, user: &mut User) {
        user.password = Some(self.hash);
        user.scram = self.scram;
        user.nt_hash = self.nt_hash;
    }

    /// What was done, with what an administrator should know of the NT hash.
    pub(super) fn said(&self, done: &str) -> String {
        match &self.nt_hash {
            None => done.to_owned(),
            Some(StoredNtHash::Sealed(_)) => format!("{done}, and its NT hash, sealed"),
            Some(StoredNtHash::Clear(_)) => format!(
                "{done}, and its NT hash in the clear: `postern user key new FILE` makes a key \
                 to seal it with"
            ),
        }
    }
}

/// The key to seal with; none where nothing is sealed.
pub(super) fn key(config: &Config, users: &[User]) -> Result<Option<UsersKey>, UserError> {
    if let Some(file) = &config.users_key {
        return Ok(Some(UsersKey::load(file)?));
    }
    let is_sealed = |user: &User| user.nt_hash.as_ref().is_some_and(StoredNtHash::is_sealed);
    if users.iter().any(is_sealed) {
        let path = config.users_file.clone();
        return Err(UserError::NoKey { path });
    }
    Ok(None)
}

fn stored(key: Option<&UsersKey>, name: &str, new: &Secret) -> Result<StoredNtHash, UserError> {
    let hash = NtHash::of_password(new).ok_or(UserError::NotText)?;
    sealed(key, name, hash)
}

/// The hash of the user as it is to stand in the file.
pub(super) fn sealed(
    key: Option<&UsersKey>,
    name: &str,
    hash: NtHash,
) -> Result<StoredNtHash, UserError> {
    let Some(key) = key else {
        return Ok(StoredNtHash::Clear(hash));
    };
    let sealed = key.seal(&canonical(name), &hash);
    sealed.ok_or(UserError::Key(postern_auth::KeyError::NoRandom))
}
