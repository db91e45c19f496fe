//! Everything that is to be known of a directory.

use std::time::Duration;

use super::cache::CacheTimes;
use super::discovery::DomainServers;
use super::name::NameTemplate;
use super::schema::{Schema, SiteRule};
use super::server::LdapServer;
use super::tls::{LdapTls, LdapTlsError};
use crate::Secret;

/// Everything that is to be known of a directory.
#[derive(Clone, Debug)]
pub struct LdapSettings {
    /// In order of preference; with `discovery` those that are asked before DNS has told others.
    pub servers: Vec<LdapServer>,
    /// The domain whose DNS tells the servers, if it is to be asked.
    pub discovery: Option<DomainServers>,
    /// Whom we believe, and who we are, under TLS.
    pub tls: LdapTls,
    /// As whom searches are made.
    pub service: ServiceAccount,
    /// Below which entry the accounts are; the empty text for all of a global catalog.
    pub base: String,
    /// What its attributes mean.
    pub schema: Schema,
    /// Where mailboxes live, if the directory says so.
    pub site: Option<SiteRule>,
    /// The names of groups whose members may use POP3; everybody may without any.
    pub groups: Vec<String>,
    /// How a password is verified.
    pub proof: Proof,
    /// The time within which a question is answered or given up, failing over included.
    pub timeout: Duration,
    /// How long answers are kept.
    pub cache: CacheTimes,
    /// The most connections to one server for searches.
    pub search_connections: usize,
    /// The most connections to one server for binds.
    pub bind_connections: usize,
}

impl LdapSettings {
    /// The same with the password of the service account, where it has one.
    #[must_use]
    pub fn with_password(mut self, new: Secret) -> Self {
        if let ServiceAccount::Simple { password, .. } = &mut self.service {
            *password = new;
        }
        self
    }
}

/// As whom searches are made.
#[derive(Clone, Debug)]
pub enum ServiceAccount {
    /// As nobody.
    Anonymous,
    /// By name and password.
    Simple {
        /// The name of its entry, or another form that the directory takes for a bind.
        name: String,
        /// Its password.
        password: Secret,
    },
    /// As who we are to TLS (our certificate) or to a local socket (our user).
    External,
}

/// How a password is verified.
#[derive(Clone, Debug)]
pub enum Proof {
    /// By a bind under the name of the entry that was found.
    Bind,
    /// By a bind under a name made of the account's.
    BindAs(NameTemplate),
    /// By comparing with the stored value, which the service account may read.
    Read,
}

/// Why a directory cannot be used. Whether it can be reached is not looked at.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// TLS.
    #[error("{0}")]
    Tls(#[from] LdapTlsError),
    /// The service account's password is empty, or cannot be sent.
    #[error(
        "the password of the directory's service account is empty or not UTF-8; \
         write it into `ldap.password_file`"
    )]
    Password,
    /// The service account's name is empty.
    #[error("the name of the directory's service account is empty; set `ldap.bind_name`")]
    Name,
    /// The connections cannot be kept.
    #[error("the connections to the directory cannot be kept: {0}")]
    Connections(#[from] deadpool::managed::BuildError),
}
