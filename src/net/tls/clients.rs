//! Client certificates: which ones are good, and what is said about one that is not.
//!
//! The library judges them. Here are bounds on what it is given before login, and the reasons of
//! a refusal in words. A revocation list that is missing or past its next update refuses the
//! certificates of its issuer: it can neither let everybody in nor be overlooked.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _};

use super::files::{self, TlsError, unreadable};
use super::shown;
use crate::config::ClientCertificates;
use crate::event::Event;

/// The most certificates that a client may show, its own among them. The library tries all paths
/// through them: with nine that have one name a stranger keeps a thread busy for 0.3 s.
const CHAIN: usize = 6;

/// The most octets that they may have together. A connection keeps them as long as it is there.
const OCTETS: usize = 16 * 1024;

/// The most octets of names of authorities that clients are told, to help them choose; the
/// message has room for 64 KiB, and every stranger gets it.
const HINTS: usize = 16 * 1024;

/// What the configuration names, as the library takes it; not yet judged for what it is worth.
pub struct ClientFiles {
    /// The certificates of the authorities, at least one.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The revocation lists, each with its file.
    pub lists: Vec<(PathBuf, CertificateRevocationListDer<'static>)>,
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ClientFiles {
    /// Reads authorities and revocation lists.
    ///
    /// # Errors
    /// [`TlsError`] names the file and the remedy.
    pub fn read(config: &ClientCertificates) -> Result<Self, TlsError> {
        let path = &config.authorities;
        let authorities = files::certificates(path)?;
        let mut roots = RootCertStore::empty();
        for certificate in &authorities {
            let added = roots.add(certificate.clone());
            added.map_err(|error| unreadable(path, &error))?;
        }
        if roots.is_empty() {
            return Err(unreadable(path, &"it contains no certificate"));
        }
        let mut read = Self {
            authorities,
            lists: Vec::new(),
            roots: Arc::new(roots),
            provider: Arc::new(aws_lc_rs::default_provider()),
        };
        for path in &config.revocation {
            for list in files::revocation_lists(path)? {
                // Only to learn which file it is that the library does not take.
                let tried = read.builder().with_crls([list.clone()]).build();
                tried.map_err(|error| unreadable(path, &error))?;
                read.lists.push((path.clone(), list));
            }
        }
        Ok(read)
    }

    fn builder(&self) -> ClientCertVerifierBuilder {
        WebPkiClientVerifier::builder_with_provider(self.roots.clone(), self.provider.clone())
    }
}

/// Judges the certificates that clients show.
#[derive(Debug)]
pub(super) struct Clients {
    judge: Arc<dyn ClientCertVerifier>,
    /// The log has said that a revocation list has expired.
    told: AtomicBool,
}

impl Clients {
    /// Reads authorities and revocation lists, and tells the log of lists that have expired.
    ///
    /// # Errors
    /// [`TlsError`] names the file and the remedy.
    pub(super) fn load(config: &ClientCertificates, now: UnixTime) -> Result<Self, TlsError> {
        let files = ClientFiles::read(config)?;
        for (path, list) in &files.lists {
            tell_expired(path, list, now);
        }
        let mut lists: Vec<_> = files.lists.iter().map(|(_, list)| list.clone()).collect();
        // The library takes the first list of an issuer.
        lists.sort_by_key(|list| std::cmp::Reverse(this_update(list)));
        let mut builder = files
            .builder()
            .with_crls(lists)
            .enforce_revocation_expiration();
        if !config.required {
            builder = builder.allow_unauthenticated();
        }
        let names = files.roots.subjects();
        if names.iter().map(|name| name.as_ref().len()).sum::<usize>() > HINTS {
            builder = builder.clear_root_hint_subjects();
        }
        let path = &config.authorities;
        let judge = builder.build().map_err(|error| unreadable(path, &error))?;
        Ok(Self {
            judge,
            told: AtomicBool::new(false),
        })
    }

    /// Notes what the record of the handshake will say.
    fn refused(&self, certificate: &CertificateDer<'_>, error: Error) -> Error {
        let why = reason(&error);
        let expired = why == LIST_EXPIRED;
        shown::refused(certificate, why);
        if expired && !self.told.swap(true, Ordering::Relaxed) {
            Event::RevocationListExpired { path: None }.emit();
        }
        error
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.judge.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.judge.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        shown::certificate();
        let octets: usize = intermediates.iter().map(|der| der.len()).sum();
        let judged = if intermediates.len() >= CHAIN || octets + end_entity.len() > OCTETS {
            Err(CertificateError::ApplicationVerificationFailure.into())
        } else {
            self.judge
                .verify_client_cert(end_entity, intermediates, now)
        };
        judged.map_err(|error| self.refused(end_entity, error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let judged = self
            .judge
            .verify_tls12_signature(message, certificate, signed);
        judged.map_err(|error| self.refused(certificate, error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let judged = self
            .judge
            .verify_tls13_signature(message, certificate, signed);
        judged.map_err(|error| self.refused(certificate, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

const LIST_EXPIRED: &str = "the revocation list of its issuer is past its next update";

/// Why a certificate is not good, for an administrator.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library may come to know more reasons"
)]
fn reason(error: &Error) -> Cow<'static, str> {
    let Error::InvalidCertificate(error) = error else {
        return "the revocation list of its issuer cannot be used, see `postern check`".into();
    };
    match error {
        CertificateError::UnknownIssuer => "no authority of tls.client_authorities issued it",
        CertificateError::Revoked => "it was revoked",
        CertificateError::UnknownRevocationStatus => {
            "tls.client_revocation has no list of an issuer in its chain"
        }
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => LIST_EXPIRED,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has ended",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it has not begun"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it was not issued for clients"
        }
        CertificateError::BadSignature => "a signature is wrong: of an issuer, or of its own key",
        CertificateError::ApplicationVerificationFailure => {
            "the client sent more than 6 certificates or 16 KiB"
        }
        CertificateError::BadEncoding => "it is not a certificate",
        // X.509 version 1, for one, which openssl makes when it is told of no extension.
        CertificateError::Other(rule) => {
            return format!("it breaks a rule for certificates: {rule}").into();
        }
        other => return format!("it breaks a rule for certificates: {other}").into(),
    }
    .into()
}

/// When a list was made; one that cannot be read comes last.
fn this_update(list: &CertificateRevocationListDer<'_>) -> i64 {
    let parsed = CertificateRevocationList::from_der(list);
    parsed.map_or(0, |(_, list)| list.last_update().timestamp())
}

/// The server starts with a list that has expired, so that passwords go on. The log says it.
fn tell_expired(path: &Path, list: &CertificateRevocationListDer<'_>, now: UnixTime) {
    let Ok((_, list)) = CertificateRevocationList::from_der(list) else {
        return;
    };
    let next = list.next_update().map(|next| next.timestamp());
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if next.is_some_and(|next| next <= now) {
        Event::RevocationListExpired { path: Some(path) }.emit();
    }
}
