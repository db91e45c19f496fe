//! Accounts and mail.

use std::path::PathBuf;

use super::{Resolver, or, word, words};
use crate::config::{Messages, file};
use crate::store::maildir::{Pattern, PatternError};

impl Resolver<'_> {
    pub(super) fn users_file(&mut self, written: &file::File) -> Option<PathBuf> {
        let remedy = "under [users], write file = \"/etc/postern/users.toml\"; `postern user add` makes the file";
        self.path("users.file", &written.users.file, remedy)
    }

    pub(super) fn maildrop(&mut self, written: &file::File) -> Option<Pattern> {
        let remedy =
            "under [maildrop], write for instance path = \"/var/mail/{domain}/{user}/Maildir\"";
        let written = &written.maildrop.path;
        let path = self.path("maildrop.path", written, remedy)?;
        let span = written.as_ref()?.span();
        let path = path.to_string_lossy();
        let named = path.contains("{name}");
        let pattern = match Pattern::new(&path) {
            Ok(_) if !named && !path.contains("{user}") => Err(PatternError::Constant),
            pattern => pattern,
        };
        if !named && !path.contains("{domain}") && pattern.is_ok() {
            self.warning(
                "maildrop.path",
                span.clone(),
                "accounts of two domains with the same name before the @ would share one Maildir",
                "use {name}, or add {domain}, unless no account has a domain",
            );
        }
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
