//! The users of one version of the file, by every name that they answer to.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::User;
use super::parse::canonical;
use crate::{Account, PasswordHash, Site, Verdict};

/// One version of the users, read without a lock.
#[derive(Debug)]
pub(super) struct Index {
    names: HashMap<String, Arc<Entry>>,
    /// What is checked for names that nobody has: a hash of the kind that most users have. Its
    /// outcome is never looked at, so it may be anybody's.
    stand_in: PasswordHash,
    /// How many users there are.
    pub(super) users: usize,
}

/// One user.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) account: Arc<Account>,
    pub(super) password: Option<PasswordHash>,
}

impl Index {
    pub(super) fn new(users: &[User]) -> Self {
        let mut owners = HashMap::new();
        for user in users {
            for name in std::iter::once(&user.name).chain(&user.aliases) {
                owners.insert(canonical(name), canonical(&user.name));
            }
        }
        let mut names = HashMap::with_capacity(owners.len());
        for user in users {
            let account = Arc::new(account(user, &owners));
            let entry = Arc::new(Entry {
                account,
                password: user.password.clone(),
            });
            for name in std::iter::once(&user.name).chain(&user.aliases) {
                names.insert(canonical(name), Arc::clone(&entry));
            }
        }
        Self {
            names,
            stand_in: most_common(users),
            users: users.len(),
        }
    }

    /// The user who answers to a lookup key.
    pub(super) fn find(&self, key: &str) -> Option<&Arc<Entry>> {
        self.names.get(key)
    }

    /// The hash to check a password against, and the answer where it is known before: then the
    /// check is done for its time only, and what comes of it must not be looked at.
    pub(super) fn hash_for(&self, account: Option<&Account>) -> (PasswordHash, Option<Verdict>) {
        let entry = account.and_then(|account| self.find(&account.name));
        match entry.map(|entry| &entry.password) {
            Some(Some(hash)) => (hash.clone(), None),
            Some(None) => (self.stand_in.clone(), Some(Verdict::NoPassword)),
            None => (self.stand_in.clone(), Some(Verdict::Wrong)),
        }
    }
}

fn account(user: &User, owners: &HashMap<String, String>) -> Account {
    let delegate = |name: &String| {
        let key = canonical(name);
        owners.get(&key).cloned().unwrap_or(key)
    };
    Account {
        name: canonical(&user.name),
        site: user.site.as_deref().map(Site::new),
        disabled: user.disabled,
        pop3_off: !user.pop3,
        exact_size: user.exact_size,
        delegates: user.delegates.iter().map(delegate).collect(),
        maildrop: user.maildrop.clone(),
    }
}

/// A hash of the scheme and parameters that most users have.
fn most_common(users: &[User]) -> PasswordHash {
    let mut counts: HashMap<_, (usize, &PasswordHash)> = HashMap::new();
    for hash in users.iter().filter_map(|user| user.password.as_ref()) {
        counts.entry(hash.cost()).or_insert((0, hash)).0 += 1;
    }
    let most = counts.into_values().max_by_key(|(count, _)| *count);
    most.map_or_else(PasswordHash::stand_in, |(_, hash)| hash.clone())
}
