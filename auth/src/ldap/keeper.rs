//! The directory as the rest of the crate sees it: accounts found, passwords verified.

use std::net::IpAddr;
use std::sync::Arc;

use ldap3::Scope;

use super::account;
use super::bind::Bind;
use super::connection::{Connector, Service};
use super::fault::LdapError;
use super::filter::{Attribute, Filter};
use super::lookup::Lookup;
use super::name::{self, BindName};
use super::password::BindPassword;
use super::pool::Role;
use super::question;
use super::search::Question;
use super::server::LdapServer;
use super::servers::{Servers, Sizes};
use super::settings::{LdapSettings, Proof, ServiceAccount, SetupError};
use super::stored::Stored;
use crate::directory::{Answer, Directory, Unavailable, Verdict};
use crate::{Account, Login, Pool, Secret};

/// Accounts of an LDAP directory.
#[derive(Debug)]
pub struct LdapDirectory {
    settings: LdapSettings,
    pub(super) servers: Servers,
    hashing: Arc<Pool>,
    /// What is asked for of each entry.
    attributes: Vec<String>,
}

impl LdapDirectory {
    /// Reads the certificates, and opens no connection yet: the server starts while its directory
    /// is out of order. Stored hashes are checked in `hashing`.
    ///
    /// # Errors
    /// When a file cannot be used, or the service account has no password.
    pub fn new(settings: LdapSettings, hashing: Arc<Pool>) -> Result<Self, SetupError> {
        let service = service(&settings.service)?;
        let some_tls = settings.servers.iter().any(LdapServer::speaks_tls);
        let tls = some_tls.then(|| settings.tls.load()).transpose()?;
        let connector = |server: &LdapServer| Connector {
            server: server.clone(),
            tls: tls.clone().filter(|_| server.speaks_tls()),
            service: service.clone(),
        };
        let sizes = Sizes {
            searches: settings.search_connections,
            binds: settings.bind_connections,
        };
        let connectors = settings.servers.iter().map(connector).collect();
        let mut attributes = account::attributes(&settings.schema, settings.site.as_ref());
        attributes.sort_unstable();
        attributes.dedup();
        Ok(Self {
            servers: Servers::new(connectors, sizes, settings.timeout)?,
            attributes,
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

    async fn look_up(&self, login: &Login) -> Result<Option<Account>, LdapError> {
        let LdapSettings { schema, base, .. } = &self.settings;
        let lookup = Lookup {
            settings: &self.settings,
            login,
            question: question::by_login(schema, base, self.attributes.clone(), login),
        };
        self.servers.ask(Role::Search, &lookup).await
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
    fn find<'a>(&'a self, login: &'a Login, _client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move { Ok(self.look_up(login).await?.map(Arc::new)) })
    }

    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            match self.settings.proof {
                Proof::Bind | Proof::BindAs(_) => Ok(self.bind(account, password).await?),
                Proof::Read => self.compare(account, password, client).await,
            }
        })
    }
}
