//! Accounts that were found before, looked at again: many in one question, so that a thousand open
//! sessions cost a directory little.
//!
//! What a question for many does not find is asked for alone, as at a login, before it counts as gone
//! or as in no group: a session ends only on an answer that is about nobody else.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ldap3::Scope;

use super::account;
use super::fault::LdapError;
use super::filter::Filter;
use super::groups;
use super::keeper::LdapDirectory;
use super::pool::Role;
use super::schema::Groups;
use super::search::{Entry, Found, Question};
use crate::directory::Recalled;
use crate::{Account, Known, Reason, Unavailable, clock};

/// So many accounts are asked for at once.
const BATCH: usize = 50;

/// From so many accounts on, more than half of them gone at once, or others under their names, is no
/// change of people: the service account may have lost its right to see them, or a server has other
/// entries than the rest.
const MANY: usize = 10;

impl LdapDirectory {
    /// What became of accounts. After trouble no more is asked.
    pub(super) async fn recalled(&self, accounts: &[&Known]) -> Vec<Recalled> {
        let mut recalled: Vec<Recalled> = Vec::with_capacity(accounts.len());
        for batch in accounts.chunks(BATCH) {
            match self.recall_batch(batch).await {
                Ok(found) => {
                    recalled.extend(found.into_iter().map(|found| Ok(found.map(Arc::new))));
                }
                Err(error) => {
                    let trouble = Unavailable::from(error);
                    recalled.resize(accounts.len(), Err(trouble));
                    return recalled;
                }
            }
        }
        let mut gone: Vec<_> = accounts
            .iter()
            .zip(&mut recalled)
            .filter(|(known, now)| is_gone(known, now))
            .collect();
        if accounts.len() >= MANY && gone.len() > accounts.len() / 2 {
            tracing::error!(
                gone = gone.len(),
                of = accounts.len(),
                "most accounts with open sessions are gone from the directory, which is not believed: \
                 see ldap.base, ldap.filter and what the service account may read"
            );
            for (_, now) in &mut gone {
                **now = Err(Unavailable::Trouble);
            }
        } else {
            for (known, _) in gone {
                self.cache.forget(known.name());
            }
        }
        recalled
    }

    async fn recall_batch(&self, batch: &[&Known]) -> Result<Vec<Option<Account>>, LdapError> {
        let schema = &self.settings.schema;
        let names = batch.iter().map(|known| self.short(known.name()));
        let names = names
            .map(|name| Filter::equal(&schema.name, name))
            .collect();
        let found = self.people(Filter::Or(names), &self.attributes).await?;
        let mut by_name: HashMap<String, Vec<Entry>> = HashMap::new();
        for entry in found.entries {
            if let Some(name) = entry
                .text(&schema.name)
                .and_then(|name| schema.canonical(name))
            {
                by_name.entry(name).or_default().push(entry);
            }
        }
        let mut entries = Vec::with_capacity(batch.len());
        for known in batch {
            let found = by_name
                .remove(known.name())
                .and_then(|found| own(found, known));
            entries.push(match found {
                Some(entry) => Some(entry),
                None => self.entry(known).await?,
            });
        }
        self.accounts(entries).await
    }

