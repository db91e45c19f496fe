//! The LDAP directory.

use std::path::PathBuf;
use std::time::Duration;

use postern_auth::{
    Address, Attribute, CacheTimes, DomainServers, LdapServer, LdapSettings, LdapTls, NameTemplate,
    Preset, Proof, Schema, Secret, ServiceAccount, SiteRule, UnknownSite, WrittenFilter,
    base_of_domain,
};
use toml::Spanned;

use super::server::is_hostname;
use super::{Resolver, or, texts};
use crate::config::file::{self, Maybe};
use crate::config::meant::{LDAP_BIND_CONNECTIONS, LDAP_SEARCH_CONNECTIONS, LDAP_TIMEOUT};
use crate::config::quantity::Span;
use crate::config::{Finding, Ldap};

impl Resolver<'_> {
    /// The directory, if there is one. What is wrong with it is a finding, which is reason enough
    /// not to start.
    pub(super) fn ldap(&mut self, written: &file::Ldap) -> Option<Ldap> {
        let Some(preset) = &written.preset else {
            self.without_preset(written);
            return None;
        };
        let preset = Preset::parse(preset.get_ref())?;
        let schema = self.schema(preset, written);
        let servers = self.servers(written);
        let discovery = discovery(preset, written);
        let base = self.base(written);
        let service = self.service(written);
        let (service, password_file) = service.unwrap_or((ServiceAccount::Anonymous, None));
        let count = |value, default: u64| usize::try_from(or(value, default)).unwrap_or(1);
        Some(Ldap {
            settings: LdapSettings {
                servers,
                discovery,
                tls: self.ldap_tls(written),
                service,
                base,
                site: self.home_site(preset, written),
                schema,
                groups: self.groups(written),
                proof: self.proof(written),
                timeout: or(&written.timeout, Span(LDAP_TIMEOUT)).0,
                cache: CacheTimes {
                    accounts: or(&written.cache.accounts, Span(Duration::ZERO)).0,
                    passwords: or(&written.cache.passwords, Span(Duration::ZERO)).0,
                },
                search_connections: count(&written.search_connections, LDAP_SEARCH_CONNECTIONS),
                bind_connections: count(&written.bind_connections, LDAP_BIND_CONNECTIONS),
            },
            password_file,
        })
    }

    /// Somebody has begun to describe a directory that would not be asked.
    fn without_preset(&mut self, written: &file::Ldap) {
        let texts = [
            &written.domain,
            &written.base,
            &written.bind_name,
            &written.password_file,
        ];
        let begun = texts.into_iter().flatten().map(Spanned::span);
        let begun = begun
            .chain(written.servers.iter().map(Spanned::span))
            .next();
        if let Some(span) = begun
            && !self.incomplete
        {
            let problem = "it is not said what kind of directory it is, so it would not be asked";
            let remedy = "write preset = \"ad\", \"exchange-schema\", \"openldap\" or \"freeipa\"";
            self.error("ldap.preset", span, problem, remedy);
        }
    }

    fn servers(&mut self, written: &file::Ldap) -> Vec<LdapServer> {
        let start_tls = or(&written.starttls, true);
        let key = "ldap.servers";
        let remedy =
            "write [\"ldaps://host\"], with the name that stands in the server's certificate";
        let Some(list) = &written.servers else {
            // Until DNS tells the servers: a domain is also a name of all its controllers.
            let server = written.domain.as_ref().and_then(|domain| {
                LdapServer::parse(&format!("ldaps://{}", domain.get_ref()), false).ok()
            });
            if server.is_none() {
                let problem =
                    "no server of the directory is named, nor a domain whose DNS tells them";
                self.missing(key, problem, remedy);
            }
            return server.into_iter().collect();
        };
        if list.get_ref().is_empty() {
            self.error(key, list.span(), "the list is empty", remedy);
        }
        let mut servers = Vec::new();
        for (text, place) in texts(list.get_ref()) {
            match LdapServer::parse(text, start_tls) {
                Ok(server) => {
                    if server.is_in_the_clear() && !is_loopback(text) {
                        let problem = "passwords travel to this server in the clear";
                        let remedy = "use ldaps://, or ldap.starttls = true";
                        self.warning(key, place, problem, remedy);
                    }
                    servers.push(server);
                }
                Err(problem) => {
                    self.error(key, place, &format!("{text:?} {problem}"), remedy);
                }
            }
        }
        servers
    }

    fn base(&mut self, written: &file::Ldap) -> String {
        match (&written.base, &written.domain) {
            (Some(base), _) => base.get_ref().clone(),
            (None, Some(domain)) => base_of_domain(domain.get_ref()),
            (None, None) => {
                let remedy = "write base = \"dc=example,dc=test\", or the domain";
                self.missing("ldap.base", "it is not said where the accounts are", remedy);
                String::new()
            }
        }
    }

    fn ldap_tls(&mut self, written: &file::Ldap) -> LdapTls {
        let mut file = |key, value: &Maybe<String>| {
            value.as_ref()?;
            self.path(key, value, "name a file in PEM, or remove the key")
        };
        let authorities = file("ldap.authorities", &written.authorities);
        let certificate = file("ldap.certificate", &written.certificate);
        let key = file("ldap.private_key", &written.private_key);
        if let (Some(lone), None) | (None, Some(lone)) =
            (&written.certificate, &written.private_key)
        {
            let problem = "a certificate and its key belong together";
            let remedy = "set both ldap.certificate and ldap.private_key, or none of them";
            self.error("ldap.certificate", lone.span(), problem, remedy);
        }
        LdapTls {
            authorities,
            certificate: certificate.zip(key),
        }
    }

    /// As whom accounts are looked up. The password is read when the server starts.
    fn service(&mut self, written: &file::Ldap) -> Option<(ServiceAccount, Option<PathBuf>)> {
        let way = written
            .service
            .as_ref()
            .map_or("password", |way| way.get_ref());
        match way {
            "external" => return Some((ServiceAccount::External, None)),
            "anonymous" => return Some((ServiceAccount::Anonymous, None)),
            _ => {}
        }
        let remedy = "name the file with the service account's password in one line";
        let file = self.path("ldap.password_file", &written.password_file, remedy);
        let remedy = "name the account that looks others up, or set ldap.service = \"anonymous\"";
        let Some(name) = &written.bind_name else {
            self.missing("ldap.bind_name", "the service account is not named", remedy);
            return None;
        };
        if name.get_ref().trim().is_empty() {
            self.error("ldap.bind_name", name.span(), "the name is empty", remedy);
        }
        let account = ServiceAccount::Simple {
            name: name.get_ref().clone(),
            password: Secret::new(Vec::new()),
        };
        Some((account, Some(file?)))
    }

    fn proof(&mut self, written: &file::Ldap) -> Proof {
        let read = written
            .verify
            .as_ref()
            .is_some_and(|way| way.get_ref() == "read");
        let Some(template) = &written.user_bind_name else {
            return if read { Proof::Read } else { Proof::Bind };
        };
        let key = "ldap.user_bind_name";
        let remedy = "write for instance \"{user}@ad.example.test\", or remove the key";
        if read {
            let problem = "no bind is made with ldap.verify = \"read\"";
            self.error(key, template.span(), problem, remedy);
        }
        match NameTemplate::parse(template.get_ref()) {
            Some(template) => Proof::BindAs(template),
            None => {
                let problem = "it has neither {user} nor {name} in it, or something else in braces";
                self.error(key, template.span(), problem, remedy);
                Proof::Bind
            }
        }
    }

    fn groups(&mut self, written: &file::Ldap) -> Vec<String> {
        let mut groups = Vec::new();
        for (text, place) in written.groups.iter().flat_map(|list| texts(list.get_ref())) {
            if !text.contains('=') {
                let problem = format!("{text:?} is not the name of an entry");
                let remedy =
                    "write it whole, such as \"CN=POP3 users,CN=Users,DC=example,DC=test\"";
                self.error("ldap.groups", place, &problem, remedy);
            }
            groups.push(text.to_owned());
        }
        groups
    }

    fn home_site(&mut self, preset: Preset, written: &file::Ldap) -> Option<SiteRule> {
        let mut servers = Vec::new();
        for (text, place) in written
            .site_servers
            .iter()
            .flat_map(|list| texts(list.get_ref()))
        {
            match text.split_once('=') {
                Some((server, site)) if !server.trim().is_empty() && !site.trim().is_empty() => {
                    servers.push((server.trim().to_owned(), site.trim().to_owned()));
                }
                _ => {
                    let problem = format!("{text:?} is not a server and its site");
                    let remedy = "write \"EX01=london\"";
                    self.error("ldap.site_servers", place, &problem, remedy);
                }
            }
        }
        let named = self.attribute("ldap.attributes.site", &written.attributes.site);
        let in_directory = written
            .site_of_server
            .as_ref()
            .is_some_and(|word| word.get_ref() == "directory");
        if in_directory && let Some(table) = &written.site_servers {
            let problem = "the directory tells the sites of servers, so this list is not looked at";
            let remedy = "remove it, or ldap.site_of_server";
            self.error("ldap.site_servers", table.span(), problem, remedy);
        }
        // The usual attribute names a server, which is no site.
        let usual = preset
            .site()
            .filter(|_| in_directory || !servers.is_empty());
        let unknown = written.unknown_site.as_ref();
        let here = unknown.is_some_and(|word| word.get_ref() == "here");
        Some(SiteRule {
            attribute: named.or(usual)?,
            servers,
            in_directory,
            unknown: if here {
                UnknownSite::Here
            } else {
                UnknownSite::Elsewhere
            },
        })
    }

    fn schema(&mut self, preset: Preset, written: &file::Ldap) -> Schema {
        let mut schema = preset.schema();
        let named = &written.attributes;
        if let Some(filter) = &written.filter {
            match WrittenFilter::parse(filter.get_ref()) {
                Some(filter) => schema.people = filter,
                None => self.error(
                    "ldap.filter",
                    filter.span(),
                    "it is not one filter of RFC 4515 in parentheses",
                    "write for instance \"(objectClass=inetOrgPerson)\"",
                ),
            }
        }
        if let Some(name) = self.attribute("ldap.attributes.name", &named.name) {
            schema.name = name;
        }
        if let Some(list) = &named.addresses {
            schema.addresses = self.addresses(list.get_ref());
        }
        for (key, value, meant) in [
            ("ldap.attributes.pop3", &named.pop3, &mut schema.pop3),
            (
                "ldap.attributes.exact_size",
                &named.exact_size,
                &mut schema.exact_size,
            ),
            (
                "ldap.attributes.maildrop",
                &named.maildrop,
                &mut schema.maildrop,
            ),
            (
                "ldap.attributes.delegates",
                &named.delegates,
                &mut schema.delegates,
            ),
            (
                "ldap.attributes.mailbox",
                &named.mailbox,
                &mut schema.mailbox,
            ),
            ("ldap.attributes.id", &named.id, &mut schema.id),
        ] {
            if let Some(attribute) = self.attribute(key, value) {
                *meant = Some(attribute);
            }
        }
        schema.domain = self.domain(preset, written);
        schema.realms = realms(preset, written, schema.domain.as_deref());
        schema
    }

    fn domain(&mut self, preset: Preset, written: &file::Ldap) -> Option<String> {
        let remedy = "write the domain's name in DNS, such as \"ad.example.test\"";
        let Some(domain) = &written.domain else {
            if preset.is_ad() {
                self.missing("ldap.domain", "Active Directory has a domain", remedy);
            }
            return None;
        };
        if !is_hostname(domain.get_ref()) {
            let problem = format!("{:?} is not the name of a domain", domain.get_ref());
            self.error("ldap.domain", domain.span(), &problem, remedy);
        }
        Some(domain.get_ref().to_ascii_lowercase())
    }

    fn addresses(&mut self, list: &[Spanned<String>]) -> Vec<Address> {
        let mut addresses = Vec::new();
        for item in list {
            let prefix = if item.get_ref().eq_ignore_ascii_case("proxyAddresses") {
                "smtp:"
            } else {
                ""
            };
            let attribute = self.attribute("ldap.attributes.addresses", &Some(item.clone()));
            addresses.extend(attribute.map(|attribute| Address { attribute, prefix }));
        }
        addresses
    }

    fn attribute(&mut self, key: &str, value: &Maybe<String>) -> Option<Attribute> {
        let value = value.as_ref()?;
        let attribute = Attribute::parse(value.get_ref());
        if attribute.is_none() {
            let problem = format!("{:?} is not the name of an attribute", value.get_ref());
            let finding =
                Finding::error(problem, "write a name such as \"mail\", or remove the key");
            let place = self.place(value.span());
            self.findings.push(finding.key(key).place(place));
        }
        attribute
    }
}

/// A Windows domain has a second name, which is the first part of the other until somebody says so.
fn realms(preset: Preset, written: &file::Ldap, domain: Option<&str>) -> Vec<String> {
    if let Some(list) = &written.realms {
        return texts(list.get_ref())
            .map(|(text, _)| text.to_owned())
            .collect();
    }
    let first = domain.filter(|_| preset.is_ad());
    let first = first.and_then(|domain| domain.split('.').next());
    first.map(str::to_owned).into_iter().collect()
}

/// The domain whose servers DNS is to tell, where none is named.
fn discovery(preset: Preset, written: &file::Ldap) -> Option<DomainServers> {
    let domain = written
        .domain
        .as_ref()
        .filter(|_| written.servers.is_none())?;
    Some(DomainServers {
        domain: domain.get_ref().to_ascii_lowercase(),
        active_directory: preset.is_ad(),
        start_tls: or(&written.starttls, true),
    })
}

/// Whether an address is this machine's own, where nobody else reads along.
fn is_loopback(server: &str) -> bool {
    let host = server.split("://").nth(1).unwrap_or_default();
    ["localhost", "127."]
        .iter()
        .any(|own| host.starts_with(own))
}
