//! Accounts and mail.

use std::path::PathBuf;

use super::{Resolver, or, word, words};
use crate::config::{Messages, file};
use crate::store::maildir::{Pattern, PatternError};

/// The key of the users file as a systemd credential.
const CREDENTIAL: &str = "postern-users.key";

impl Resolver<'_> {
    pub(super) fn users_file(&mut self, written: &file::File) -> Option<PathBuf> {
        let remedy = "under [users], write file = \"/etc/postern/users.toml\"; `postern user add` makes the file";
        self.path("users.file", &written.users.file, remedy)
    }

    /// Under systemd the credential comes first: the file may then be readable by root alone, who
    /// uses it with `postern user`.
    pub(super) fn users_key(&mut self, written: &file::Users) -> Option<PathBuf> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        let credential = credentials.map(|folder| PathBuf::from(folder).join(CREDENTIAL));
        if let Some(credential) = credential.filter(|path| path.exists()) {
            return Some(credential);
        }
        written.key_file.as_ref()?;
        let remedy = "write key_file = \"/etc/postern/users.key\", or leave it out";
        self.path("users.key_file", &written.key_file, remedy)
    }

    pub(super) fn maildrop(&mut self, written: &file::File) -> Option<Pattern> {
        let remedy =
            "under [maildrop], write for instance path = \"/var/mail/{domain}/{user}/Maildir\"";
        let written = &written.maildrop.path;
        let path = self.path("maildrop.path", written, remedy)?;
        let span = written.as_ref()?.span();
        let path = path.to_string_lossy();
        let pattern = match Pattern::new(&path) {
            Ok(_) if !path.contains("{name}") && !path.contains("{user}") => {
                Err(PatternError::Constant)
            }
            pattern => pattern,
        };
        pattern
            .map_err(|problem| self.error("maildrop.path", span, &problem.to_string(), remedy))
            .ok()
    }

    pub(super) fn messages(&self, written: &file::Messages) -> Messages {
        Messages {
            order: word(&written.order, words::order, self.defaults.order),
            exact_size: or(&written.exact_size, self.defaults.exact_size),
        }
    }
}
