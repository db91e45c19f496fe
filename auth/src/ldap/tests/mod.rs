//! The directory against a real slapd, whole and broken, and against servers that do not keep to
//! the protocol.

mod addresses;
mod bounds;
mod discovery;
mod fake;
mod faults;
mod kept;
mod leases;
mod login;
mod odd;
mod proof;
mod slapd;
mod transport;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::{Account, Directory, Login, Name, Pool, Secret, Unavailable, Verdict};

pub(super) use slapd::Slapd;

const BASE: &str = "dc=example,dc=test";
const SERVICE: &str = "cn=service,dc=example,dc=test";
const READER: &str = "cn=reader,dc=example,dc=test";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Long enough for a machine under load, and short enough to wait for.
const WITHIN: Duration = Duration::from_secs(10);

/// Settings that fit the directory of [`Slapd`], for these servers.
fn settings(servers: &[String]) -> LdapSettings {
    let mut schema = Preset::OpenLdap.schema();
    schema.people = WrittenFilter::parse("(objectClass=popAccount)").unwrap();
    schema.pop3 = Attribute::parse("popAllowed");
    schema.maildrop = Attribute::parse("mailStore");
    schema.delegates = Attribute::parse("mailDelegate");
    LdapSettings {
        servers: servers
            .iter()
            .map(|text| LdapServer::parse(text, false).unwrap())
            .collect(),
        discovery: None,
        tls: LdapTls::default(),
        service: ServiceAccount::Simple {
            name: SERVICE.to_owned(),
            password: Secret::new(b"service".to_vec()),
        },
        base: BASE.to_owned(),
        schema,
        site: None,
        groups: Vec::new(),
        proof: Proof::Bind,
        timeout: WITHIN,
        cache: CacheTimes::default(),
        search_connections: 4,
        bind_connections: 2,
    }
}

fn directory(settings: LdapSettings) -> Arc<LdapDirectory> {
    let pool = Arc::new(Pool::new("hash", 2, 1000, 1000).unwrap());
    Arc::new(LdapDirectory::new(settings, pool).unwrap())
}

impl LdapDirectory {
    async fn account(&self, typed: &str) -> Result<Option<Arc<Account>>, Unavailable> {
        let login = Login::parse(typed).unwrap();
        self.find(Name::Typed(&login), CLIENT).await
    }

    /// Finds and verifies, as a login does.
    async fn login(&self, typed: &str, password: &str) -> Result<Verdict, Unavailable> {
        let account = self.account(typed).await?;
        let password = Secret::new(password.as_bytes().to_vec());
        self.verify(account.as_deref(), &password, CLIENT).await
    }
}

/// Whoever types this name logs in with this password, and with no other.
async fn assert_password(directory: &LdapDirectory, typed: &str, password: &str) {
    for (tried, verdict) in [
        (password, Verdict::Right),
        ("wrong", Verdict::Wrong),
        ("", Verdict::Wrong),
    ] {
        let answer = directory.login(typed, tried).await;
        assert_eq!(answer, Ok(verdict), "{typed} with {tried:?}");
    }
}

/// Waits until something is so; for what happens by itself in the background.
async fn until(so: impl AsyncFn() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(30), async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    patience.await.unwrap();
}
