//! The users of one version of the file, by every name that they answer to.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::User;
use super::key::UsersKey;
use super::parse::{Parsed, canonical};
use super::stored::StoredNtHash;
use crate::directory::{ScramAnswer, process_secret};
use crate::password::Scheme;
use crate::pool::Pace;
use crate::scram::Form;
use crate::{
    Account, Description, Fingerprint, Login, NtHash, NtHashForm, PasswordHash, ScramKeys, Secret,
    Site, Verdict,
};

/// One version of the users, read without a lock.
#[derive(Debug)]
pub(super) struct Index {
    names: HashMap<String, Arc<Entry>>,
    certificates: HashMap<Fingerprint, Arc<Account>>,
    /// What is checked for names that nobody has: a hash of the kind that most users have. Its
    /// outcome is never looked at, so it may be anybody's.
    stand_in: Check,
    /// What made-up SCRAM keys look like: as those of most users.
    form: Form,
    secret: Option<Secret>,
    /// How many users there are.
    pub(super) users: usize,
}

/// One user.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) account: Arc<Account>,
    password: Option<Check>,
    scram: Option<ScramKeys>,
    nt_hash: Option<NtHash>,
    /// What is to be shown of the user, without its source.
    shown: Description,
}

/// What a password is checked against.
#[derive(Clone, Debug)]
pub(super) enum Check {
    Hash(PasswordHash),
    /// The SCRAM keys of a user who has no other hash.
    Keys(ScramKeys),
}

impl Check {
    /// Of two ways the hash, as keys are the weaker one.
    fn of(user: &User) -> Option<Self> {
        let hash = user.password.clone().map(Self::Hash);
        hash.or_else(|| user.scram.clone().map(Self::Keys))
    }

    #[cfg(test)]
    pub(super) fn hash(&self) -> &PasswordHash {
        match self {
            Self::Hash(hash) => hash,
            Self::Keys(_) => panic!("no hash"),
        }
    }

    /// Takes milliseconds to seconds.
    pub(super) fn verify(&self, password: &Secret) -> bool {
        match self {
            Self::Hash(hash) => hash.verify(password),
            Self::Keys(keys) => keys.verify(password),
        }
    }

    /// How long a check takes. Keys have as many rounds as their maker wished.
    pub(super) fn pace(&self) -> Pace {
        match self {
            Self::Hash(hash) => hash.pace(),
            Self::Keys(_) => Pace::Any,
        }
    }

    /// What a check costs, as far as two can be told apart by it.
    fn cost(&self) -> (Option<(Scheme, &str)>, u32) {
        match self {
            Self::Hash(hash) => (Some(hash.cost()), 0),
            Self::Keys(keys) => (None, keys.form().iterations),
        }
    }
}

impl Index {
    /// NT hashes that the key does not open are left out.
    pub(super) fn new(Parsed { users, secret }: &Parsed, key: Option<&UsersKey>) -> Self {
        let mut owners = HashMap::new();
        for user in users {
            for name in std::iter::once(&user.name).chain(&user.aliases) {
                owners.insert(canonical(name), canonical(&user.name));
            }
        }
        let mut names = HashMap::with_capacity(owners.len());
        let mut certificates = HashMap::new();
        for user in users {
            let account = Arc::new(account(user, &owners));
            let stored = user.nt_hash.as_ref();
            let entry = Arc::new(Entry {
                nt_hash: stored.and_then(|hash| hash.open(&account.name, key)),
                account,
                password: Check::of(user),
                scram: user.scram.clone(),
                shown: description(user),
            });
            for fingerprint in user
                .certificates
                .iter()
                .filter_map(|text| Fingerprint::parse(text))
            {
                certificates.insert(fingerprint, Arc::clone(&entry.account));
            }
            for name in std::iter::once(&user.name).chain(&user.aliases) {
                names.insert(canonical(name), Arc::clone(&entry));
            }
        }
        Self {
            names,
            certificates,
            stand_in: stand_in(users),
            form: most_common_form(users),
            secret: secret.clone(),
            users: users.len(),
        }
    }

