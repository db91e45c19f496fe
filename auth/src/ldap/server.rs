//! Where a directory is: the address of one server, as an administrator writes it.
//!
//! Nothing here opens a socket. Referrals never become a server: only what stands in the
//! configuration is ever connected to (RFC 4511 §4.1.10 leaves following them to the client).

use std::fmt;
use std::path::{Path, PathBuf};

/// One server of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapServer {
    way: Way,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// TCP to a host and a port.
    Tcp {
        host: String,
        port: u16,
        security: Security,
    },
    /// A socket on this machine (`ldapi`).
    Socket(PathBuf),
}

/// What protects a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Nothing: passwords travel as they are.
    Clear,
    /// RFC 4511 §4.14: TLS before anything else is said.
    StartTls,
    /// TLS from the first octet.
    Tls,
}

/// Why a text is not the address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// It begins with something else.
    #[error("begins with none of ldaps://, ldap:// and ldapi://")]
    Scheme,
    /// There is no host, or what stands there cannot be one.
    #[error("has no name of a host after the two slashes")]
    Host,
    /// An IPv6 address has no place in a certificate's check here.
    #[error("is an IPv6 address; name the host instead, as its certificate does")]
    Address,
    /// The port is no port.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// Something follows the host and the port.
    #[error("has something after the host; the base and the filter have settings of their own")]
    Rest,
    /// A socket's path is absolute.
    #[error("does not name an absolute path; write ldapi:///run/slapd/ldapi")]
    Path,
}

impl LdapServer {
    /// Reads `ldaps://host[:port]`, `ldap://host[:port]` or `ldapi:///path`. Under `start_tls` an
    /// `ldap://` server is told to begin TLS before anything else.
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn parse(text: &str, start_tls: bool) -> Result<Self, ServerError> {
        let (scheme, rest) = text.split_once("://").ok_or(ServerError::Scheme)?;
        let way = match scheme.to_ascii_lowercase().as_str() {
            "ldaps" => tcp(rest, 636, Security::Tls)?,
            "ldap" if start_tls => tcp(rest, 389, Security::StartTls)?,
            "ldap" => tcp(rest, 389, Security::Clear)?,
            "ldapi" => Way::Socket(socket(rest)?),
            _ => return Err(ServerError::Scheme),
        };
        Ok(Self { way })
    }

    /// A server that DNS names: always under TLS, as DNS vouches for nothing. TLS begins as
    /// `start_tls` says, or at once where the port is one of LDAPS.
    pub(super) fn found(host: &str, port: u16, start_tls: bool) -> Result<Self, ServerError> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let way = match port {
            636 | 3269 => tcp(&format!("{host}:{port}"), port, Security::Tls)?,
            _ if start_tls => tcp(&format!("{host}:{port}"), port, Security::StartTls)?,
            _ => tcp(host, 636, Security::Tls)?,
        };
        Ok(Self { way })
    }

    /// Whether passwords would travel in the clear over a network.
    pub fn is_in_the_clear(&self) -> bool {
        match &self.way {
            Way::Tcp { security, .. } => *security == Security::Clear,
            Way::Socket(_) => false,
        }
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }

    /// Whether TLS is spoken with it.
    pub(super) fn speaks_tls(&self) -> bool {
        match &self.way {
            Way::Tcp { security, .. } => *security != Security::Clear,
            Way::Socket(_) => false,
        }
    }

    /// The URL that the LDAP library is given beside an open socket. It takes the scheme from it,
    /// and the name that the server's certificate must have.
    pub(super) fn url(&self) -> String {
        match &self.way {
            Way::Tcp {
                host,
                port,
                security: Security::Tls,
            } => format!("ldaps://{host}:{port}"),
            Way::Tcp { host, port, .. } => format!("ldap://{host}:{port}"),
            // Unused beside an open socket, but it must be there.
            Way::Socket(_) => "ldapi://socket".to_owned(),
        }
    }
}

impl fmt::Display for LdapServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            Way::Tcp { .. } => f.write_str(&self.url()),
            Way::Socket(path) => write!(f, "ldapi://{}", path.display()),
        }
    }
}

fn tcp(rest: &str, default_port: u16, security: Security) -> Result<Way, ServerError> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['[', ']']) {
        return Err(ServerError::Address);
    }
    if rest.contains(['/', '?', '#', '@']) {
        return Err(ServerError::Rest);
    }
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| ServerError::Port)?),
        None => (rest, default_port),
    };
    let sound = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(sound) {
        return Err(ServerError::Host);
    }
    if port == 0 {
        return Err(ServerError::Port);
    }
    Ok(Way::Tcp {
        host: host.to_ascii_lowercase(),
        port,
        security,
    })
}

/// The path as it is, or with its slashes as `%2f`, as OpenLDAP's tools write it.
fn socket(rest: &str) -> Result<PathBuf, ServerError> {
    let path = rest.replace("%2f", "/").replace("%2F", "/");
    let absolute = Path::new(&path).is_absolute() && !path.contains(['%', '\0']);
    absolute.then(|| path.into()).ok_or(ServerError::Path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_shown() {
        for (text, start_tls, shown) in [
            ("ldaps://DC1.corp.test", false, "ldaps://dc1.corp.test:636"),
            ("ldaps://dc1:3269/", true, "ldaps://dc1:3269"),
            ("ldap://127.0.0.1:1389", true, "ldap://127.0.0.1:1389"),
            ("ldapi:///run/slapd/ldapi", true, "ldapi:///run/slapd/ldapi"),
            ("ldapi://%2Frun%2fldapi", false, "ldapi:///run/ldapi"),
        ] {
            let server = LdapServer::parse(text, start_tls).unwrap();
            assert_eq!(server.to_string(), shown);
        }
        assert!(
            LdapServer::parse("ldap://a", false)
                .unwrap()
                .is_in_the_clear()
        );
        assert!(
            !LdapServer::parse("ldap://a", true)
                .unwrap()
                .is_in_the_clear()
        );
    }

    #[test]
    fn a_server_from_dns_is_always_under_tls() {
        for (host, port, start_tls, url) in [
            ("DC1.corp.test.", 389, true, "ldap://dc1.corp.test:389"),
            ("dc1.corp.test.", 389, false, "ldaps://dc1.corp.test:636"),
            ("dc1.corp.test", 636, true, "ldaps://dc1.corp.test:636"),
            ("dc1.corp.test", 3269, false, "ldaps://dc1.corp.test:3269"),
        ] {
            let server = LdapServer::found(host, port, start_tls).unwrap();
            assert_eq!(server.to_string(), url);
            assert!(server.speaks_tls());
        }
        for host in [".", "", "a b", "a/b", "user@dc1", "dc1:1"] {
            assert!(LdapServer::found(host, 389, true).is_err(), "{host}");
        }
    }

    #[test]
    fn what_is_no_server_says_why() {
        for (text, why) in [
            ("dc1.corp.test", ServerError::Scheme),
            ("http://dc1", ServerError::Scheme),
            ("ldaps://", ServerError::Host),
            ("ldaps://a b", ServerError::Host),
            ("ldaps://[::1]", ServerError::Address),
            ("ldaps://::1", ServerError::Port),
            ("ldaps://a:0", ServerError::Port),
            ("ldaps://a:99999", ServerError::Port),
            ("ldaps://a/dc=corp", ServerError::Rest),
            ("ldaps://u:p@a", ServerError::Rest),
            ("ldapi://socket", ServerError::Path),
        ] {
            assert_eq!(LdapServer::parse(text, true), Err(why), "{text}");
        }
    }
}
