//! What both ends of a TLS connection must agree on, with certificates that openssl made.
#![expect(
    clippy::disallowed_types,
    reason = "the tests run openssl and make sockets"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use postern_auth::TlsFacts;

use super::Tls;
use super::end_point::server_end_point;
use crate::config::{self, CertificateFiles, ClientCertificates, TlsVersion};

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

/// Two certificates for two names, and an authority with one client.
fn prepare(folder: &Path) -> Tls {
    Tls::load(&configured(folder), None).expect("certificates that can be used")
}

/// What [`prepare`] loads.
fn configured(folder: &Path) -> config::Tls {
    let own = "req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256";
    for (name, hash) in [("first", "sha256"), ("second", "sha384"), ("ca", "sha256")] {
        let files = format!("-keyout {name}.key -out {name}.pem -subj /CN={name}");
        openssl(folder, &format!("{own} -{hash} {files}"));
    }
    // Without an extension openssl issues X.509 version 1, which nobody takes.
    let extension = folder.join("client.ext");
    #[expect(clippy::disallowed_methods, reason = "openssl reads it")]
    std::fs::write(extension, "extendedKeyUsage = clientAuth\n").expect("a file");
    let request = "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=alice";
    openssl(
        folder,
        &format!("{request} -keyout alice.key -out alice.csr"),
    );
    let sign = "x509 -req -in alice.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile client.ext";
    openssl(folder, &format!("{sign} -out alice.pem"));
    let files = |name: &str| CertificateFiles {
        certificate: folder.join(format!("{name}.pem")),
        private_key: folder.join(format!("{name}.key")),
    };
    config::Tls {
        default: files("first"),
        sni: vec![("second.test".to_owned(), files("second"))],
        minimum: TlsVersion::Tls12,
        clients: Some(ClientCertificates {
            authorities: folder.join("ca.pem"),
            revocation: Vec::new(),
            required: false,
        }),
        extra_certificates: vec![folder.join("ca.pem")],
    }
}

/// What the server says of a connection that openssl makes with these arguments.
async fn facts_for(tls: &Tls, folder: &Path, arguments: &str) -> (TlsFacts, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = listener.local_addr().expect("its address");
    let log = std::fs::File::create(folder.join("client.log")).expect("a file");
    let child: Child = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl: run script/bootstrap");
    let (tcp, _) = listener.accept().expect("a client");
    tcp.set_nonblocking(true).expect("a socket");
    let tcp = tokio::net::TcpStream::from_std(tcp).expect("a socket");
    let (stream, facts) = tls.handshake(tcp).await.expect("a handshake");
    // It says what it agreed on when the connection ends.
    drop(stream);
    let _ = child.wait_with_output();
    #[expect(clippy::disallowed_methods, reason = "what openssl wrote")]
    let said = std::fs::read_to_string(folder.join("client.log")).expect("what it said");
    (facts, said)
}

fn digest(folder: &Path, name: &str, hash: &str) -> Vec<u8> {
    let pem = format!("x509 -in {name}.pem -outform der -out {name}.der");
    openssl(folder, &pem);
    openssl(folder, &format!("dgst -{hash} -binary {name}.der"))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

#[tokio::test]
async fn both_ends_agree_on_the_bindings() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let tls = prepare(folder);
    let export = "-keymatexport EXPORTER-Channel-Binding -keymatexportlen 32";
    for (name, file, hash) in [
        ("first.test", "first", "sha256"),
        ("second.test", "second", "sha384"),
        ("SECOND.TEST", "second", "sha384"),
        ("third.test", "first", "sha256"),
    ] {
        for version in ["tls1_2", "tls1_3"] {
            let asked = format!("-servername {name} -{version} {export}");
            let (facts, said) = facts_for(&tls, folder, &asked).await;
            let end_point = facts.server_end_point.as_deref();
            assert_eq!(end_point, Some(&digest(folder, file, hash)[..]), "{asked}");
            // RFC 9266: TLS 1.2 without the extended master secret has none.
            assert_eq!(facts.exporter.is_some(), version == "tls1_3", "{asked}");
            if let Some(exporter) = facts.exporter {
                let line = format!("Keying material: {}", hex(&exporter));
                assert!(said.contains(&line), "{line}\n{said}");
            }
            assert_eq!(facts.client_certificate, None);
        }
    }
}

