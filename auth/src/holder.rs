//! Who holds a session: as little as is needed to ask later whether it may go on.

use std::sync::Arc;

use crate::{Account, EntryId, Identity};

/// An account as it can be found again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    name: Box<str>,
    entry: Option<Arc<str>>,
    id: Option<EntryId>,
}

impl Known {
    fn of(account: &Account) -> Self {
        Self {
            name: account.name.as_str().into(),
            entry: account.entry.clone(),
            id: account.id,
        }
    }

    /// Its canonical name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that its entry had, for an account of an LDAP directory.
    pub fn entry(&self) -> Option<&str> {
        self.entry.as_deref()
    }

    /// Whether an account of this name is surely another: the old one is gone, and somebody has got its name.
    pub(crate) fn is_replaced_by(&self, account: &Account) -> bool {
        let both = self.id.zip(account.id);
        both.is_some_and(|(then, now)| then.is_another(now))
    }
}

/// Whose session it is, and of which mailbox. Sessions of the same user are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    mailbox: Known,
    /// Boxed, as there is seldom one.
    delegate: Option<Box<Known>>,
}

impl Holder {
    /// The holder of a session that was opened with this identity.
    pub fn of(identity: &Identity) -> Self {
        let (mailbox, actor) = (identity.account(), identity.actor_account());
        let delegated = mailbox.name != actor.name;
        Self {
            mailbox: Known::of(mailbox),
            delegate: delegated.then(|| Box::new(Known::of(actor))),
        }
    }

    /// Whose mailbox is open.
    pub fn mailbox(&self) -> &Known {
        &self.mailbox
    }

    /// Who opened somebody else's mailbox.
    pub fn delegate(&self) -> Option<&Known> {
        self.delegate.as_deref()
    }

    /// Whose credentials were given: the delegate's, or the mailbox's own.
    pub(crate) fn actor(&self) -> &Known {
        self.delegate().unwrap_or(&self.mailbox)
    }
}
