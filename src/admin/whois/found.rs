//! What was found out about a typed name, and what a login with it would meet.

use std::sync::Arc;

use postern_auth::{Account, Description, Login, LoginError, Policy};

/// Everything about what was typed.
pub(super) struct Found {
    pub(super) typed: String,
    /// One name, or those of the delegate and of the mailbox.
    pub(super) names: Vec<Name>,
}

/// One name in it.
pub(super) struct Name {
    /// `login`, or `delegate` and `mailbox`.
    pub(super) role: &'static str,
    pub(super) typed: String,
    pub(super) login: Result<Login, LoginError>,
    pub(super) account: Option<Arc<Account>>,
    pub(super) description: Option<Description>,
}

impl Found {
    /// Whether the delegate may open the mailbox; none when there is only one name.
    pub(super) fn right(&self) -> Option<bool> {
        let [delegate, mailbox] = self.names.as_slice() else {
            return None;
        };
        let (Some(delegate), Some(mailbox)) = (&delegate.account, &mailbox.account) else {
            return Some(false);
        };
        let own = delegate.name == mailbox.name;
        Some(own || mailbox.delegates.contains(&delegate.name))
    }

    /// Whether every name reaches somebody, and the right is there where one is needed.
    pub(super) fn is_reached(&self) -> bool {
        let all = self.names.iter().all(|name| name.account.is_some());
        all && self.right() != Some(false)
    }
}

/// Whether the account can be used at all, in the words of the log.
pub(super) fn state(policy: &Policy, account: &Account) -> &'static str {
    let short = account.name.rsplit_once('@').map(|(user, _)| user);
    let blocked = &policy.blocked_accounts;
    let is_blocked = |name: &str| blocked.iter().any(|other| other.eq_ignore_ascii_case(name));
    if account.disabled {
        "disabled"
    } else if account.pop3_off {
        "POP3 off"
    } else if is_blocked(&account.name) || short.is_some_and(is_blocked) {
        "blocked by login.blocked_accounts"
    } else {
        "active"
    }
}

/// Where the mailbox is, as the site rule sees it.
pub(super) fn site(policy: &Policy, account: &Account) -> String {
    match (&account.site, &policy.site) {
        (None, _) => "this server's own".to_owned(),
        (Some(site), Some(own)) if site != own => {
            format!(
                "{}, which is not this server's {}",
                site.as_str(),
                own.as_str()
            )
        }
        (Some(site), _) => site.as_str().to_owned(),
    }
}
