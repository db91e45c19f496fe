//! Accounts from a passwd-file of Dovecot, or NT hashes from Samba.

use std::path::Path;

use postern_auth::{Imported, StoredNtHash, User, UsersKey, import_passwd_file, import_smbpasswd};

use super::{UserError, UsersFile, credentials, open_or_create};
use crate::admin::table::shown;
use crate::admin::{AdminError, Office, Outcome};
use crate::config::Config;

/// A file to import from.
pub(super) struct Source<'a> {
    path: &'a Path,
    smbpasswd: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a Path, smbpasswd: bool) -> Self {
        Self { path, smbpasswd }
    }

    fn read(&self) -> Result<Imported, UserError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the administrator names the file"
        )]
        let text = std::fs::read_to_string(self.path).map_err(|source| UserError::Import {
            path: self.path.to_owned(),
            source,
        })?;
        Ok(if self.smbpasswd {
            import_smbpasswd(&text)
        } else {
            import_passwd_file(&text)
        })
    }
}

/// What became of one of its users.
enum Done {
    Added,
    Hashed,
    Left(&'static str),
}

impl Office<'_> {
    /// Adds what can be added; exit code 1 when something could not be.
    pub(super) fn import(
        &mut self,
        config: &Config,
        source: &Source<'_>,
        dry_run: bool,
    ) -> Result<Outcome, AdminError> {
        let imported = source.read()?;
        let mut file = if dry_run && config.users_file.exists() {
            Some(UsersFile::load(&config.users_file)?)
        } else if dry_run {
            None
        } else {
            Some(open_or_create(config)?)
        };
        let key = if source.smbpasswd {
            let users = file.as_ref().map_or(&[][..], UsersFile::users);
            credentials::key(config, users)?
        } else {
            None
        };
        let (mut added, mut left) = (0_usize, imported.notes.len());
        for user in imported.users {
            let name = shown(&user.name);
            let outcome = take(file.as_mut(), user, key.as_ref());
            added += usize::from(matches!(outcome, Ok(Done::Added | Done::Hashed)));
            left += usize::from(outcome.is_err());
            let said = said(outcome, dry_run);
            writeln!(self.out, "{name}: {said}")?;
        }
        for note in &imported.notes {
            let (path, line, user) = (source.path.display(), note.line, shown(&note.user));
            writeln!(self.out, "{path}:{line}: {user}: {}", note.message)?;
        }
        if !dry_run && let Some(file) = &mut file {
            file.save()?;
        }
        let verb = if dry_run { "would be added" } else { "added" };
        writeln!(self.out, "{added} {verb}, {left} with something to look at")?;
        Ok(if left == 0 {
            Outcome::Fine
        } else {
            Outcome::Found
        })
    }
}

/// Puts a user in, or its NT hash where the account is there without one.
fn take(
    file: Option<&mut UsersFile>,
    mut user: User,
    key: Option<&UsersKey>,
) -> Result<Done, UserError> {
    let there = file
        .as_ref()
        .and_then(|file| file.find(&user.name))
        .cloned();
    let new_hash = match user.nt_hash.take() {
        Some(StoredNtHash::Clear(hash)) => {
            let name = there.as_ref().map_or(&user.name, |there| &there.name);
            Some(credentials::sealed(key, name, hash)?)
        }
        hash @ (Some(StoredNtHash::Sealed(_)) | None) => hash,
    };
    match (there, new_hash) {
        (None, hash) => {
            user.nt_hash = hash;
            file.map_or(Ok(()), |file| file.add(&user))?;
            Ok(Done::Added)
        }
        (Some(_), None) => Ok(Done::Left("is there already, left as it is")),
        (Some(there), Some(_)) if there.nt_hash.is_some() => {
            Ok(Done::Left("has an NT hash already, left as it is"))
        }
        (Some(mut there), hash) => {
            there.nt_hash = hash;
            file.map_or(Ok(()), |file| file.update(&there))?;
            Ok(Done::Hashed)
        }
    }
}

fn said(outcome: Result<Done, UserError>, dry_run: bool) -> String {
    match outcome {
        Ok(Done::Added) if dry_run => "would be added".to_owned(),
        Ok(Done::Added) => "added".to_owned(),
        Ok(Done::Hashed) if dry_run => "would get its NT hash".to_owned(),
        Ok(Done::Hashed) => "has its NT hash now".to_owned(),
        Ok(Done::Left(why)) => why.to_owned(),
        Err(error) => format!("not added: {error}"),
    }
}
