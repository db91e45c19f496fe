//! The demo's own certificate authority: as old as the demo, and gone with it.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// PEM texts.
pub(super) struct Certificates {
    /// What a client must trust.
    pub(super) authority: String,
    /// What the server shows.
    pub(super) certificate: String,
    /// The server's key.
    pub(super) private_key: String,
}

/// An authority, and a certificate of it for `names` (host names or addresses).
///
/// # Errors
/// When the cryptography library refuses.
pub(super) fn issue(names: &[&str]) -> Result<Certificates, rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "Postern demo authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate()?;
    let mut server = CertificateParams::new(names)?;
    server.use_authority_key_identifier_extension = true;
    Ok(Certificates {
        authority: authority_pem,
        certificate: server.signed_by(&key, &issuer)?.pem(),
        private_key: key.serialize_pem(),
    })
}
