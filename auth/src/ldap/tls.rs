//! TLS to the directory's servers: whom we believe, and whom we are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::both_names::BothNames;

/// Files of the TLS connections to the directory.
#[derive(Clone, Debug, Default)]
pub struct LdapTls {
    /// Who may have issued the servers' certificates, in PEM; the system's authorities otherwise.
    pub authorities: Option<PathBuf>,
    /// Our certificate and its key, in PEM, for servers that ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Why TLS to the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LdapTlsError {
    /// A file cannot be read, or holds something else.
    #[error("{}: cannot be read as {what} in PEM: {reason}; see its path, its rights and its form", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why not.
        reason: String,
    },
    /// The system has no authorities.
    #[error(
        "this machine has no certificate authorities: install ca-certificates, or name a file in `ldap.authorities`"
    )]
    NoAuthorities,
    /// Certificate and key are not of each other, or not usable.
    #[error("{}: cannot be used with its key: {source}", .path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// The domain cannot be a name in a certificate.
    #[error("{0:?} cannot stand in a certificate; correct `ldap.domain`, or name `ldap.servers`")]
    Domain(String),
    /// The library refused its own settings.
    #[error("TLS cannot be set up: {0}")]
    Library(rustls::Error),
}

impl LdapTls {
    /// Reads the files. With a domain, a server's certificate must have its name beside the
    /// server's own.
    pub(super) fn load(&self, domain: Option<&str>) -> Result<Arc<ClientConfig>, LdapTlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(LdapTlsError::Library)?;
        let roots = self.roots()?;
        let builder = match domain {
            None => builder.with_root_certificates(roots),
            Some(domain) => {
                let both = BothNames::new(domain, roots, provider)?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(both))
            }
        };
        let Some((path, key)) = &self.certificate else {
            return Ok(Arc::new(builder.with_no_client_auth()));
        };
        let chain = certificates(path)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| LdapTlsError::File {
            path: key.clone(),
            what: "a private key",
            reason: error.to_string(),
        })?;
        let config = builder.with_client_auth_cert(chain, key);
        let config = config.map_err(|source| LdapTlsError::Certificate {
            path: path.clone(),
            source,
        })?;
        Ok(Arc::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, LdapTlsError> {
        let mut roots = RootCertStore::empty();
        match &self.authorities {
            Some(path) => {
                for authority in certificates(path)? {
                    roots.add(authority).map_err(|error| LdapTlsError::File {
                        path: path.clone(),
                        what: "authorities",
                        reason: error.to_string(),
                    })?;
                }
            }
            None => {
                let system = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(system.certs);
            }
        }
        if roots.is_empty() {
            return Err(LdapTlsError::NoAuthorities);
        }
        Ok(roots)
    }
}

/// All certificates of a file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LdapTlsError> {
    let failed = |reason: String| LdapTlsError::File {
        path: path.to_owned(),
        what: "certificates",
        reason,
    };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| failed(error.to_string()))?;
    if found.is_empty() {
        return Err(failed("there is none in it".to_owned()));
    }
    Ok(found)
}
