//! `postern user key`: the key under which NT hashes are sealed.

use std::path::Path;

use postern_auth::{UsersFile, UsersKey};

use super::{UserError, canonical, credentials, owner};
use crate::admin::{AdminError, Office, Outcome};
use crate::cli::KeyCommand;
use crate::config::Config;

impl Office<'_> {
    pub(super) fn key(
        &mut self,
        config: &Config,
        command: &KeyCommand,
    ) -> Result<Outcome, AdminError> {
        match command {
            KeyCommand::New { file } => self.new_key(config, file),
            KeyCommand::Apply { old } => self.apply(config, old.as_deref()),
        }
    }

    fn new_key(&mut self, config: &Config, file: &Path) -> Result<Outcome, AdminError> {
        UsersKey::create(file, owner(config)?).map_err(UserError::from)?;
        writeln!(self.out, "a new key is in {}", file.display())?;
        if config.users_key.is_none() {
            let next = "name it in users.key_file, run `postern user key apply`, and reload";
            writeln!(self.out, "{next}")?;
        }
        Ok(Outcome::Fine)
    }

    /// Seals all anew, or changes nothing.
    fn apply(&mut self, config: &Config, old: Option<&Path>) -> Result<Outcome, AdminError> {
        let current = config.users_key.as_deref().ok_or(UserError::KeyUnset)?;
        let current = UsersKey::load(current).map_err(UserError::from)?;
        let old = old.map(UsersKey::load).transpose();
        let old = old.map_err(UserError::from)?;
        let mut file = UsersFile::edit(&config.users_file)?;
        let mut count = 0_usize;
        for mut user in file.users().to_vec() {
            let Some(stored) = &user.nt_hash else {
                continue;
            };
            let name = user.name.clone();
            let account = canonical(&name);
            let open = |key: Option<&UsersKey>| stored.open(&account, key);
            if stored.is_sealed() && open(Some(&current)).is_some() {
                continue;
            }
            let hash = open(old.as_ref()).ok_or(UserError::Shut { name })?;
            let sealed = credentials::sealed(Some(&current), &user.name, hash)?;
            user.nt_hash = Some(sealed);
            file.update(&user)?;
            count += 1;
        }
        if count > 0 {
            file.save()?;
        }
        writeln!(self.out, "{count} NT hashes are sealed anew")?;
        Ok(Outcome::Fine)
    }
}