    /// The accounts of entries, with whether each is in a group that may use POP3.
    async fn accounts(
        &self,
        entries: Vec<Option<Entry>>,
    ) -> Result<Vec<Option<Account>>, LdapError> {
        let (schema, site) = (&self.settings.schema, self.settings.site.as_ref());
        let now = clock::unix_seconds();
        let members = self.members(entries.iter().flatten()).await?;
        let mut accounts = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(entry) = entry else {
                accounts.push(None);
                continue;
            };
            let mut account = account::account(schema, site, &entry, now);
            if let Some(account) = &mut account {
                let free = account.barred.is_none();
                account.delegates = account::delegates(schema, &entry).1;
                if free && !members.contains(&entry.dn) && !self.is_member(&entry).await? {
                    account.barred = Some(Reason::NotInGroup);
                }
                self.settle_site(account).await?;
            }
            accounts.push(account);
        }
        Ok(accounts)
    }

    /// The entry of one account, under the name that it had, if it is still this account's.
    async fn entry(&self, known: &Known) -> Result<Option<Entry>, LdapError> {
        let schema = &self.settings.schema;
        let question = Question {
            base: known.entry().unwrap_or_default().to_owned(),
            scope: Scope::Base,
            filter: Filter::Written(schema.people.clone()),
            attributes: self.attributes.clone(),
            most: 1,
        };
        if question.base.is_empty() {
            return Ok(None);
        }
        let found = self.servers.ask(Role::Search, &question).await?;
        let is_it = |entry: &Entry| {
            let name = entry
                .text(&schema.name)
                .and_then(|name| schema.canonical(name));
            name.as_deref() == Some(known.name())
        };
        Ok(found.entries.into_iter().find(is_it))
    }

    /// Which of these entries are surely in a group that may use POP3; of the others it is not known.
    async fn members(
        &self,
        entries: impl Iterator<Item = &Entry>,
    ) -> Result<HashSet<String>, LdapError> {
        let allowed = &self.settings.groups;
        let entries: Vec<_> = entries.collect();
        if allowed.is_empty() || entries.is_empty() {
            return Ok(entries.iter().map(|entry| entry.dn.clone()).collect());
        }
        let name = &self.settings.schema.name;
        match self.settings.schema.groups {
            Groups::InChain | Groups::MemberOf => {
                let names = entries.iter().filter_map(|entry| entry.text(name));
                let names = names.map(|short| Filter::equal(name, short)).collect();
                let member = groups::member_of(self.settings.schema.groups, allowed);
                let both = Filter::And(vec![Filter::Or(names), Filter::Or(member)]);
                let found = self.people(both, &[name.as_str().to_owned()]).await?;
                Ok(found.entries.into_iter().map(|entry| entry.dn).collect())
            }
            // A group tells only whether it has somebody, so it is asked whether it has all of them.
            Groups::Member => {
                for group in allowed {
                    let short = |entry: &Entry| entry.text(name).unwrap_or_default().to_owned();
                    let each = entries
                        .iter()
                        .map(|entry| groups::has_member(&entry.dn, &short(entry)));
                    let question = groups::of_group(group, Filter::And(each.collect()));
                    let found = self.servers.ask(Role::Search, &question).await?;
                    if !found.entries.is_empty() {
                        return Ok(entries.iter().map(|entry| entry.dn.clone()).collect());
                    }
                }
                Ok(HashSet::new())
            }
        }
    }

    /// Whether one entry is in a group that may use POP3, asked as at a login.
    async fn is_member(&self, entry: &Entry) -> Result<bool, LdapError> {
        let schema = &self.settings.schema;
        let short = entry.text(&schema.name).unwrap_or_default();
        for question in groups::questions(schema.groups, &self.settings.groups, &entry.dn, short) {
            let found = self.servers.ask(Role::Search, &question).await?;
            if !found.entries.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those among all accounts that also fit a filter.
    async fn people(&self, filter: Filter, attributes: &[String]) -> Result<Found, LdapError> {
        let question = Question {
            base: self.settings.base.clone(),
            scope: Scope::Subtree,
            filter: Filter::And(vec![
                Filter::Written(self.settings.schema.people.clone()),
                filter,
            ]),
            attributes: attributes.to_vec(),
            // Two entries may have one name; of more the rest is asked for alone.
            most: 2 * BATCH,
        };
        self.servers.ask(Role::Search, &question).await
    }

    /// The short name in a canonical one.
    fn short<'a>(&self, name: &'a str) -> &'a str {
        let domain = self.settings.schema.domain.as_deref();
        let own = name
            .rsplit_once('@')
            .filter(|(_, realm)| Some(*realm) == domain);
        own.map_or(name, |(short, _)| short)
    }
}

/// Whether an account is no more, or its name another's.
fn is_gone(known: &Known, now: &Recalled) -> bool {
    match now {
        Ok(Some(account)) => known.is_replaced_by(account),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// The one entry among those of a name; of several the one that the account had.
fn own(mut found: Vec<Entry>, known: &Known) -> Option<Entry> {
    if found.len() > 1 {
        let had = known.entry()?;
        found.retain(|entry| entry.dn.eq_ignore_ascii_case(had));
    }
    found.pop()
}
