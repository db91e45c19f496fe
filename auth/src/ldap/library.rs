//! What the LDAP library reports, in our words. Nothing that it was given is repeated: some of its
//! errors carry the request, and that may hold a password.

use ldap3::result::LdapError as Fault;

/// Why a connection broke.
pub(super) fn words(fault: &Fault) -> String {
    if let Fault::Io { source } = fault {
        source.to_string()
    } else if matches!(fault, Fault::FilterParsing) {
        "the filter cannot be read".to_owned()
    } else {
        "it was closed".to_owned()
    }
}
