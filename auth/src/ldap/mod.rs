//! LDAP and Active Directory as a keeper of accounts.
//!
//! | part | what it does |
//! |---|---|
//! | `server`, `tls`, `connection`, `library` | opens sockets to servers that the configuration names or finds, and to no others |
//! | `discovery`, `dns`, `srv`, `both_names` | finds the servers of a domain, and believes DNS no more than TLS does |
//! | `pool`, `servers` | keeps connections, and goes on with another server when one fails |
//! | `filter`, `name`, `password` | values that may be sent: escaped, never empty |
//! | `question`, `search`, `lookup` | from a typed name to an entry |
//! | `recall` | accounts with open sessions, looked at again, many at once |
//! | `schema`, `account`, `state`, `policy`, `groups` | from an entry to an account |
//! | `sites` | the site of a home server, where Active Directory tells it |
//! | `cache`, `shelf` | answers that are kept for a while, where the configuration says so |
//! | `bind`, `stored` | whether a password is right: the directory says so, or lets us compare |
//!
//! A directory in trouble is [`crate::Unavailable`] within its deadline and never a wrong password. This
//! room decides nothing: the states that it finds are weighed in the verification.

mod account;
mod bind;
mod both_names;
mod cache;
mod connection;
mod discovery;
mod dns;
mod fault;
mod filter;
mod groups;
mod keeper;
mod library;
mod lookup;
mod name;
mod password;
mod policy;
mod pool;
mod question;
mod recall;
mod schema;
mod search;
mod secret_file;
mod server;
mod servers;
mod settings;
mod shelf;
mod sites;
mod srv;
mod state;
mod stored;
mod tls;

pub use cache::CacheTimes;
pub use discovery::DomainServers;
pub use filter::{Attribute, WrittenFilter};
pub use keeper::LdapDirectory;
pub use name::{NameTemplate, base_of_domain};
pub use schema::{Address, Groups, Preset, Schema, SiteRule, UnknownSite};
pub use secret_file::{SecretFileError, read_secret};
pub use server::{LdapServer, ServerError};
pub use settings::{LdapSettings, Proof, ServiceAccount, SetupError};
pub use tls::{LdapTls, LdapTlsError};

#[cfg(test)]
mod tests;