    /// The user who answers to a lookup key.
    pub(super) fn find(&self, key: &str) -> Option<&Arc<Entry>> {
        self.names.get(key)
    }

    /// The hash to check a password against, and the answer where it is known before: then the
    /// check is done for its time only, and what comes of it must not be looked at.
    pub(super) fn hash_for(&self, account: Option<&Account>) -> (Check, Option<Verdict>) {
        let entry = account.and_then(|account| self.find(&account.name));
        match entry.map(|entry| &entry.password) {
            Some(Some(hash)) => (hash.clone(), None),
            Some(None) => (self.stand_in.clone(), Some(Verdict::NoPassword)),
            None => (self.stand_in.clone(), Some(Verdict::Wrong)),
        }
    }
}

impl Index {
    /// The user of whom a certificate is.
    pub(super) fn holder(&self, fingerprint: &Fingerprint) -> Option<&Arc<Account>> {
        self.certificates.get(fingerprint)
    }

    /// The NT hash of an account.
    pub(super) fn nt_hash(&self, account: &Account) -> Option<NtHash> {
        self.find(&account.name)?.nt_hash.clone()
    }

    /// What is to be shown of an account, without its source.
    pub(super) fn describe(&self, account: &Account) -> Option<Description> {
        let entry = self.find(&account.name)?;
        let mut shown = entry.shown.clone();
        if shown.nt_hash.is_some() && entry.nt_hash.is_none() {
            shown.nt_hash = Some(NtHashForm::Shut);
        }
        Some(shown)
    }

    /// The SCRAM keys for a login; none when the system has no random numbers. Keys are made up
    /// every time, so that it takes as long whoever it is.
    pub(super) fn keys_for(&self, login: &Login, account: Option<&Account>) -> Option<ScramAnswer> {
        let secret = match &self.secret {
            Some(secret) => secret,
            None => process_secret()?,
        };
        let made_up = ScramKeys::made_up(secret, login.key(), self.form)?;
        // A name whose salt is another name's would tell that both are one account's.
        let named = account.filter(|account| account.name == login.key());
        let entry = named.and_then(|account| self.find(&account.name));
        let stored = entry.and_then(|entry| entry.scram.clone());
        Some(stored.map_or(ScramAnswer::MadeUp(made_up), ScramAnswer::Stored))
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
        barred: None,
        entry: None,
        id: None,
        version: None,
    }
}

fn description(user: &User) -> Description {
    Description {
        aliases: user.aliases.clone(),
        password: user.password.as_ref().map(PasswordHash::scheme_name),
        scram: user.scram.is_some(),
        nt_hash: user.nt_hash.as_ref().map(|hash| match hash {
            StoredNtHash::Clear(_) => NtHashForm::Clear,
            StoredNtHash::Sealed(_) => NtHashForm::Sealed,
        }),
        certificates: user.certificates.len(),
        ..Description::default()
    }
}

/// A hash, or keys, that cost what those of most users do.
fn stand_in(users: &[User]) -> Check {
    let checks: Vec<Check> = users.iter().filter_map(Check::of).collect();
    let mut counts: HashMap<_, (usize, &Check)> = HashMap::new();
    for check in &checks {
        counts.entry(check.cost()).or_insert((0, check)).0 += 1;
    }
    let most = counts.into_values().max_by_key(|(count, _)| *count);
    most.map_or_else(
        || Check::Hash(PasswordHash::stand_in()),
        |(_, check)| check.clone(),
    )
}

/// Iterations and length of salt that most users' keys have. Of two that as many have, always the
/// same one: a restart must not change what strangers see.
fn most_common_form(users: &[User]) -> Form {
    let mut counts: HashMap<Form, usize> = HashMap::new();
    for keys in users.iter().filter_map(|user| user.scram.as_ref()) {
        *counts.entry(keys.form()).or_default() += 1;
    }
    let most = counts
        .into_iter()
        .max_by_key(|(form, count)| (*count, *form));
    most.map_or_else(Form::default, |(form, _)| form)
}
