//! Certificates made for one test run, and a client that trusts them and nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};

/// The name in the server's certificate.
pub(crate) const NAME: &str = "pop.example.test";

/// A certificate authority that lives as long as the process.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Test authority");
        let certificate = params.self_signed(&key).expect("a certificate");
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    })
}

/// Writes a certificate for `name` and its key as PEM files.
pub(crate) fn write(name: &str, certificate: &Path, key: &Path) {
    let pair = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let signed = params
        .signed_by(&pair, &authority().issuer)
        .expect("a certificate");
    std::fs::write(certificate, signed.pem()).expect("writing the certificate");
    std::fs::write(key, pair.serialize_pem()).expect("writing the key");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(key, private).expect("chmod");
}

/// A client configuration that trusts the test authority; TLS 1.2 and 1.3.
pub(crate) fn client() -> Arc<ClientConfig> {
    static CLIENT: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    CLIENT.get_or_init(|| Arc::new(client_with(&[]))).clone()
}

/// The same, offering these application protocols.
pub(crate) fn client_with(alpn: &[&str]) -> ClientConfig {
    let mut config = configure(&[&version::TLS12, &version::TLS13]);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// The same, speaking this version only.
pub(crate) fn client_of(version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    Arc::new(configure(&[version]))
}

/// A client that trusts the test authority and speaks these versions.
pub(crate) fn configure(versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(authority().certificate.der().clone())
        .expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
