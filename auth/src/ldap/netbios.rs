//! What Windows calls a domain: the word before the backslash, which does not follow from the name in DNS.
//!
//! Every domain of a forest has an entry with both names (\[MS-ADTS\] 6.1.1.2.1.1), which all controllers
//! of the forest have, and whoever may bind may read.

use ldap3::Scope;

use super::connection::{Connection, Deadline};
use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::search::{Question, search};
use super::survey::{any, entry};
use crate::audit::shown;

/// The NetBIOS name of a domain; none where the directory does not say, or says several.
pub(super) async fn name(
    connection: &mut Connection,
    domain: &str,
    deadline: Deadline,
) -> Result<Option<String>, LdapError> {
    let configuration = Attribute::known("configurationNamingContext");
    let root = entry(connection, "", any(), &[configuration.as_str()], deadline).await?;
    let root = root.unwrap_or_default();
    let Some(configuration) = root.text(&configuration) else {
        return Ok(None);
    };
    let name = Attribute::known("nETBIOSName");
    let question = Question {
        base: format!("CN=Partitions,{configuration}"),
        scope: Scope::OneLevel,
        filter: Filter::And(vec![
            Filter::equal(&Attribute::known("objectClass"), "crossRef"),
            Filter::present(&name),
            Filter::equal(&Attribute::known("dnsRoot"), domain),
        ]),
        attributes: vec![name.as_str().to_owned()],
        most: 1,
    };
    let found = match search(connection, &question, deadline).await {
        Ok(found) => found,
        // It may be forbidden, which is nothing that a login would notice.
        Err(LdapError::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(match found.entries.as_slice() {
        [entry] if !found.more => entry.text(&name).map(shown),
        _ => None,
    })
}
