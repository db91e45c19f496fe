//! What the directory knows about one person: the account, whoever keeps it.
//!
//! An account is plain data. It opens nothing by itself: see [`crate::Identity`].

use std::path::PathBuf;
use std::sync::Arc;

use crate::{EntryId, Reason};

/// The name of a site: where a mailbox lives, or where this server stands. Compared without
/// regard to ASCII case.
#[derive(Clone, Debug)]
pub struct Site(String);

impl Site {
    /// A site by its name, as an administrator wrote it.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The site of a mailbox of which nobody knows where it is. A server's own site has a name of
    /// letters, so it is never this one.
    pub fn unknown() -> Self {
        Self("?".to_owned())
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Site {}

/// One account, as a directory tells it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The canonical name: lower case, unique among all accounts, free of `/`, NUL and controls.
    pub name: String,
    /// The site in which the mailbox lives; none means this server's own.
    pub site: Option<Site>,
    /// Whether the account is disabled altogether.
    pub disabled: bool,
    /// Whether POP3 is switched off for the mailbox (`PopEnabled` of Set-CASMailbox).
    pub pop3_off: bool,
    /// `PopEnableExactRFC822Size` of Set-CASMailbox: overrides the server's setting.
    pub exact_size: Option<bool>,
    /// Canonical names of the accounts that may open this mailbox with their own password.
    pub delegates: Vec<String>,
    /// Where the Maildir is, when it is not where the configuration's pattern says.
    pub maildrop: Option<PathBuf>,
    /// Why the directory says that nobody may log in to it: locked, expired, in no group that may.
    pub barred: Option<Reason>,
    /// The name of its entry, for an account of an LDAP directory; a local one has none.
    pub entry: Option<Arc<str>>,
    /// The identity of that entry, which another of the same name has not; none where the directory
    /// has none, or does not show it.
    pub id: Option<EntryId>,
    /// A digest of that entry, by which a change of it is seen.
    pub version: Option<[u8; 32]>,
}
