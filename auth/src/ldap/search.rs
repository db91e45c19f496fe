//! Searches: a few entries at most, and never a referral followed.

use std::collections::HashMap;

use ldap3::result::LdapError as Fault;
use ldap3::{Ldap, LdapResult, Scope, SearchEntry, SearchOptions};
use sha2::{Digest, Sha256};

use super::connection::{Connection, Deadline};
use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::servers::Ask;

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// Below which entry, or of which.
    pub(super) base: String,
    pub(super) scope: Scope,
    pub(super) filter: Filter,
    /// What is wanted of each entry.
    pub(super) attributes: Vec<String>,
    /// More entries than this are not wanted; the server is told so.
    pub(super) most: usize,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// At most as many as were wanted.
    pub(super) entries: Vec<Entry>,
    /// Whether there are more.
    pub(super) more: bool,
}

/// One entry. Attributes are named in lower case, their values are octets.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) dn: String,
    attributes: HashMap<String, Vec<Vec<u8>>>,
}

impl Entry {
    #[cfg(test)]
    pub(super) fn of(dn: &str, attributes: &[(&str, &[u8])]) -> Self {
        let mut entry = Self {
            dn: dn.to_owned(),
            attributes: HashMap::new(),
        };
        for (name, value) in attributes {
            let values = entry.attributes.entry(name.to_ascii_lowercase());
            values.or_default().push(value.to_vec());
        }
        entry
    }

    /// All values of an attribute.
    pub(super) fn values(&self, attribute: &Attribute) -> &[Vec<u8>] {
        let values = self
            .attributes
            .get(&attribute.as_str().to_ascii_lowercase());
        values.map_or(&[], Vec::as_slice)
    }

    /// A digest of what it says, whatever the order.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut attributes: Vec<_> = self.attributes.iter().collect();
        attributes.sort_unstable();
        let mut digest = Sha256::new();
        for (name, values) in attributes {
            let mut values: Vec<_> = values.iter().collect();
            values.sort_unstable();
            digest.update(name.as_bytes());
            digest.update(values.len().to_le_bytes());
            for value in values {
                digest.update(value.len().to_le_bytes());
                digest.update(value);
            }
        }
        digest.finalize().into()
    }

    /// The values that are text.
    pub(super) fn texts(&self, attribute: &Attribute) -> impl Iterator<Item = &str> {
        self.values(attribute)
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first value that is text and not empty.
    pub(super) fn text(&self, attribute: &Attribute) -> Option<&str> {
        self.texts(attribute).find(|text| !text.is_empty())
    }
}

impl From<SearchEntry> for Entry {
    fn from(found: SearchEntry) -> Self {
        let texts = found.attrs.into_iter().map(|(name, values)| {
            (
                name,
                values
                    .into_iter()
                    .map(String::into_bytes)
                    .collect::<Vec<_>>(),
            )
        });
        let all = texts.chain(found.bin_attrs);
        Self {
            dn: found.dn,
            attributes: all
                .map(|(name, values)| (name.to_ascii_lowercase(), values))
                .collect(),
        }
    }
}

/// A plain search can be asked of a directory.
impl Ask for Question {
    type Answer = Found;

    async fn ask(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> Result<Found, LdapError> {
        search(connection, self, deadline).await
    }
}

/// Reads the root entry, which every server has for everybody: a sign of life.
pub(super) async fn root(connection: &mut Connection, deadline: Deadline) -> Result<(), LdapError> {
    let question = Question {
        base: String::new(),
        scope: Scope::Base,
        filter: Filter::present(&Attribute::known("objectClass")),
        attributes: vec!["supportedLDAPVersion".to_owned()],
        most: 1,
    };
    let ask = run(connection.handle(), &question);
    let (_, result) = connection
        .within("reading its root entry", deadline, ask)
        .await?;
    // It may be forbidden; what matters is that it answers, and is not about to stop.
    match result.rc {
        51 | 52 => Err(refused(connection, "reading its root entry", &result)),
        _ => Ok(()),
    }
}

/// Searches.
pub(super) async fn search(
    connection: &mut Connection,
    question: &Question,
    deadline: Deadline,
) -> Result<Found, LdapError> {
    let ask = run(connection.handle(), question);
    let (found, result) = connection.within("searching", deadline, ask).await?;
    match result.rc {
        0 => Ok(found),
        // sizeLimitExceeded is how the question whether there are more is answered.
        4 => Ok(Found {
            more: true,
            ..found
        }),
        // The entry itself is gone, or its name was never one.
        32 | 34 if question.scope == Scope::Base => Ok(Found {
            entries: Vec::new(),
            more: false,
        }),
        _ => Err(refused(connection, "searching", &result)),
    }
}

fn refused(connection: &Connection, doing: &'static str, result: &LdapResult) -> LdapError {
    LdapError::Refused {
        server: connection.server().to_owned(),
        doing,
        answer: result.clone().into(),
    }
}

/// The entries, and whether there were more than were asked for: Samba's controller may send those all the
/// same. They are passed over one by one; how many may come, the bounds of the connection say.
async fn run(mut ldap: Ldap, question: &Question) -> Result<(Found, LdapResult), Fault> {
    let most = i32::try_from(question.most).unwrap_or(i32::MAX);
    ldap.with_search_options(SearchOptions::new().sizelimit(most));
    let filter = question.filter.to_string();
    let mut stream = ldap
        .streaming_search(
            &question.base,
            question.scope,
            &filter,
            &question.attributes,
        )
        .await?;
    let (mut entries, mut more) = (Vec::new(), false);
    while let Some(found) = stream.next().await? {
        // References to other servers are never followed.
        if found.is_ref() || found.is_intermediate() {
            continue;
        }
        if entries.len() >= question.most {
            more = true;
            continue;
        }
        entries.push(Entry::from(SearchEntry::construct(found)));
    }
    Ok((Found { entries, more }, stream.finish().await))
}
