//! What the LDAP library reports, in our words. Nothing that it was given is repeated: some of its
//! errors carry the request, and that may hold a password.

use std::io;

use ldap3::result::LdapError as Fault;

use super::fault::{Answer, LdapError};

/// Why a connection to `server` did not come about.
pub(super) fn connecting(server: String, fault: Fault) -> LdapError {
    if let Some(reason) = of_tls(&fault) {
        return LdapError::Tls { server, reason };
    }
    if let Fault::Io { source } = fault {
        return LdapError::Unreachable { server, source };
    }
    LdapError::Broken {
        server,
        doing: "connecting",
        reason: words(&fault),
    }
}

/// What was wrong with TLS, if it was TLS.
fn of_tls(fault: &Fault) -> Option<String> {
    let is_tls = |source: &io::Error| {
        let inner = source.get_ref();
        inner.is_some_and(|inner| inner.is::<rustls::Error>())
    };
    if let Fault::Io { source } = fault {
        return is_tls(source).then(|| source.to_string());
    }
    if let Fault::Rustls { source } = fault {
        return Some(source.to_string());
    }
    if let Fault::DNSName { source } = fault {
        return Some(source.to_string());
    }
    // The answer to StartTLS.
    if let Fault::LdapResult { result } = fault {
        return Some(format!("StartTLS: {}", Answer::from(result.clone())));
    }
    None
}

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

/// What came is not LDAP.
pub(super) fn garbage() -> Fault {
    io::Error::new(io::ErrorKind::InvalidData, "what came is not LDAP").into()
}
