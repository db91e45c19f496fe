//! From an entry to an account: what the attributes of one entry say about a person.
//!
//! Nothing is asked here, and nothing decided: the entry is all there is.

use std::path::{Component, Path, PathBuf};

use super::filter::Attribute;
use super::name::{first_value, legacy_server};
use super::schema::{Schema, SiteRule, UnknownSite};
use super::search::Entry;
use super::state;
use crate::{Account, EntryId, Login, Reason, Site};

/// The attributes that are asked for.
pub(super) fn attributes(schema: &Schema, site: Option<&SiteRule>) -> Vec<String> {
    let configured = [
        schema.pop3.as_ref(),
        schema.exact_size.as_ref(),
        schema.maildrop.as_ref(),
        schema.delegates.as_ref(),
        schema.mailbox.as_ref(),
        schema.id.as_ref(),
        site.map(|rule| &rule.attribute),
    ];
    let configured = configured.into_iter().flatten().chain([&schema.name]);
    let mut names: Vec<String> = configured.map(|name| name.as_str().to_owned()).collect();
    names.extend(state::ATTRIBUTES.iter().map(|name| (*name).to_owned()));
    names
}

/// The account of an entry; none when its name could not be anybody's. Its delegates are still to
/// be looked up where they are entries: see [`delegates`].
pub(super) fn account(
    schema: &Schema,
    site: Option<&SiteRule>,
    entry: &Entry,
    now: i64,
) -> Option<Account> {
    let name = schema.canonical(entry.text(&schema.name)?)?;
    let flag = |attribute: &Option<Attribute>| {
        attribute
            .as_ref()
            .and_then(|attribute| switch(entry, attribute))
    };
    let (maildrop, misplaced) = match schema
        .maildrop
        .as_ref()
        .and_then(|attribute| entry.text(attribute))
    {
        None => (None, false),
        Some(path) => {
            let path = maildrop(path);
            (path.clone(), path.is_none())
        }
    };
    let homeless = schema
        .mailbox
        .as_ref()
        .is_some_and(|attribute| entry.values(attribute).is_empty());
    let barred = state::barred(entry, now);
    let disabled = barred == Some(Reason::Disabled);
    Some(Account {
        name,
        site: site.and_then(|rule| rule.of(entry)),
        disabled,
        pop3_off: schema.pop3.is_some() && flag(&schema.pop3) == Some(false),
        exact_size: flag(&schema.exact_size),
        delegates: Vec::new(),
        maildrop,
        barred: barred.or((homeless || misplaced).then_some(Reason::NoMailbox)),
        entry: Some(entry.dn.as_str().into()),
        id: schema
            .id
            .as_ref()
            .and_then(|attribute| id(entry, attribute)),
        version: Some(entry.digest()),
    })
}

/// The identity of an entry. Of several values none is the one.
fn id(entry: &Entry, attribute: &Attribute) -> Option<EntryId> {
    let [value] = entry.values(attribute) else {
        return None;
    };
    Some(EntryId::of(attribute.as_str(), value))
}

/// Who may open the mailbox: the names of entries, and those of accounts.
pub(super) fn delegates(schema: &Schema, entry: &Entry) -> (Vec<String>, Vec<String>) {
    let Some(attribute) = &schema.delegates else {
        return (Vec::new(), Vec::new());
    };
    let values = entry.texts(attribute).map(str::to_owned);
    let (entries, names): (Vec<_>, Vec<_>) = values.partition(|value| first_value(value).is_some());
    let canonical = |name: &String| {
        let login = Login::parse(name).ok()?;
        match login.realm() {
            Some(realm) if !schema.is_own(realm) => Some(login.key().to_owned()),
            _ => schema.canonical(login.user()),
        }
    };
    (entries, names.iter().filter_map(canonical).collect())
}

