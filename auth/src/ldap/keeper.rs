//! The directory as the rest of the crate sees it: accounts found, passwords verified.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use ldap3::Scope;

use super::account;
use super::bind::Bind;
use super::cache::{self, Cache};
use super::connection::Service;
use super::discovery::Discovery;
use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::lookup::Lookup;
use super::name::{self, BindName};
use super::password::BindPassword;
use super::pool::Role;
use super::question;
use super::search::Question;
use super::server::LdapServer;
use super::servers::{Maker, Servers, Sizes};
use super::settings::{LdapSettings, Proof, ServiceAccount, SetupError};
use super::sites::Sites;
use super::stored::Stored;
use crate::directory::{Answer, Directory, Name, Recalled, Unavailable, Verdict};
use crate::{Account, Known, Pool, Secret};

/// Accounts of an LDAP directory.
#[derive(Debug)]
pub struct LdapDirectory {
    pub(super) settings: LdapSettings,
    pub(super) servers: Servers,
    hashing: Arc<Pool>,
    pub(super) cache: Cache,
    pub(super) sites: Sites,
    /// What is asked for of each entry.
    pub(super) attributes: Vec<String>,
}

impl LdapDirectory {
    /// Reads the certificates, and opens no connection yet: the server starts while its directory
    /// is out of order. Stored hashes are checked in `hashing`.
    ///
    /// # Errors
    /// When a file cannot be used, or the service account has no password.
    pub fn new(settings: LdapSettings, hashing: Arc<Pool>) -> Result<Self, SetupError> {
        let service = service(&settings.service)?;
        let discovery = settings.discovery.clone();
        let domain = discovery.as_ref().map(|found| found.domain.as_str());
        let some_tls = domain.is_some() || settings.servers.iter().any(LdapServer::speaks_tls);
        let tls = some_tls.then(|| settings.tls.load(domain)).transpose()?;
        let make = Maker {
            tls,
            service,
            sizes: Sizes {
                searches: settings.search_connections,
                binds: settings.bind_connections,
            },
            within: settings.timeout,
        };
        let discovery = discovery.map(Discovery::new);
        let mut attributes = account::attributes(&settings.schema, settings.site.as_ref());
        if !settings.cache.passwords.is_zero() {
            attributes.extend(cache::CHANGES.iter().map(|name| (*name).to_owned()));
        }
        attributes.sort_unstable();
        attributes.dedup();
        Ok(Self {
            servers: Servers::new(&settings.servers, discovery, make)?,
            attributes,
            cache: Cache::new(settings.cache),
            sites: Sites::default(),
            settings,
            hashing,
        })
    }

    /// Looks at every server of the directory, all at once, each within the time that a question may take: whether
    /// it is reached, whether its TLS is trusted, and whether it takes the service account. Gives the server
    /// as configured, and what is wrong with it, with the remedy.
    pub async fn look(&self) -> Vec<(String, Result<(), String>)> {
        let seen = self.servers.look().await.into_iter();
        seen.map(|(server, outcome)| (server, outcome.map_err(|error| error.to_string())))
            .collect()
    }

    /// Asks, and keeps what was found.
    async fn found(&self, name: Name<'_>) -> Result<Option<Arc<Account>>, LdapError> {
        let LdapSettings { schema, base, .. } = &self.settings;
        let lookup = Lookup {
            settings: &self.settings,
            name,
            question: question::by_name(schema, base, self.attributes.clone(), name),
        };
        let Some(mut account) = self.servers.ask(Role::Search, &lookup).await? else {
            return Ok(None);
        };
        self.settle_site(&mut account).await?;
        let account = Arc::new(account);
        self.cache.keep_account(name, &account);
        Ok(Some(account))
    }

