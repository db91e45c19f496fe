//! The files that TLS needs, read when a generation of the configuration begins; never later.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::config::CertificateFiles;

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error(
        "{path}: {problem}; it must be whole, and readable by the user that the server runs as"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        problem: String,
    },
    /// The chain and the key do not go together.
    #[error("{certificate} and {private_key} cannot be used together: {source}")]
    Pair {
        /// The chain.
        certificate: PathBuf,
        /// The key.
        private_key: PathBuf,
        /// What the library said.
        source: rustls::Error,
    },
    /// The library refused the setup.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[source] rustls::Error),
}

/// The chain and its key, which must go together.
pub(super) fn certified_key(pair: &CertificateFiles) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(&pair.certificate)?;
    regular(&pair.private_key)?;
    let key = PrivateKeyDer::from_pem_file(&pair.private_key)
        .map_err(|error| unreadable(&pair.private_key, &error))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|source| {
        TlsError::Pair {
            certificate: pair.certificate.clone(),
            private_key: pair.private_key.clone(),
            source,
        }
    })
}

/// All certificates of a PEM file.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    regular(path)?;
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(path, &error))
}

/// All revocation lists of a PEM file, or the one of a DER file.
pub(super) fn revocation_lists(
    path: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    regular(path)?;
    let lists: Vec<_> = CertificateRevocationListDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(path, &error))?;
    if !lists.is_empty() {
        return Ok(lists);
    }
    #[expect(clippy::disallowed_methods, reason = "TLS reads its own files")]
    let der = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(vec![der.into()])
}

/// A pipe in the place of a file would be waited for without end.
fn regular(path: &Path) -> Result<(), TlsError> {
    match std::fs::metadata(path) {
        Ok(file) if file.is_file() => Ok(()),
        Ok(_) => Err(unreadable(path, &"not a regular file")),
        Err(error) => Err(unreadable(path, &error)),
    }
}

pub(super) fn unreadable(path: &Path, error: &dyn Display) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}
