//! Certificates that clients show, the authorities that issue them, and lists of the revoked.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, SupportedProtocolVersion};

use sha2::{Digest as _, Sha256};

use super::tls;

const HOUR: u64 = 3600;

/// An authority of clients.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate with its key, and what goes between it and the authority.
pub(crate) struct Shown {
    /// The certificate first, then intermediates.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    serial: SerialNumber,
}

/// The time so many hours from now, since 1970.
fn hours(from_now: i64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let span = Duration::from_secs(from_now.unsigned_abs() * HOUR);
    let now = now.expect("a clock after 1970");
    if from_now < 0 { now - span } else { now + span }
}

/// When a certificate begins and ends, in hours from now.
fn lasts(params: &mut CertificateParams, from: i64, to: i64) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + hours(from);
    params.not_after = epoch + hours(to);
}

impl Authority {
    /// One with this name and a key of its own.
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(name);
        let certificate = params.self_signed(&key).expect("an authority");
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// An authority whose certificate this one signed.
    pub(crate) fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(name);
        let certificate = params.signed_by(&key, &self.issuer).expect("an authority");
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its certificate.
    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// Issues a certificate for clients, good for an hour.
    pub(crate) fn issue(&self, name: &str) -> Shown {
        self.issue_with(name, |_| ())
    }

    /// The same, with changes.
    pub(crate) fn issue_with(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> Shown {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        lasts(&mut params, -1, 1);
        let serial: [u8; 16] = std::array::from_fn(|at| key.public_key_raw()[at + 1] & 0x7f | 1);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        change(&mut params);
        let serial = params.serial_number.clone().expect("set above");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Shown {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
            serial,
        }
    }

    /// A list with these certificates, in PEM. It was made, and its next update comes, so many
    /// hours from now.
    pub(crate) fn revoke(&self, revoked: &[&Shown], (made, next): (i64, i64)) -> String {
        let epoch = date_time_ymd(1970, 1, 1);
        let entry = |shown: &&Shown| RevokedCertParams {
            serial_number: shown.serial.clone(),
            revocation_time: epoch + hours(made),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: epoch + hours(made),
            next_update: epoch + hours(next),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).expect("a list");
        list.pem().expect("PEM")
    }
}

/// A certificate that ended an hour ago.
pub(crate) fn ended(params: &mut CertificateParams) {
    lasts(params, -2, -1);
}

/// A certificate that begins in an hour.
pub(crate) fn not_begun(params: &mut CertificateParams) {
    lasts(params, 1, 2);
}

/// A certificate of a server.
pub(crate) fn for_servers(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Shown {
    /// The certificate in PEM.
    pub(crate) fn pem(&self) -> String {
        armoured("CERTIFICATE", &self.chain[0])
    }

    /// Its key in PEM.
    pub(crate) fn key_pem(&self) -> String {
        armoured("PRIVATE KEY", self.key.secret_der())
    }

    /// As the users file and the log name it.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&self.chain[0]);
        let digits = digest.iter().map(|octet| format!("{octet:02x}"));
        digits.fold("sha256:".to_owned(), |text, octet| text + &octet)
    }

    /// With more certificates behind it.
    pub(crate) fn with(mut self, more: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        self.chain.extend(more);
        self
    }

    /// With the key of another certificate.
    pub(crate) fn with_key_of(mut self, other: &Self) -> Self {
        self.key = other.key.clone_key();
        self
    }

    /// A client that shows it and keeps its sessions.
    pub(crate) fn client(&self, version: &'static SupportedProtocolVersion) -> ClientConfig {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(self.key.clone_key());
        let key = rustls::sign::CertifiedKey::new(self.chain.clone(), key.expect("a usable key"));
        let mut config = tls::configure(&[version]);
        // The library's own way would notice that a key is of another certificate.
        config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(key));
        config
    }
}

fn armoured(kind: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
}
