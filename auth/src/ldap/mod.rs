//! LDAP and Active Directory as a keeper of accounts.
//!
//! | part | what it does |
//! |---|---|
//! | `server`, `tls`, `connection`, `library` | opens sockets to servers that stand in the configuration, and to no others |
//! | `pool`, `servers` | keeps connections, and goes on with another server when one fails |
//! | `filter`, `name`, `password` | values that may be sent: escaped, never empty |
//! | `question`, `search`, `lookup` | from a typed name to an entry |
//! | `schema`, `account`, `state`, `policy`, `groups` | from an entry to an account |
//! | `inquiry` | the same for an administrator, who is told more |
//! | `survey`, `subschema`, `mentioned` | whether what the settings name is there |
//! | `bind`, `stored` | whether a password is right: the directory says so, or lets us compare |
//!
//! A directory in trouble is [`crate::Unavailable`] within its deadline and never a wrong password. This
//! room decides nothing: the states that it finds are weighed in the verification.

mod account;
mod bind;
mod connection;
mod fault;
mod filter;
mod groups;
mod inquiry;
mod keeper;
mod library;
mod lookup;
mod mentioned;
mod name;
mod password;
mod policy;
mod pool;
mod question;
mod schema;
mod search;
mod secret_file;
mod server;
mod servers;
mod settings;
mod state;
mod stored;
mod subschema;
mod survey;
mod tls;

pub use filter::{Attribute, WrittenFilter};
pub use inquiry::{LdapEntry, LdapInquiry, LdapTrouble};
pub use keeper::LdapDirectory;
pub use mentioned::Mentioned;
pub use name::{NameTemplate, base_of_domain};
pub use schema::{Address, Groups, Preset, Schema, SiteRule, UnknownSite};
pub use secret_file::{SecretFileError, read_secret};
pub use server::{LdapServer, ServerError};
pub use settings::{LdapSettings, Proof, ServiceAccount, SetupError};
pub use subschema::Subschema;
pub use survey::Survey;
pub use tls::{LdapTls, LdapTlsError};

#[cfg(test)]
mod tests;
