//! A certificate authority that lives as long as one lab.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::world::HOST;

/// The names of a server of the lab: its usual one, and those for which the realms have keys.
const NAMES: [&str; 3] = [HOST, "localhost", "mail.ad.example.test"];

/// Where the certificates are. All files are PEM.
pub(crate) struct Pki {
    /// What clients must trust.
    pub(crate) authority: PathBuf,
    /// What servers present.
    pub(crate) certificate: PathBuf,
    /// The server's key.
    pub(crate) key: PathBuf,
}

impl Pki {
    /// An authority, and a server certificate for [`NAMES`], 127.0.0.1 and `address`.
    pub(crate) fn new(folder: &Path, address: Ipv4Addr) -> Self {
        let (issuer, authority_pem) = authority();
        let key = KeyPair::generate().expect("a key");
        let certificate = server(address)
            .signed_by(&key, &issuer)
            .expect("a certificate");
        let write = |name: &str, pem: String| {
            let path = folder.join(name);
            fs::write(&path, pem).expect("a certificate file");
            path
        };
        Self {
            authority: write("ca.pem", authority_pem),
            certificate: write("chain.pem", certificate.pem()),
            key: write("key.pem", key.serialize_pem()),
        }
    }
}

fn authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Postern lab authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = params.self_signed(&key).expect("an authority").pem();
    (Issuer::new(params, key), pem)
}

fn server(address: Ipv4Addr) -> CertificateParams {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned)).expect("names");
    for ip in [Ipv4Addr::LOCALHOST, address] {
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(ip)));
    }
    params.distinguished_name.push(DnType::CommonName, HOST);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}
