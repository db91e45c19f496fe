//! Accounts and mail.

use std::path::PathBuf;

use super::{Resolver, or, word, words};
use crate::config::{MaildropPattern, Messages, file};

impl Resolver<'_> {
    pub(super) fn users_file(&mut self, written: &file::File) -> Option<PathBuf> {
        let remedy = "under [users], write file = \"/etc/postern/users.toml\"; `postern user add` makes the file";
        self.path("users.file", &written.users.file, remedy)
    }

    pub(super) fn maildrop(&mut self, written: &file::File) -> Option<MaildropPattern> {
        let remedy =
            "under [maildrop], write for instance path = \"/var/mail/{domain}/{user}/Maildir\"";
        let path = &written.maildrop.path;
        self.path("maildrop.path", path, remedy)?;
        let path = path.as_ref()?;
        let pattern = match MaildropPattern::new(path.get_ref(), self.folder()) {
            Ok(pattern) => pattern,
            Err(problem) => {
                self.error("maildrop.path", path.span(), &problem, remedy);
                return None;
            }
        };
        if pattern.forgets_domain() {
            self.warning(
                "maildrop.path",
                path.span(),
                "accounts of two domains with the same name before the @ would share one Maildir",
                "use {name}, or add {domain}, unless no account has a domain",
            );
        }
        Some(pattern)
    }

    pub(super) fn messages(&self, written: &file::Messages) -> Messages {
        Messages {
            order: word(&written.order, words::order, self.defaults.order),
            exact_size: or(&written.exact_size, self.defaults.exact_size),
        }
    }
}
