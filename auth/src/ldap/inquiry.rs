//! What a directory knows of a typed name, for an administrator: the question of a login, and more of
//! its answer than a login is told.
//!
//! No login asks this. It shows no password and none of the values that one is compared with.

use ldap3::Scope;

use super::connection::{Connection, Deadline};
use super::fault::LdapError;
use super::filter::Attribute;
use super::groups;
use super::keeper::LdapDirectory;
use super::lookup::Lookup;
use super::pool::Role;
use super::question;
use super::schema::{Groups, Schema};
use super::search::{Entry, Found, Question, search};
use super::servers::Ask;
use super::settings::LdapSettings;
use crate::{Account, Login, Name, letters};

/// So many entries that answer to one name are shown.
const MOST_ENTRIES: usize = 8;
/// So many groups of one account are shown.
const MOST_GROUPS: usize = 64;

/// What a directory answers to a typed name.
#[derive(Clone, Debug)]
pub struct LdapInquiry {
    /// The server that was asked, as configured.
    pub server: String,
    /// Below which entry was searched; empty for all of a global catalog.
    pub base: String,
    /// What was searched for (RFC 4515).
    pub filter: String,
    /// The entries that answer, at most eight. A name that more than one answers to is nobody's.
    pub entries: Vec<LdapEntry>,
    /// Whether there are more.
    pub more: bool,
}

/// One of the entries.
#[derive(Clone, Debug)]
pub struct LdapEntry {
    /// Its name.
    pub dn: String,
    /// The attributes that have what was typed; none when the directory takes another spelling for
    /// the same.
    pub answers_by: Vec<String>,
    /// Its account; none when its name is one that no account can have.
    pub account: Option<Account>,
    /// Addresses that may be typed instead of the name.
    pub addresses: Vec<String>,
    /// Groups that it is in, at most 64; in Active Directory those that it is in itself.
    pub groups: Vec<String>,
    /// Those of the groups that may use POP3 that it is in; none when everybody may.
    pub admitted_by: Option<Vec<String>>,
    /// What the attribute says by which its site is known.
    pub home: Option<String>,
}

/// A directory that could not be asked: which server, what is wrong, and the remedy.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LdapTrouble(#[from] LdapError);

impl LdapDirectory {
    /// Asks what a login with this name would ask, and for more of the answer.
    ///
    /// # Errors
    /// When no server of the directory answers within its time, or refuses.
    pub async fn inquire(&self, login: &Login) -> Result<LdapInquiry, LdapTrouble> {
        let name = Name::Typed(login);
        let LdapSettings {
            schema, base, site, ..
        } = &self.settings;
        let mut attributes = self.attributes.clone();
        let addresses = schema.addresses.iter().map(|address| &address.attribute);
        let more = addresses.chain(site.as_ref().map(|rule| &rule.attribute));
        attributes.extend(more.map(|attribute| attribute.as_str().to_owned()));
        attributes.push(MEMBER_OF.to_owned());
        let question = Question {
            most: MOST_ENTRIES,
            ..question::by_name(schema, base, attributes, name)
        };
        let inquiry = Inquiry(Lookup {
            settings: &self.settings,
            name,
            question,
        });
        Ok(self.servers.ask(Role::Search, &inquiry).await?)
    }
}

/// The groups that an entry is in, where the directory keeps them with it.
const MEMBER_OF: &str = "memberOf";

/// A name about which everything is asked.
struct Inquiry<'a>(Lookup<'a>);

impl Ask for Inquiry<'_> {
    type Answer = LdapInquiry;

    async fn ask(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<LdapInquiry, LdapError> {
        let Self(Lookup { question, .. }) = self;
        let Found { entries, more } = search(connection, question, deadline).await?;
        let mut shown = Vec::new();
        for entry in &entries {
            shown.push(self.entry(connection, entry, deadline).await?);
        }
        Ok(LdapInquiry {
            server: connection.server().to_owned(),
            base: question.base.clone(),
            filter: question.filter.to_string(),
            entries: shown,
            more,
        })
    }
}

