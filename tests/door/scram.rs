//! SCRAM over the real thing: bindings to a TLS connection, and what the log says of them
//! (RFC 5802 §6, RFC 9266, RFC 5929).

use rustls::version;
use sha2::Digest as _;

use crate::wire::client::Client;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start};
use crate::wire::scram::Scram;
use crate::wire::tls;

const PLUS: &str = "SCRAM-SHA-256-PLUS";

fn open() -> House {
    let mechanisms = r#"["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]"#;
    start(&Setup::new().set("login.mechanisms", mechanisms))
}

/// RFC 9266 §3: no context.
fn exporter(client: &Client) -> Vec<u8> {
    let session = client.session().expect("TLS");
    let label = b"EXPORTER-Channel-Binding";
    let exported = session.export_keying_material([0; 32], label, Some(b""));
    exported.expect("keys").to_vec()
}

fn alice<'a>(mechanism: &'a str, flag: &'a str, binding: &'a [u8]) -> Scram<'a> {
    Scram {
        mechanism,
        flag,
        binding,
        login: "alice",
        password: "correct horse",
    }
}

#[test]
fn a_login_needs_no_tls() {
    let house = open();
    let mut client = house.client();
    let (answer, _) = alice("SCRAM-SHA-256", "n", b"").talk(&mut client);
    assert!(answer.starts_with("+OK"), "{answer}");
    assert!(client.ask("STAT").starts_with("+OK 2 "));
    house.logged(&[
        "\"login\"",
        "granted",
        "SCRAM-SHA-256",
        "\"binding\":\"none\"",
    ]);
    // Without TLS no -PLUS is offered, and a client that could bind may say so.
    let (answer, _) = alice("SCRAM-SHA-256", "y", b"").talk(&mut house.client());
    assert!(answer.starts_with("+OK"), "{answer}");
    assert!(
        house
            .client()
            .ask(&format!("AUTH {PLUS}"))
            .starts_with("-ERR")
    );
}

#[test]
fn a_client_binds_to_the_tls_connection() {
    let house = open();
    let mut client = house.tls_client();
    let bound = exporter(&client);
    let (answer, _) = alice(PLUS, "p=tls-exporter", &bound).talk(&mut client);
    assert!(answer.starts_with("+OK"), "{answer}");
    house.logged(&["granted", PLUS, "\"binding\":\"tls-exporter\""]);
}

#[test]
fn a_binding_to_another_connection_is_refused() {
    let house = open();
    // Somebody in the middle has a connection of his own to the server.
    let elsewhere = exporter(&house.tls_client());
    let mut client = house.tls_client();
    let (answer, salt) = alice(PLUS, "p=tls-exporter", &elsewhere).talk(&mut client);
    assert!(
        salt.is_some() && answer.starts_with("-ERR [AUTH]"),
        "{answer}"
    );
    house.logged(&["refused", PLUS, "wrong-binding"]);
}

#[test]
fn a_binding_taken_out_of_the_offer_is_refused() {
    let house = open();
    let mut client = house.tls_client();
    let (answer, salt) = alice("SCRAM-SHA-256", "y", b"").talk(&mut client);
    assert!(
        salt.is_none() && answer.starts_with("-ERR [AUTH]"),
        "{answer}"
    );
    house.logged(&["refused", "binding-stripped"]);
    let (answer, _) = alice("SCRAM-SHA-256", "n", b"").talk(&mut client);
    assert!(answer.starts_with("+OK"), "{answer}");
}

#[test]
fn tls_1_2_has_no_exporter_binding() {
    let house = open();
    let client = Client::connect(house.implicit).expect("a connection");
    let mut client = client.with_tls(tls::client_of(&version::TLS12));
    client.start_tls().expect("a handshake");
    client.answer();
    let bound = exporter(&client);
    let (answer, salt) = alice(PLUS, "p=tls-exporter", &bound).talk(&mut client);
    assert!(salt.is_none() && answer.starts_with("-ERR"), "{answer}");
}

#[test]
fn the_certificate_is_a_binding_under_either_version() {
    let house = open();
    for version in [&version::TLS12, &version::TLS13] {
        let client = Client::connect(house.implicit).expect("a connection");
        let mut client = client.with_tls(tls::client_of(version));
        client.start_tls().expect("a handshake");
        client.answer();
        // RFC 5929 §4.1: the certificate is signed with ECDSA and SHA-256.
        let shown = client
            .session()
            .and_then(|session| session.peer_certificates());
        let certificate = shown.expect("certificates")[0].as_ref();
        let bound = sha2::Sha256::digest(certificate).to_vec();
        let (answer, _) = alice(PLUS, "p=tls-server-end-point", &bound).talk(&mut client);
        assert!(answer.starts_with("+OK"), "{answer}");
        house.logged(&["granted", PLUS, "\"binding\":\"tls-server-end-point\""]);
    }
}
