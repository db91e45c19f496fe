//! The names by which clients connect: DNS knows them, and the keytab has a key for each that a client may
//! make of them.
//!
//! A client asks the KDC for `pop/NAME`. NAME is what its user typed; for MIT's clients, unless they are told
//! otherwise, what DNS calls that name, and then what it calls its address (`dns_canonicalize_hostname`
//! and `rdns` of krb5.conf).

use postern_auth::{GssapiSettings, KeytabKey};

use super::Patient;
use super::program::{self, Silence};
use super::seen::Seen;
use crate::config::{Config, Finding};

/// The most addresses of one name that are looked at.
const MAX_ADDRESSES: usize = 8;

/// What DNS makes of a name.
struct Known {
    /// How it calls the name.
    canonical: String,
    addresses: Vec<String>,
}

/// Looks at every name; at DNS as this host sees it.
pub(super) fn look(patient: &Patient) -> Seen {
    let Some(settings) = &patient.config.gssapi else {
        return Seen::Needless("no [gssapi] is configured".to_owned());
    };
    let Ok(keys) = settings.usable() else {
        return Seen::unknown(
            "without a keytab there is no name to compare with",
            "see what is said of the keytab",
        );
    };
    let keyring = Keyring { settings, keys };
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for host in hosts(&patient.config) {
        let before = findings.len();
        keyring.typed(host, &mut findings);
        match resolve(host) {
            Ok(known) => keyring.made_of(host, &known, &mut findings),
            Err(problem) => {
                let remedy =
                    "give it an address in DNS, or set `hostname` to the name that clients use";
                findings.push(Finding::warning(problem, remedy).key("hostname"));
            }
        }
        if findings.len() == before {
            well.push(format!("{}: there is a key for it", keyring.name(host)));
        }
    }
    Seen::looked(well, findings)
}

/// The names by which clients connect, as far as the configuration knows them.
pub(super) fn hosts(config: &Config) -> Vec<&str> {
    let sni = config.tls.iter().flat_map(|tls| &tls.sni);
    let mut hosts = vec![config.hostname.as_str()];
    for (name, _) in sni {
        if !hosts.iter().any(|host| host.eq_ignore_ascii_case(name)) {
            hosts.push(name);
        }
    }
    hosts
}

/// What a client asks the KDC for, without the realm.
pub(super) fn service(settings: &GssapiSettings, host: &str) -> String {
    let service = settings.services.first();
    let service = service.map_or("pop", |name| name.service.as_str());
    format!("{service}/{host}")
}

struct Keyring<'a> {
    settings: &'a GssapiSettings,
    keys: Vec<KeytabKey>,
}

impl Keyring<'_> {
    fn name(&self, host: &str) -> String {
        service(self.settings, host)
    }

    fn has(&self, host: &str) -> bool {
        self.keys.iter().any(|key| {
            let service = key.principal.service();
            service.is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
        })
    }

    /// The name as it is typed.
    fn typed(&self, host: &str, findings: &mut Vec<Finding>) {
        if self.has(host) {
            return;
        }
        let name = self.name(host);
        let mut held: Vec<_> = self
            .keys
            .iter()
            .map(|key| key.principal.to_string())
            .collect();
        held.dedup();
        held.truncate(MAX_ADDRESSES);
        let problem = format!(
            "clients that connect to {host} ask for a ticket for {name}, and the keytab has no key of it; \
             it holds {}",
            held.join(", ")
        );
        let remedy = format!(
            "export the key of {name} into the keytab (in Active Directory after `setspn -S {name} ACCOUNT`), \
             or let clients connect to a name that is there"
        );
        findings.push(Finding::error(problem, remedy).key("hostname"));
    }

    /// What DNS makes of it.
    fn made_of(&self, host: &str, known: &Known, findings: &mut Vec<Finding>) {
        let remedy = |name: &str| {
            format!(
                "export the key of {} too, or set `dns_canonicalize_hostname = false` and `rdns = false` \
                 in the clients' krb5.conf",
                self.name(name)
            )
        };
        let canonical = &known.canonical;
        let is_other = |name: &str| !name.eq_ignore_ascii_case(host) && !self.has(name);
        if is_other(canonical) {
            let problem = format!(
                "DNS calls {host} {canonical}, so clients of MIT ask for {}, of which there is no key",
                self.name(canonical)
            );
            findings.push(Finding::warning(problem, remedy(canonical)).key("hostname"));
        }
        for address in known.addresses.iter().take(MAX_ADDRESSES) {
            // Without a name of its address a client stays with what it has.
            let Some(back) = reverse(address).filter(|back| is_other(back) && back != canonical)
            else {
                continue;
            };
            let problem = format!(
                "{host} has the address {address}, whose name is {back}, so clients of MIT ask for {}, of which \
                 there is no key",
                self.name(&back)
            );
            findings.push(Finding::warning(problem, remedy(&back)).key("hostname"));
        }
    }
}

/// By the resolver of this host, as libkrb5 asks it: `getent` is part of the C library.
fn resolve(host: &str) -> Result<Known, String> {
    let said = match program::ask("getent", &["ahosts", host]) {
        Ok(said) if said.well => said.text,
        Ok(_) => return Err(format!("{host} has no address, as this host sees DNS")),
        Err(Silence::Late(_)) => return Err(format!("{host}: the name servers do not answer")),
        Err(silence) => return Err(format!("{host} cannot be looked up: {silence}")),
    };
    Ok(known(&said, host))
}

/// Lines such as `192.0.2.1  STREAM pop.example.test`; the name stands in the first.
fn known(said: &str, host: &str) -> Known {
    let name = said
        .lines()
        .next()
        .and_then(|line| line.split_ascii_whitespace().nth(2));
    let mut addresses: Vec<String> = said
        .lines()
        .filter_map(|line| Some(line.split_ascii_whitespace().next()?.to_owned()))
        .collect();
    addresses.dedup();
    Known {
        canonical: without_dot(name.unwrap_or(host)).to_owned(),
        addresses,
    }
}

/// The name of an address: of `192.0.2.1  pop.example.test alias` the first.
fn reverse(address: &str) -> Option<String> {
    let said = program::ask("getent", &["hosts", address]).ok()?;
    let name = said.text.split_ascii_whitespace().nth(1)?;
    said.well.then(|| without_dot(name).to_owned())
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn addresses_and_the_name_are_read() {
        let said = "192.0.2.1       STREAM mail.example.test.\n192.0.2.1       DGRAM\n\
                    192.0.2.1       RAW\n2001:db8::1     STREAM\n";
        let known = known(said, "pop.example.test");
        assert_eq!(known.canonical, "mail.example.test");
        assert_eq!(known.addresses, ["192.0.2.1", "2001:db8::1"]);
    }
}