#[tokio::test]
async fn a_certificate_that_a_client_shows_is_told_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let tls = prepare(folder.path());
    let alice = CertificateDer::from_pem_file(folder.path().join("alice.pem"));
    let alice = alice.expect("a certificate");
    for version in ["tls1_2", "tls1_3"] {
        let shows = format!("-{version} -cert alice.pem -key alice.key");
        let (facts, _) = facts_for(&tls, folder.path(), &shows).await;
        assert_eq!(
            facts.client_certificate.as_deref(),
            Some(&alice[..]),
            "{version}"
        );
    }
}

#[tokio::test]
async fn the_certificate_before_the_last_reload_stays_known_under_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut config = configured(folder);
    let hash = |name: &str, hash: &str| Some(digest(folder, name, hash));
    let (first, second) = (hash("first", "sha256"), hash("second", "sha384"));
    let load = |config: &config::Tls, before| {
        Tls::load(config, before).expect("certificates that can be used")
    };
    let ends = async |tls: &Tls, name: &str| {
        let (facts, _) = facts_for(tls, folder, &format!("-servername {name}")).await;
        let owned = |hash: Option<std::sync::Arc<[u8]>>| hash.map(|hash| hash.to_vec());
        (
            owned(facts.server_end_point),
            owned(facts.previous_end_point),
        )
    };
    let began = load(&config, None);
    assert_eq!(ends(&began, "x.test").await, (first.clone(), None));
    // A reload that changes nothing forgets nothing, and invents nothing.
    let same = load(&config, Some(&began));
    assert_eq!(ends(&same, "x.test").await, (first.clone(), None));
    std::mem::swap(&mut config.default, &mut config.sni[0].1);
    let swapped = load(&config, Some(&same));
    let again = load(&config, Some(&swapped));
    for tls in [&swapped, &again] {
        assert_eq!(ends(tls, "x.test").await, (second.clone(), first.clone()));
        assert_eq!(
            ends(tls, "second.test").await,
            (first.clone(), second.clone())
        );
    }
    // A name of its own had the default certificate before.
    config
        .sni
        .push(("third.test".to_owned(), config.sni[0].1.clone()));
    let named = load(&config, Some(&again));
    assert_eq!(ends(&named, "third.test").await, (first, second));
}

#[test]
fn a_certificate_that_was_replaced_is_forgotten_after_a_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = configured(folder.path());
    let began = Tls::load(&config, None).expect("certificates that can be used");
    std::mem::swap(&mut config.default, &mut config.sni[0].1);
    let swapped = Tls::load(&config, Some(&began)).expect("the same certificates");
    // A reload that changes no certificate does not begin the day anew.
    let again = Tls::load(&config, Some(&swapped)).expect("the same certificates");
    let replaced = swapped
        .default
        .previous
        .as_ref()
        .expect("the one before")
        .at;
    for tls in [&swapped, &again] {
        for (hours, counts) in [(0, true), (23, true), (24, false), (1000, false)] {
            let now = replaced + Duration::from_hours(hours);
            let known = tls.default.previous_end_point(now);
            assert_eq!(known.is_some(), counts, "after {hours} hours");
        }
    }
}

#[test]
fn a_balancers_certificate_is_one_more_to_bind_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut config = configured(folder);
    let tls = Tls::load(&config, None).expect("certificates that can be used");
    let extra: Vec<_> = tls
        .extra_end_points()
        .iter()
        .map(|hash| hash.to_vec())
        .collect();
    assert_eq!(extra, [digest(folder, "ca", "sha256")]);
    signed(folder, "-newkey ed25519");
    for (file, says) in [
        ("cert.pem", "its signature defines no hash"),
        ("ca.key", "there is no certificate in it"),
        ("none.pem", "No such file"),
    ] {
        config.extra_certificates = vec![folder.join(file)];
        let error = Tls::load(&config, None).err().expect(file).to_string();
        assert!(error.contains(says) && error.contains(file), "{error}");
    }
}