impl Inquiry<'_> {
    async fn entry(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<LdapEntry, LdapError> {
        let Self(lookup) = self;
        let LdapSettings { schema, site, .. } = lookup.settings;
        let home = site.as_ref().and_then(|rule| entry.text(&rule.attribute));
        Ok(LdapEntry {
            dn: entry.dn.clone(),
            answers_by: answers_by(schema, entry, lookup.name.login()),
            account: lookup.complete(connection, entry, deadline).await?,
            addresses: addresses(schema, entry),
            groups: self.groups(connection, entry, deadline).await?,
            admitted_by: self.admitted_by(connection, entry, deadline).await?,
            home: home.map(str::to_owned),
        })
    }

    /// The groups of an entry, as the directory keeps them: with the entry, or with the groups.
    async fn groups(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<Vec<String>, LdapError> {
        let LdapSettings { schema, base, .. } = self.0.settings;
        if schema.groups != Groups::Member {
            let member_of = Attribute::known(MEMBER_OF);
            let groups = entry.texts(&member_of).take(MOST_GROUPS);
            let mut groups: Vec<_> = groups.map(str::to_owned).collect();
            // Directories give them in any order.
            groups.sort_unstable();
            return Ok(groups);
        }
        let short = entry.text(&schema.name).unwrap_or_default();
        let question = Question {
            base: base.clone(),
            scope: Scope::Subtree,
            filter: groups::has_member(&entry.dn, short),
            attributes: vec![groups::NOTHING.to_owned()],
            most: MOST_GROUPS,
        };
        let found = search(connection, &question, deadline).await?;
        let mut groups: Vec<_> = found.entries.into_iter().map(|group| group.dn).collect();
        groups.sort_unstable();
        Ok(groups)
    }

    /// Each group that may use POP3 is asked for by itself: a login need not know which it was.
    async fn admitted_by(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        deadline: Deadline,
    ) -> Result<Option<Vec<String>>, LdapError> {
        let LdapSettings { schema, groups, .. } = self.0.settings;
        if groups.is_empty() {
            return Ok(None);
        }
        let short = entry.text(&schema.name).unwrap_or_default();
        let mut admitting = Vec::new();
        for group in groups {
            let one = std::slice::from_ref(group);
            for question in groups::questions(schema.groups, one, &entry.dn, short) {
                let found = search(connection, &question, deadline).await?;
                if !found.entries.is_empty() {
                    admitting.push(group.clone());
                }
            }
        }
        Ok(Some(admitting))
    }
}

/// By which attributes an entry answers to what was typed.
fn answers_by(schema: &Schema, entry: &Entry, login: &Login) -> Vec<String> {
    let mut names = vec![login.typed().to_owned()];
    if login.realm().is_some_and(|realm| schema.is_own(realm)) {
        names.push(login.user().to_owned());
    }
    let has = |attribute: &Attribute, wanted: &[String]| {
        let mut values = entry.texts(attribute).map(letters::spelled);
        values.any(|value| wanted.contains(&value))
    };
    let short = has(&schema.name, &names).then_some(&schema.name);
    let addresses = schema.addresses.iter().filter_map(|address| {
        let typed = format!("{}{}", address.prefix, login.typed());
        has(&address.attribute, &[typed]).then_some(&address.attribute)
    });
    let all = short.into_iter().chain(addresses);
    all.map(|attribute| attribute.as_str().to_owned()).collect()
}

/// The addresses of an entry, each once, without what stands before them.
fn addresses(schema: &Schema, entry: &Entry) -> Vec<String> {
    let mut addresses = Vec::new();
    for address in &schema.addresses {
        for value in entry.texts(&address.attribute) {
            let head = value.get(..address.prefix.len());
            let Some(rest) = value.get(address.prefix.len()..) else {
                continue;
            };
            let ours = head.is_some_and(|head| head.eq_ignore_ascii_case(address.prefix));
            let rest = letters::spelled(rest);
            if ours && !addresses.contains(&rest) {
                addresses.push(rest);
            }
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::schema::Preset;

    #[test]
    fn it_is_said_by_what_an_entry_answers() {
        let mut schema = Preset::Ad.schema();
        schema.domain = Some("corp.test".to_owned());
        let entry = Entry::of(
            "CN=Alice",
            &[
                ("sAMAccountName", b"Alice"),
                ("userPrincipalName", b"alice@corp.test"),
                ("proxyAddresses", b"SMTP:a.liddell@corp.test"),
                ("proxyAddresses", b"x500:/o=corp"),
            ],
        );
        let by = |typed: &str| answers_by(&schema, &entry, &Login::parse(typed).unwrap());
        assert_eq!(by("ALICE"), ["sAMAccountName"]);
        assert_eq!(by("corp.test\\alice"), ["sAMAccountName"]);
        let both = ["sAMAccountName", "userPrincipalName"];
        assert_eq!(by("alice@corp.test"), both);
        assert_eq!(by("A.Liddell@corp.test"), ["proxyAddresses"]);
        assert_eq!(by("other\\alice"), Vec::<String>::new());
        let addresses = addresses(&schema, &entry);
        assert_eq!(addresses, ["alice@corp.test", "a.liddell@corp.test"]);
    }
}
