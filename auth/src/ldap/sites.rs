//! The site of a mailbox's home server, as Active Directory knows it.
//!
//! Exchange has noted the site of each of its servers (`msExchServerSite` of the entry whose
//! `legacyExchangeDN` the mailbox names). Other servers stand below their site themselves, as
//! `CN=EX01,CN=Servers,CN=London,CN=Sites,…` (\[MS-ADTS\] 6.1.1.2.2.1.2.1). Both are in the configuration
//! naming context.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ldap3::Scope;

use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::keeper::LdapDirectory;
use super::name::{first_value, legacy_server};
use super::pool::Role;
use super::search::{Entry, Question};
use super::shelf::Shelf;
use crate::audit::shown;
use crate::{Account, Site};

/// Servers seldom move.
const LIFE: Duration = Duration::from_secs(3600);

/// More entries about one server are not looked at.
const MOST: usize = 8;

/// The sites that were found.
pub(super) struct Sites(Mutex<Shelf<Site>>);

impl Default for Sites {
    fn default() -> Self {
        Self(Mutex::new(Shelf::new(LIFE)))
    }
}

impl std::fmt::Debug for Sites {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sites").finish_non_exhaustive()
    }
}

impl LdapDirectory {
    /// Puts the site of the server in the place of its name, where the directory is to tell it.
    pub(super) async fn settle_site(&self, account: &mut Account) -> Result<(), LdapError> {
        let Some(rule) = self.settings.site.as_ref().filter(|rule| rule.in_directory) else {
            return Ok(());
        };
        let server = account.site.take().filter(|site| *site != Site::unknown());
        let found = match server {
            Some(server) => self.site_of(server.as_str()).await?,
            None => None,
        };
        account.site = rule.or_unknown(found);
        Ok(())
    }

    async fn site_of(&self, server: &str) -> Result<Option<Site>, LdapError> {
        let lock = || self.sites.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = lock().get(server) {
            return Ok(Some(site.clone()));
        }
        let found = self.ask_for_site(server).await?;
        match &found {
            Some(site) => lock().put(server, site.clone()),
            None => tracing::warn!(
                server = shown(server),
                "the directory does not tell the site of a home server, or tells several: \
                 its mailboxes are where ldap.unknown_site says"
            ),
        }
        Ok(found)
    }

    async fn ask_for_site(&self, server: &str) -> Result<Option<Site>, LdapError> {
        let contexts = Attribute::known("configurationNamingContext");
        let root = Question {
            base: String::new(),
            scope: Scope::Base,
            filter: Filter::present(&Attribute::known("objectClass")),
            attributes: vec![contexts.as_str().to_owned()],
            most: 1,
        };
        let root = self.servers.ask(Role::Search, &root).await?;
        let Some(base) = root.entries.first().and_then(|root| root.text(&contexts)) else {
            return Ok(None);
        };
        let noted = Attribute::known("msExchServerSite");
        let question = Question {
            base: base.to_owned(),
            scope: Scope::Subtree,
            filter: about(server),
            attributes: vec![noted.as_str().to_owned()],
            most: MOST,
        };
        let found = self.servers.ask(Role::Search, &question).await?;
        if found.more {
            return Ok(None);
        }
        let site = |entry: &Entry| match entry.text(&noted) {
            Some(site) => first_value(site),
            None => site_of_name(&entry.dn),
        };
        let mut sites = found.entries.iter().filter_map(site).map(Site::new);
        let first = sites.next();
        // One server in two sites is in none of them.
        let alone = sites.all(|site| Some(site) == first);
        Ok(first.filter(|_| alone))
    }
}

/// The entries that are about a server: by its legacy name, and where it stands.
fn about(server: &str) -> Filter {
    let names = [
        legacy_server(server).map(str::to_owned),
        first_value(server),
    ];
    let name = names.into_iter().flatten().next();
    let name = name.unwrap_or_else(|| server.to_owned());
    Filter::Or(vec![
        Filter::Equal(Attribute::known("legacyExchangeDN"), server.to_owned()),
        Filter::And(vec![
            Filter::Equal(Attribute::known("objectClass"), "server".to_owned()),
            Filter::Or(vec![
                Filter::Equal(Attribute::known("cn"), name),
                Filter::Equal(Attribute::known("dNSHostName"), server.to_owned()),
            ]),
        ]),
    ])
}

/// The site in the name of a server's entry, `CN=EX01,CN=Servers,CN=London,CN=Sites,…`.
fn site_of_name(dn: &str) -> Option<String> {
    let parts = parts(dn);
    let is = |place: usize, text: &str| {
        let part = parts.get(place);
        part.is_some_and(|part| part.eq_ignore_ascii_case(text))
    };
    let stands = is(1, "CN=Servers") && is(3, "CN=Sites");
    first_value(parts.get(2).filter(|_| stands)?)
}

/// The parts of a name, cut at commas that are not escaped (RFC 4514 §3).
fn parts(dn: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begun, mut escaped) = (0, false);
    for (place, character) in dn.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.extend(dn.get(begun..place));
                begun = place + 1;
            }
            _ => {}
        }
    }
    parts.extend(dn.get(begun..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_stands_below_its_site() {
        let below = "CN=Sites,CN=Configuration,DC=corp";
        for (dn, site) in [
            (
                format!("CN=EX01,CN=Servers,CN=London,{below}"),
                Some("London"),
            ),
            (
                format!("cn=EX\\,01,cn=servers,cn=Lon\\,don,{below}"),
                Some("Lon,don"),
            ),
            (
                format!("CN=NTDS Settings,CN=EX01,CN=Servers,CN=London,{below}"),
                None,
            ),
            (
                "CN=EX01,CN=Servers,CN=London,CN=Elsewhere,DC=corp".to_owned(),
                None,
            ),
            ("CN=EX01".to_owned(), None),
        ] {
            assert_eq!(site_of_name(&dn).as_deref(), site, "{dn}");
        }
    }

    #[test]
    fn a_server_is_asked_for_by_each_of_its_names() {
        let legacy = "/o=Org/ou=Group/cn=Configuration/cn=Servers/cn=EX01";
        for (value, cn) in [
            (legacy, "EX01"),
            ("CN=EX02,CN=Servers,DC=corp", "EX02"),
            ("EX*3", "EX\\2a3"),
        ] {
            let filter = about(value).to_string();
            assert!(filter.contains(&format!("(cn={cn})")), "{filter}");
        }
        assert!(
            about(legacy)
                .to_string()
                .starts_with(&format!("(|(legacyExchangeDN={legacy})"))
        );
    }
}
