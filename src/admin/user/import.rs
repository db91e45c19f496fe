//! Accounts from a passwd-file of Dovecot.

use std::path::Path;

use postern_auth::{UsersError, import_passwd_file};

use super::{UserError, UsersFile, open_or_create};
use crate::admin::table::shown;
use crate::admin::{AdminError, Office, Outcome};
use crate::config::Config;

impl Office<'_> {
    /// Adds what can be added; exit code 1 when something could not be.
    pub(super) fn import(
        &mut self,
        config: &Config,
        path: &Path,
        dry_run: bool,
    ) -> Result<Outcome, AdminError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the administrator names the file"
        )]
        let text = std::fs::read_to_string(path).map_err(|source| UserError::Import {
            path: path.to_owned(),
            source,
        })?;
        let imported = import_passwd_file(&text);
        let mut file = if dry_run && config.users_file.exists() {
            Some(UsersFile::load(&config.users_file)?)
        } else if dry_run {
            None
        } else {
            Some(open_or_create(config)?)
        };
        let (mut added, mut left) = (0_usize, imported.notes.len());
        for user in &imported.users {
            let outcome = file.as_mut().map_or(Ok(()), |file| file.add(user));
            let name = shown(&user.name);
            match outcome {
                Ok(()) => {
                    added += 1;
                    writeln!(
                        self.out,
                        "{name}: {}",
                        if dry_run { "would be added" } else { "added" }
                    )?;
                }
                Err(UsersError::Exists { .. }) => {
                    writeln!(self.out, "{name}: is there already, left as it is")?;
                }
                Err(error) => {
                    left += 1;
                    writeln!(self.out, "{name}: not added: {error}")?;
                }
            }
        }
        for note in &imported.notes {
            let (line, user) = (note.line, shown(&note.user));
            writeln!(
                self.out,
                "{}:{line}: {user}: {}",
                path.display(),
                note.message
            )?;
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
