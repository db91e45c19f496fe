//! From a name to an account: one search, and what other entries say about what it found.

use ldap3::Scope;

use super::account;
use super::connection::{Connection, Deadline};
use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::groups;
use super::search::{Entry, Question, search};
use super::servers::Ask;
use super::settings::LdapSettings;
use crate::audit::shown;
use crate::directory::Name;
use crate::{Account, Reason, clock};

/// More delegates of one mailbox than these are not looked up.
const MOST_DELEGATES: usize = 256;

/// A name whose account is looked for.
pub(super) struct Lookup<'a> {
    pub(super) settings: &'a LdapSettings,
    pub(super) name: Name<'a>,
    pub(super) question: Question,
}

impl Ask for Lookup<'_> {
    type Answer = Option<Account>;

    async fn ask(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Option<Account>, LdapError> {
        let found = search(connection, &self.question, deadline).await?;
        match found.entries.as_slice() {
            [entry] if !found.more => self.complete(connection, entry, deadline).await,
            [] => Ok(None),
            entries => {
                let names: Vec<_> = entries.iter().map(|entry| shown(&entry.dn)).collect();
                tracing::warn!(
                    login = shown(self.name.login().typed()),
                    entries = names.join("; "),
                    "several entries of the directory answer to one name, so it is nobody's"
                );
                Ok(None)
            }
        }
    }
}

impl Lookup<'_> {
    /// The account of an entry, with what other entries say about it.
    pub(super) async fn complete(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<Option<Account>, LdapError> {
        let schema = &self.settings.schema;
        let site = self.settings.site.as_ref();
        let Some(mut account) = account::account(schema, site, entry, clock::unix_seconds()) else {
            tracing::warn!(
                entry = shown(&entry.dn),
                attribute = schema.name.as_str(),
                "an entry of the directory has no name that an account can have"
            );
            return Ok(None);
        };
        let (entries, names) = account::delegates(schema, entry);
        account.delegates = names;
        if !entries.is_empty() {
            let delegates = self.named(connection, entries, deadline).await?;
            account.delegates.extend(delegates);
        }
        if account.barred.is_none() && !self.is_in_group(connection, entry, deadline).await? {
            account.barred = Some(Reason::NotInGroup);
        }
        Ok(Some(account))
    }

    /// The canonical names of entries that are accounts.
    async fn named(
        &self,
        connection: &mut Connection,
        entries: Vec<String>,
        deadline: Deadline,
    ) -> Result<Vec<String>, LdapError> {
        let schema = &self.settings.schema;
        // Active Directory and the others call the attribute with an entry's own name differently.
        let own_name = |dn: String| {
            Filter::Or(vec![
                Filter::Equal(Attribute::known("distinguishedName"), dn.clone()),
                Filter::Equal(Attribute::known("entryDN"), dn),
            ])
        };
        let entries = entries.into_iter().take(MOST_DELEGATES);
        let question = Question {
            base: self.settings.base.clone(),
            scope: Scope::Subtree,
            filter: Filter::And(vec![
                Filter::Written(schema.people.clone()),
                Filter::Or(entries.map(own_name).collect()),
            ]),
            attributes: vec![schema.name.as_str().to_owned()],
            most: MOST_DELEGATES,
        };
        let found = search(connection, &question, deadline).await?;
        let name = |entry: &Entry| schema.canonical(entry.text(&schema.name)?);
        Ok(found.entries.iter().filter_map(name).collect())
    }

    async fn is_in_group(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<bool, LdapError> {
        let LdapSettings { schema, groups, .. } = self.settings;
        if groups.is_empty() {
            return Ok(true);
        }
        let short = entry.text(&schema.name).unwrap_or_default();
        for question in groups::questions(schema.groups, groups, &entry.dn, short) {
            if !search(connection, &question, deadline)
                .await?
                .entries
                .is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
