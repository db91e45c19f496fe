//! Whom to believe when DNS has named the server (RFC 4513 §3.1.3, RFC 6125 §6.2.1).
//!
//! Whoever can answer for DNS can name any server, and a name that it gave proves nothing by itself: a
//! workstation of the domain has a good certificate of its own name, too. So the certificate must also have
//! the name that the administrator wrote, the domain's, as those of domain controllers have.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::tls::LdapTlsError;

/// The usual checks, for two names.
#[derive(Debug)]
pub(super) struct BothNames {
    domain: ServerName<'static>,
    usual: Arc<WebPkiServerVerifier>,
}

impl BothNames {
    pub(super) fn new(
        domain: &str,
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, LdapTlsError> {
        let name = ServerName::try_from(domain.to_owned());
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        Ok(Self {
            domain: name.map_err(|_| LdapTlsError::Domain(domain.to_owned()))?,
            usual: usual.build().map_err(|_| LdapTlsError::NoAuthorities)?,
        })
    }
}

impl ServerCertVerifier for BothNames {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let check = |name: &ServerName<'_>| {
            self.usual
                .verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
        };
        check(server_name)?;
        check(&self.domain)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
