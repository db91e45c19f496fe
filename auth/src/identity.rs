//! The permission slip to open one maildrop.

use std::sync::Arc;

use crate::Account;

/// Proof that a login was verified and allowed. Only an [`crate::Exchange`] makes one, after the
/// credentials, the account's state, the site rule and the right of a delegate were checked;
/// the store opens nothing without it.
///
/// ```compile_fail
/// let forged = postern_auth::Identity { account: Default::default(), login: String::new() };
/// ```
#[derive(Clone, Debug)]
pub struct Identity {
    account: Arc<Account>,
    actor: Arc<Account>,
}

impl Identity {
    /// Only the exchange may call this.
    pub(crate) fn new(account: Arc<Account>, actor: Arc<Account>) -> Self {
        Self { account, actor }
    }

    /// The account whose maildrop may be opened.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The canonical name of the account whose password was given: the same account, or a delegate.
    pub fn actor(&self) -> &str {
        &self.actor.name
    }

    /// That account itself.
    pub(crate) fn actor_account(&self) -> &Account {
        &self.actor
    }
}
