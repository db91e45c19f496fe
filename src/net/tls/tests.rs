//! What both ends of a TLS connection must agree on, with certificates that openssl made.
#![expect(clippy::disallowed_types, reason = "the tests run openssl")]

use std::path::Path;
use std::process::Command;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::end_point::server_end_point;

/// Runs openssl in a folder, and gives what it printed.
fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl: run script/bootstrap");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        said.trim()
    );
    output.stdout
}

/// A certificate that is signed in this way by its own key.
fn signed(folder: &Path, how: &str) -> CertificateDer<'static> {
    let own = "req -x509 -nodes -subj /CN=pop.example.test -days 2 -keyout key.pem -out cert.pem";
    openssl(folder, &format!("{own} {how}"));
    CertificateDer::from_pem_file(folder.join("cert.pem")).expect("a certificate")
}

#[test]
fn the_end_point_is_the_hash_that_openssl_makes() {
    let folder = tempfile::tempdir().expect("a folder");
    let pss = "-newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md";
    for (how, hash) in [
        ("-newkey rsa:2048 -sha256".to_owned(), "sha256"),
        ("-newkey rsa:2048 -sha384".to_owned(), "sha384"),
        ("-newkey rsa:2048 -sha512".to_owned(), "sha512"),
        ("-newkey rsa:2048 -sha224".to_owned(), "sha224"),
        // RFC 5929 §4.1: SHA-256 in their place.
        ("-newkey rsa:2048 -sha1".to_owned(), "sha256"),
        ("-newkey rsa:2048 -md5".to_owned(), "sha256"),
        (
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha256".to_owned(),
            "sha256",
        ),
        (
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha384".to_owned(),
            "sha384",
        ),
        (
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha512".to_owned(),
            "sha512",
        ),
        (
            "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha1".to_owned(),
            "sha256",
        ),
        (format!("{pss}:sha256 -sha256"), "sha256"),
        (format!("{pss}:sha384 -sha384"), "sha384"),
        (format!("{pss}:sha512 -sha512"), "sha512"),
        // Both are the defaults of RFC 4055, which the encoding leaves out.
        (format!("{pss}:sha1 -sha1"), "sha256"),
    ] {
        let der = signed(folder.path(), &how);
        openssl(
            folder.path(),
            "x509 -in cert.pem -outform der -out cert.der",
        );
        let digest = openssl(folder.path(), &format!("dgst -{hash} -binary cert.der"));
        assert_eq!(
            server_end_point(&der).as_deref(),
            Some(&digest[..]),
            "{how}"
        );
    }
}

#[test]
fn a_signature_without_one_hash_has_no_end_point() {
    let folder = tempfile::tempdir().expect("a folder");
    for how in [
        "-newkey ed25519",
        "-newkey ed448",
        "-newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1 -sha256",
    ] {
        let der = signed(folder.path(), how);
        assert_eq!(server_end_point(&der), None, "{how}");
    }
    assert_eq!(server_end_point(b"no certificate"), None);
}
