//! Extended Protection with GSSAPI and GSS-SPNEGO, over TLS.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::lab::pop3::Client;
use crate::scene::Scene;

const REFUSAL: &str = "-ERR [AUTH] Logon failure: unknown user name or bad password.";

/// The binding of the server's certificate (RFC 5929 §4): ECDSA with SHA-256.
fn here(scene: &Scene) -> String {
    let chain = CertificateDer::from_pem_file(&scene.lab.pki.certificate).expect("a certificate");
    Sha256::digest(chain.as_ref())
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

fn login(scene: &Scene, mechanism: (&str, &str), binding: Option<&str>) -> bool {
    let (name, inside) = mechanism;
    let mut arguments = vec!["pop@localhost", "--mechanism", inside];
    arguments.extend(binding.iter().flat_map(|hash| ["--binding", hash]));
    let mut client = Client::connect_tls(scene.postern.doors.implicit, &scene.lab.pki);
    let reply = scene.login(&mut client, name, &mut scene.realm.client(&arguments));
    assert!(reply.starts_with("+OK") || reply == REFUSAL, "{reply}");
    reply.starts_with("+OK")
}

/// What comes of no binding, the right one and a wrong one.
fn table(protection: &str, wanted: [bool; 3]) -> Scene {
    let scene = Scene::protected(protection);
    let wrong = "00".repeat(32);
    let right = here(&scene);
    for mechanism in [("GSSAPI", "krb5"), ("GSS-SPNEGO", "spnego")] {
        let got = [None, Some(right.as_str()), Some(wrong.as_str())]
            .map(|binding| login(&scene, mechanism, binding));
        assert_eq!(got, wanted, "{mechanism:?} under {protection}");
    }
    scene
}

#[test]
fn none_looks_at_no_binding() {
    table("none", [true, true, true]);
}

#[test]
fn audit_lets_all_in_and_says_who_would_break() {
    let scene = table("audit", [true, true, true]);
    scene.postern.told(
        "login",
        &[
            "\"would_break\":\"protection-require\"",
            "\"binding\":\"none\"",
        ],
    );
    scene
        .postern
        .told("login", &["\"would_break\":\"protection-allow\""]);
    scene
        .postern
        .told("login", &["\"binding\":\"tls-server-end-point\""]);
}

#[test]
fn allow_refuses_a_wrong_binding() {
    let scene = table("allow", [true, true, false]);
    let record = scene.record("wrong-binding");
    assert!(record.contains("its login was relayed"), "{record}");
    assert!(
        record.contains("\"login\":\"alice@EXAMPLE.TEST\""),
        "{record}"
    );
}

#[test]
fn require_refuses_who_binds_to_nothing() {
    let scene = table("require", [false, true, false]);
    let record = scene.record("no-binding");
    assert!(record.contains("extended_protection requires"), "{record}");
    let offered = scene.offered();
    assert_eq!(
        offered, "SASL PLAIN LOGIN SCRAM-SHA-256",
        "in the clear nobody can bind"
    );
}
