//! What was found out about a typed name, and what a login with it would meet.

use std::sync::Arc;

use postern_auth::{
    Account, Description, LdapEntry, LdapInquiry, LdapTrouble, Login, LoginError, Policy,
};

use crate::admin::meaning;

/// Everything about what was typed.
pub(in crate::admin) struct Found {
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
    /// The account that a login reaches.
    pub(super) account: Option<Arc<Account>>,
    pub(super) description: Option<Description>,
    /// What the LDAP directory knows of the name, if there is one.
    pub(super) ldap: Option<Result<LdapInquiry, LdapTrouble>>,
}

/// Why a name reaches nobody.
pub(super) enum Obstacle<'a> {
    /// The LDAP directory would have to be asked, and cannot be.
    Trouble,
    /// More than one entry answers to it.
    Several(&'a LdapInquiry),
    /// One entry does, whose own name no account can have.
    Unusable(&'a LdapEntry),
    /// One entry does, and a local account has its name.
    Taken(&'a Account),
    /// Nobody answers.
    Nobody,
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

    /// Whether it is not known whom a name reaches, as the LDAP directory cannot be asked.
    pub(super) fn is_unknown(&self) -> bool {
        let unknown = |name: &Name| matches!(name.obstacle(), Some(Obstacle::Trouble));
        self.names.iter().any(unknown)
    }
}

impl Name {
    /// Why it reaches nobody; none when it reaches somebody.
    pub(super) fn obstacle(&self) -> Option<Obstacle<'_>> {
        if self.account.is_some() {
            return None;
        }
        let found = match &self.ldap {
            None => return Some(Obstacle::Nobody),
            Some(Err(_)) => return Some(Obstacle::Trouble),
            Some(Ok(found)) => found,
        };
        Some(match found.entries.as_slice() {
            [] => Obstacle::Nobody,
            [entry] if !found.more => match &entry.account {
                Some(account) => Obstacle::Taken(account),
                None => Obstacle::Unusable(entry),
            },
            _ => Obstacle::Several(found),
        })
    }

    /// The entry that the account is made of.
    pub(super) fn entry(&self) -> Option<&LdapEntry> {
        let dn = self.account.as_ref()?.entry.as_deref()?;
        let Some(Ok(found)) = &self.ldap else {
            return None;
        };
        found.entries.iter().find(|entry| entry.dn == dn)
    }

    /// Entries of the directory that answer to the name too, while a local account has it.
    pub(super) fn passed_over(&self) -> Vec<&str> {
        let local = self
            .account
            .as_ref()
            .is_some_and(|account| account.entry.is_none());
        match &self.ldap {
            Some(Ok(found)) if local => {
                let entries = found.entries.iter();
                entries.map(|entry| entry.dn.as_str()).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Obstacle<'_> {
    /// The word for programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Several(_) => "several-entries",
            Self::Unusable(_) => "unusable-name",
            Self::Taken(_) => "name-taken",
            Self::Nobody => "nobody",
        }
    }

    /// In words for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Trouble => {
                "unknown: it is no local one, and the directory is out of order".to_owned()
            }
            Self::Several(found) => {
                let more = if found.more { "more than " } else { "" };
                let count = found.entries.len();
                format!(
                    "nobody: {more}{count} entries of the directory answer to this name; \
                     it must be the name or an address of one"
                )
            }
            Self::Unusable(_) => "nobody: the name in the entry is one that no account can have: \
                                  another spelling of letters, or a sign that paths have"
                .to_owned(),
            Self::Taken(account) => format!(
                "nobody: a local account has the name {} of the entry, and whoever has the name has \
                 the mailbox; rename one of them, or set ldap.domain",
                account.name
            ),
            Self::Nobody => "nobody: no account has this key as its name or an alias".to_owned(),
        }
    }
}

/// Whether the account can be used at all, in the words of the log; in the order in which a login
/// finds out.
pub(super) fn state(policy: &Policy, account: &Account) -> String {
    let short = account.name.rsplit_once('@').map(|(user, _)| user);
    let blocked = &policy.blocked_accounts;
    let is_blocked = |name: &str| blocked.iter().any(|other| other.eq_ignore_ascii_case(name));
    if account.disabled {
        "disabled".to_owned()
    } else if let Some(reason) = account.barred {
        let word = reason.as_str();
        match meaning::of(word) {
            Some(meaning) => format!("{word}: {}; remedy: {}", meaning.what, meaning.remedy),
            None => word.to_owned(),
        }
    } else if account.pop3_off {
        "POP3 off".to_owned()
    } else if is_blocked(&account.name) || short.is_some_and(is_blocked) {
        "blocked by login.blocked_accounts".to_owned()
    } else {
        "active".to_owned()
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
