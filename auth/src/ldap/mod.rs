//! LDAP and Active Directory as a keeper of accounts.
//!
//! | part | what it does |
//! |---|---|
//! | `server`, `socket`, `addresses`, `tls`, `start_tls` | opens sockets to servers that the configuration names or finds, and to no others |
//! | `bounds`, `connection`, `library` | asks one question at a time, and takes no more for an answer than there may be |
//! | `discovery`, `dns`, `srv`, `both_names` | finds the servers of a domain, and believes DNS no more than TLS does |
//! | `pool`, `servers` | keeps connections, and goes on with another server when one fails |
//! | `filter`, `name`, `password` | values that may be sent: escaped, never empty |
//! | `question`, `search`, `lookup` | from a name, typed or proven, to an entry |
//! | `recall` | accounts with open sessions, looked at again, many at once |
//! | `schema`, `account`, `state`, `policy`, `groups` | from an entry to an account |
//! | `sites` | the site of a home server, where Active Directory tells it |
//! | `cache`, `shelf` | answers that are kept for a while, where the configuration says so |
//! | `inquiry` | the same for an administrator, who is told more |
//! | `survey`, `subschema`, `mentioned`, `netbios` | whether what the settings name is there |
//! | `bind`, `stored` | whether a password is right: the directory says so, or lets us compare |
//!
//! A directory in trouble is [`crate::Unavailable`] within its deadline and never a wrong password. This
//! room decides nothing: the states that it finds are weighed in the verification.

mod account;
mod addresses;
mod bind;
mod both_names;
mod bounds;
mod cache;
mod connection;
mod discovery;
mod dns;
mod fault;
mod filter;
mod groups;
mod inquiry;
mod keeper;
mod library;
mod lookup;
mod mentioned;
mod name;
mod netbios;
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
mod socket;
mod srv;
mod start_tls;
mod state;
mod stored;
mod subschema;
mod survey;
mod tls;

pub use cache::CacheTimes;
pub use discovery::DomainServers;
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

/// The filter of the one question that finds who typed this, as it is sent.
pub(crate) fn filter_text(schema: &Schema, login: &crate::Login) -> String {
    let question = question::by_name(schema, "", Vec::new(), crate::Name::Typed(login));
    question.filter.to_string()
}

/// The name under which an account binds, as it is sent.
pub(crate) fn bind_name(template: &NameTemplate, account: &str) -> Option<String> {
    let name = template.fill(account)?;
    Some(name.as_str().to_owned())
}

#[cfg(test)]
mod tests;