/// Whether something is switched on: LDAP's booleans (RFC 4517 §3.3.3), the words and numbers that
/// stand in attributes of text, and Exchange's protocolSettings (`POP3§1§…`).
fn switch(entry: &Entry, attribute: &Attribute) -> Option<bool> {
    let settings = entry.texts(attribute).find_map(|text| {
        let mut fields = text.split('§');
        (fields.next()?.eq_ignore_ascii_case("POP3")).then(|| fields.next())
    });
    let word = match settings {
        Some(field) => field?,
        None => entry.text(attribute)?,
    };
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// An absolute path that leads nowhere else on its way.
fn maildrop(path: &str) -> Option<PathBuf> {
    let plain = |piece: Component<'_>| matches!(piece, Component::RootDir | Component::Normal(_));
    let sound = Path::new(path).is_absolute()
        && Path::new(path).components().all(plain)
        && !path.chars().any(char::is_control);
    sound.then(|| path.into())
}

impl SiteRule {
    /// The site of an entry; the name of its server where the directory is still to tell its site.
    fn of(&self, entry: &Entry) -> Option<Site> {
        let value = entry.text(&self.attribute);
        self.or_unknown(value.and_then(|value| self.named(value)))
    }

    /// What holds for a site that may not be known.
    pub(super) fn or_unknown(&self, found: Option<Site>) -> Option<Site> {
        match (found, self.unknown) {
            (Some(site), _) => Some(site),
            (None, UnknownSite::Elsewhere) => Some(Site::unknown()),
            (None, UnknownSite::Here) => None,
        }
    }

    fn named(&self, value: &str) -> Option<Site> {
        if self.servers.is_empty() {
            return Some(Site::new(value));
        }
        let first = first_value(value);
        let names = [Some(value), legacy_server(value), first.as_deref()];
        let is = |name: &str| {
            names
                .iter()
                .flatten()
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        let found = self.servers.iter().find(|(server, _)| is(server));
        found.map(|(_, site)| Site::new(site.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::schema::Preset;

    fn read(preset: Preset, site: Option<&SiteRule>, attributes: &[(&str, &str)]) -> Account {
        let mut schema = preset.schema();
        schema.maildrop = Attribute::parse("mailMessageStore");
        schema.exact_size = Attribute::parse("exactSize");
        schema.pop3 = schema.pop3.or(Attribute::parse("popAllowed"));
        let mut all = vec![("uid", "Alice"), ("sAMAccountName", "Alice")];
        all.extend_from_slice(attributes);
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        account(&schema, site, &Entry::of("uid=alice,dc=corp", &all), 0).unwrap()
    }

    fn rule(servers: &[(&str, &str)], unknown: UnknownSite) -> SiteRule {
        SiteRule {
            attribute: Attribute::known("msExchHomeServerName"),
            servers: servers
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .collect(),
            in_directory: false,
            unknown,
        }
    }

    #[test]
    fn an_entry_becomes_an_account() {
        let plain = read(Preset::OpenLdap, None, &[]);
        assert_eq!(plain.name, "alice");
        assert_eq!(plain.entry.as_deref(), Some("uid=alice,dc=corp"));
        assert_eq!(
            (plain.pop3_off, plain.exact_size, plain.barred),
            (false, None, None)
        );
        assert!(plain.site.is_none() && plain.maildrop.is_none());

        let full = read(
            Preset::OpenLdap,
            None,
            &[
                ("POPALLOWED", "FALSE"),
                ("exactSize", "TRUE"),
                ("mailMessageStore", "/srv/mail/alice"),
            ],
        );
        assert_eq!((full.pop3_off, full.exact_size), (true, Some(true)));
        assert_eq!(full.maildrop.as_deref(), Some(Path::new("/srv/mail/alice")));
    }

    #[test]
    fn exchange_says_in_one_attribute_whether_pop3_is_on() {
        let with = |values: &[&str]| {
            let mut all = vec![("msExchMailboxGuid", "x")];
            all.extend(values.iter().map(|value| ("protocolSettings", *value)));
            read(Preset::ExchangeSchema, None, &all).pop3_off
        };
        assert!(!with(&[]));
        assert!(!with(&["HTTP§0§1", "POP3§1§1§4§ISO-8859-1§0§1§0§0"]));
        assert!(with(&[
            "HTTP§1§1",
            "IMAP4§1",
            "POP3§0§1§4§ISO-8859-1§0§1§0§0"
        ]));
        let barred = read(Preset::ExchangeSchema, None, &[]).barred;
        assert_eq!(barred, Some(Reason::NoMailbox));
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_no_mailbox() {
        for path in ["mail/alice", "/mail/../root", "/mail/a\nb"] {
            let account = read(Preset::OpenLdap, None, &[("mailMessageStore", path)]);
            assert_eq!(
                (account.maildrop, account.barred),
                (None, Some(Reason::NoMailbox))
            );
        }
    }

    #[test]
    fn sites_are_named_or_follow_from_the_server() {
        let home = "/o=Org/ou=Group/cn=Configuration/cn=Servers/cn=EX01";
        let value = [("msExchHomeServerName", home)];
        let site = |rule: &SiteRule, value: &[(&str, &str)]| {
            let site = read(Preset::Ad, Some(rule), value).site;
            site.map(|site| site.as_str().to_owned())
        };
        let table = rule(
            &[("ex01", "london"), ("ex02", "paris")],
            UnknownSite::Elsewhere,
        );
        assert_eq!(site(&table, &value).as_deref(), Some("london"));
        let dn = [("msExchHomeServerName", "CN=EX02,CN=Servers,DC=corp")];
        assert_eq!(site(&table, &dn).as_deref(), Some("paris"));
        let named = rule(&[], UnknownSite::Elsewhere);
        assert_eq!(
            site(&named, &[("msExchHomeServerName", "London")]).as_deref(),
            Some("London")
        );

        let other = [("msExchHomeServerName", "EX09")];
        for value in [&other[..], &[]] {
            assert_eq!(
                read(Preset::Ad, Some(&table), value).site,
                Some(Site::unknown())
            );
        }
        let here = rule(&[("ex01", "london")], UnknownSite::Here);
        assert_eq!(site(&here, &other), None);
    }

    #[test]
    fn delegates_are_entries_or_names() {
        let mut schema = Preset::ExchangeSchema.schema();
        schema.domain = Some("corp.test".to_owned());
        let values = [
            "CN=Bob,CN=Users,DC=corp",
            "Carol",
            "CORP.TEST\\dave",
            "eve@other.test",
        ];
        let values: Vec<_> = values
            .iter()
            .map(|value| ("publicDelegates", value.as_bytes()))
            .collect();
        let (entries, names) = delegates(&schema, &Entry::of("x", &values));
        assert_eq!(entries, ["CN=Bob,CN=Users,DC=corp"]);
        assert_eq!(
            names,
            ["carol@corp.test", "dave@corp.test", "eve@other.test"]
        );
    }
}