    /// Binds, as an account or in vain as nobody.
    async fn bind(
        &self,
        account: Option<&Account>,
        password: &Secret,
    ) -> Result<Verdict, LdapError> {
        // Before the network: see `password`.
        let Some(password) = BindPassword::new(password) else {
            return Ok(Verdict::Wrong);
        };
        let name = account.and_then(|account| match &self.settings.proof {
            Proof::BindAs(template) => template.fill(&account.name),
            Proof::Bind | Proof::Read => account.entry.as_deref().and_then(BindName::new),
        });
        let known = name.is_some();
        let Some(name) = name.or_else(|| BindName::new(name::nobody(&self.settings.base))) else {
            return Ok(Verdict::Wrong);
        };
        let verdict = self
            .servers
            .ask(Role::Bind, &Bind { name, password })
            .await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    /// Compares with the stored value, or in vain with another.
    async fn compare(
        &self,
        account: Option<&Account>,
        password: &Secret,
        client: IpAddr,
    ) -> Result<Verdict, Unavailable> {
        let mut stored = match account.and_then(|account| account.entry.as_deref()) {
            Some(entry) => self.stored(entry).await?,
            None => Vec::new(),
        };
        let known = !stored.is_empty();
        if !known {
            stored.push(Stored::stand_in());
        }
        let password = password.clone();
        let check = move || stored.iter().any(|stored| stored.verify(&password));
        let right = self.hashing.run(client, check).await?;
        Ok(match (account, known, right) {
            (None, ..) => Verdict::Wrong,
            (Some(_), false, _) => Verdict::NoPassword,
            (Some(_), true, true) => Verdict::Right,
            (Some(_), true, false) => Verdict::Wrong,
        })
    }

    async fn stored(&self, entry: &str) -> Result<Vec<Stored>, LdapError> {
        let attribute = Attribute::known("userPassword");
        let question = Question {
            base: entry.to_owned(),
            scope: Scope::Base,
            filter: Filter::present(&Attribute::known("objectClass")),
            attributes: vec![attribute.as_str().to_owned()],
            most: 1,
        };
        let found = self.servers.ask(Role::Search, &question).await?;
        let entry = found.entries.first();
        Ok(entry.map_or_else(Vec::new, |entry| Stored::read(entry.values(&attribute))))
    }
}

fn service(account: &ServiceAccount) -> Result<Service, SetupError> {
    Ok(match account {
        ServiceAccount::Anonymous => Service::Anonymous,
        ServiceAccount::External => Service::External,
        ServiceAccount::Simple { name, password } => Service::Simple(
            BindName::new(name.as_str()).ok_or(SetupError::Name)?,
            BindPassword::new(password).ok_or(SetupError::Password)?,
        ),
    })
}

impl From<LdapError> for Unavailable {
    fn from(error: LdapError) -> Self {
        match error {
            LdapError::Busy { .. } => Self::Overloaded,
            LdapError::Unreachable { .. }
            | LdapError::Late { .. }
            | LdapError::Tls { .. }
            | LdapError::Service { .. }
            | LdapError::Broken { .. }
            | LdapError::Refused { .. }
            | LdapError::AllDown => Self::Trouble,
        }
    }
}

impl Directory for LdapDirectory {
    fn find<'a>(&'a self, name: Name<'a>, _client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            match self.cache.account(name) {
                Some(account) => Ok(Some(account)),
                None => Ok(self.found(name).await?),
            }
        })
    }

    fn look_up<'a>(&'a self, name: Name<'a>, _client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move { Ok(self.found(name).await?) })
    }

    fn recall<'a>(
        &'a self,
        accounts: &'a [&'a Known],
    ) -> Pin<Box<dyn Future<Output = Vec<Recalled>> + Send + 'a>> {
        Box::pin(self.recalled(accounts))
    }

    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            if account.is_some_and(|account| self.cache.was_right(account, password)) {
                return Ok(Verdict::Right);
            }
            let verdict = match self.settings.proof {
                Proof::Bind | Proof::BindAs(_) => self.bind(account, password).await?,
                Proof::Read => self.compare(account, password, client).await?,
            };
            if let Some(account) = account {
                self.cache.learn(account, password, verdict);
            }
            Ok(verdict)
        })
    }
}
