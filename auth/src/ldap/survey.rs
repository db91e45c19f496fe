//! A look at a directory beside its settings: whether what they name is there, and whether the service
//! account may read it. For an administrator, before anybody logs in.

use ldap3::Scope;

use super::connection::{Connection, Deadline};
use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::groups;
use super::inquiry::LdapTrouble;
use super::keeper::LdapDirectory;
use super::netbios;
use super::pool::Role;
use super::search::{Entry, Found, Question, search};
use super::servers::Ask;
use super::settings::{LdapSettings, Proof};
use super::subschema::Subschema;

/// So many people are looked at, to see what the service account may read of them.
const SAMPLE: usize = 100;
/// The root entry's attribute with the name of the schema's entry (RFC 4512 §5.1).
const SUBSCHEMA_ENTRY: &str = "subschemaSubentry";

/// What was seen.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The server that was asked, as configured.
    pub server: String,
    /// The schema; empty when the server does not show it.
    pub schema: Subschema,
    /// Whether the base is there, and the service account may see it.
    pub base: bool,
    /// People who were found, at most twenty.
    pub people: usize,
    /// Whether there are more.
    pub more: bool,
    /// The name of the entry of one of them: the first by its letters, so that it is the same again.
    pub person: Option<String>,
    /// How many of them have a short name that the service account may read.
    pub named: usize,
    /// How many of them show an identity of their entry, where one is asked for.
    pub identified: Option<usize>,
    /// How many of them have a stored password that it may read, where passwords are compared.
    pub passwords: Option<usize>,
    /// The NetBIOS name of `ldap.domain`, where Active Directory tells it.
    pub netbios: Option<String>,
    /// Groups of the settings that are not there, or that the service account may not see.
    pub missing_groups: Vec<String>,
}

impl LdapDirectory {
    /// Looks, within the time of one question.
    ///
    /// # Errors
    /// When no server of the directory answers in time, or refuses.
    pub async fn survey(&self) -> Result<Survey, LdapTrouble> {
        let look = Look(&self.settings);
        Ok(self.servers.ask(Role::Search, &look).await?)
    }
}

struct Look<'a>(&'a LdapSettings);

impl Ask for Look<'_> {
    type Answer = Survey;

    async fn ask(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Survey, LdapError> {
        let settings = self.0;
        let schema = subschema(connection, deadline).await?;
        let base = settings.base.is_empty() || exists(connection, &settings.base, deadline).await?;
        let Found { entries, more } = if base {
            self.people(connection, deadline).await?
        } else {
            Found {
                entries: Vec::new(),
                more: false,
            }
        };
        let mut missing_groups = Vec::new();
        for group in &settings.groups {
            if !exists(connection, group, deadline).await? {
                missing_groups.push(group.clone());
            }
        }
        let netbios = match &settings.schema.domain {
            Some(domain) => netbios::name(connection, domain, deadline).await?,
            None => None,
        };
        let having = |attribute: &Attribute| {
            let has = |entry: &&Entry| !entry.values(attribute).is_empty();
            entries.iter().filter(has).count()
        };
        let compared = matches!(settings.proof, Proof::Read);
        Ok(Survey {
            server: connection.server().to_owned(),
            schema,
            base,
            people: entries.len(),
            more,
            person: entries.iter().map(|entry| entry.dn.clone()).min(),
            named: having(&settings.schema.name),
            identified: settings.schema.id.as_ref().map(having),
            netbios,
            passwords: compared.then(|| having(&Attribute::known(PASSWORD))),
            missing_groups,
        })
    }
}

/// What passwords are compared with.
const PASSWORD: &str = "userPassword";

impl Look<'_> {
    async fn people(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Found, LdapError> {
        let LdapSettings {
            schema,
            base,
            proof,
            ..
        } = self.0;
        let mut attributes = vec![schema.name.as_str().to_owned()];
        attributes.extend(schema.id.as_ref().map(|id| id.as_str().to_owned()));
        if matches!(proof, Proof::Read) {
            attributes.push(PASSWORD.to_owned());
        }
        let question = Question {
            base: base.clone(),
            scope: Scope::Subtree,
            filter: Filter::Written(schema.people.clone()),
            attributes,
            most: SAMPLE,
        };
        search(connection, &question, deadline).await
    }
}

/// One entry, if it is there and may be seen.
pub(super) async fn entry(
    connection: &mut Connection,
    dn: &str,
    class: Filter,
    attributes: &[&str],
    deadline: Deadline,
) -> Result<Option<Entry>, LdapError> {
    let question = Question {
        base: dn.to_owned(),
        scope: Scope::Base,
        filter: class,
        attributes: attributes.iter().map(|name| (*name).to_owned()).collect(),
        most: 1,
    };
    let found = search(connection, &question, deadline).await?;
    Ok(found.entries.into_iter().next())
}

/// Every entry has it.
pub(super) fn any() -> Filter {
    Filter::present(&Attribute::known("objectClass"))
}

async fn exists(
    connection: &mut Connection,
    dn: &str,
    deadline: Deadline,
) -> Result<bool, LdapError> {
    let found = entry(connection, dn, any(), &[groups::NOTHING], deadline).await?;
    Ok(found.is_some())
}

/// RFC 4512 §4.4: the root entry names the one with the schema, which must be asked for by its class.
async fn subschema(
    connection: &mut Connection,
    deadline: Deadline,
) -> Result<Subschema, LdapError> {
    let root = entry(connection, "", any(), &[SUBSCHEMA_ENTRY], deadline).await?;
    let root = root.unwrap_or_default();
    let Some(dn) = root.text(&Attribute::known(SUBSCHEMA_ENTRY)) else {
        return Ok(Subschema::default());
    };
    let class = Filter::equal(&Attribute::known("objectClass"), "subschema");
    let wanted = ["attributeTypes", "objectClasses"];
    let found = entry(connection, dn, class, &wanted, deadline).await?;
    let found = found.unwrap_or_default();
    let [types, classes] = wanted.map(Attribute::known);
    Ok(Subschema::read(found.texts(&types), found.texts(&classes)))
}
