//! TLS: versions, names, certificates, beginnings and ends (RFC 2595, RFC 8314, RFC 7301).

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use nix::sys::signal::Signal;
use rustls::pki_types::CertificateDer;
use rustls::{ProtocolVersion, version};

use crate::wire::client::{Client, PATIENCE};
use crate::wire::clock::until;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start};
use crate::wire::tls;

/// Everything that the server says until it closes.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    let mut octets = Vec::new();
    match stream.read_to_end(&mut octets) {
        Ok(_) => octets,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => octets,
        Err(error) => panic!("the server did not close: {error}"),
    }
}

fn says_pop3(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    text.contains("+OK") || text.contains("-ERR")
}

/// A socket on which STLS was just answered with +OK.
fn after_stls(house: &House) -> TcpStream {
    let mut stream = TcpStream::connect(house.clear).expect("connecting");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    read_line(&mut stream);
    stream.write_all(b"STLS\r\n").expect("sending");
    assert!(read_line(&mut stream).starts_with("+OK"));
    stream
}

fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\n") {
        stream.read_exact(&mut octet).expect("a line");
        line.extend(octet);
    }
    String::from_utf8(line).expect("text")
}

#[test]
fn garbage_instead_of_a_handshake_ends_the_connection() {
    let house = start(&Setup::new());
    for garbage in [
        &b"CAPA\r\n"[..],
        b"USER alice\r\nPASS correct horse\r\n",
        b"\x16\x03\x01\x40\x01\x01",
        b"\0\0\0\0\0\0",
    ] {
        let mut stream = after_stls(&house);
        stream.write_all(garbage).expect("sending");
        stream.shutdown(Shutdown::Write).expect("shutdown");
        assert!(
            !says_pop3(&rest(stream)),
            "{} was answered",
            garbage.escape_ascii()
        );
    }
    assert_eq!(house.client().ask("QUIT").get(..3), Some("+OK"));
}

#[test]
fn plain_text_on_the_implicit_port_fails_cleanly() {
    let house = start(&Setup::new());
    let mut stream = TcpStream::connect(house.implicit).expect("connecting");
    stream
        .write_all(b"CAPA\r\nUSER alice\r\n")
        .expect("sending");
    assert!(!says_pop3(&rest(stream)), "plain text was answered");
    assert!(house.tls_client().ask("CAPA").starts_with("+OK"));
}

#[test]
fn both_listeners_speak() {
    let house = start(&Setup::new());
    let mut clear = house.client();
    assert!(clear.ask("CAPA").starts_with("+OK"));
    assert!(clear.list().iter().any(|line| line == "STLS"));
    let mut implicit = house.tls_client();
    assert!(implicit.ask("CAPA").starts_with("+OK"));
    assert!(!implicit.list().iter().any(|line| line == "STLS"));
}

/// A ClientHello that speaks TLS 1.1 at most: no extension says otherwise.
const HELLO_1_1: &[u8] = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x02\
    0123456789abcdef0123456789abcdef\x00\x00\x04\xc0\x13\x00\x2f\x01\x00";

#[test]
fn tls_1_1_is_refused() {
    let house = start(&Setup::new());
    let streams = [
        after_stls(&house),
        TcpStream::connect(house.implicit).expect("connecting"),
    ];
    for mut stream in streams {
        stream.write_all(HELLO_1_1).expect("sending");
        let answer = rest(stream);
        // A record of type 21: an alert, and a fatal one (RFC 5246 §7.2).
        assert_eq!(
            (answer.first(), answer.get(5)),
            (Some(&21), Some(&2)),
            "{answer:?}"
        );
    }
}

#[test]
fn tls_1_2_and_1_3_are_spoken() {
    let house = start(&Setup::new());
    for (version, name) in [
        (&version::TLS12, ProtocolVersion::TLSv1_2),
        (&version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let mut client = Client::connect(house.implicit)
            .expect("connecting")
            .with_tls(tls::client_of(version));
        client.start_tls().expect("a handshake");
        assert_eq!(
            client
                .session()
                .and_then(|session| session.protocol_version()),
            Some(name)
        );
        assert!(client.answer().starts_with("+OK"));
    }
}

#[test]
fn the_end_is_announced_under_tls() {
    let house = start(&Setup::new());
    let mut client = house.tls_client();
    assert!(client.ask("QUIT").starts_with("+OK"));
    // An end without close_notify would be an error here (RFC 8446 §6.1).
    assert_eq!(client.fill().expect("close_notify"), 0);
}

#[test]
fn pop3_is_agreed_on_and_nothing_else() {
    let house = start(&Setup::new());
    let connect = |names: &[&str]| {
        let config = Arc::new(tls::client_with(names));
        let mut client = Client::connect(house.implicit)
            .expect("connecting")
            .with_tls(config);
        client.start_tls().map(|()| client)
    };
    let agreed = |client: &Client| {
        client
            .session()
            .and_then(|session| session.alpn_protocol().map(<[u8]>::to_vec))
    };
    assert_eq!(
        agreed(&connect(&["pop3"]).expect("pop3")),
        Some(b"pop3".to_vec())
    );
    assert_eq!(
        agreed(&connect(&["http/1.1", "pop3"]).expect("pop3 among others")),
        Some(b"pop3".to_vec())
    );
    assert_eq!(agreed(&connect(&[]).expect("no protocol")), None);
    // RFC 7301 §3.2: no_application_protocol. A browser must not be led here (ALPACA).
    assert!(connect(&["h2", "http/1.1"]).is_err(), "HTTP was agreed on");
}

/// The certificate that the server shows to a client that asks for this name.
fn shown(house: &House, name: &str) -> Result<CertificateDer<'static>, String> {
    let mut client = Client::connect(house.implicit)?;
    client.start_tls_as(name)?;
    let shown = client
        .session()
        .and_then(|session| session.peer_certificates()?.first().cloned());
    shown.ok_or_else(|| "no certificate".to_owned())
}

#[test]
fn a_name_has_its_own_certificate() {
    let setup = Setup::new().set(
        "tls.sni",
        r#"[{ name = "mail.example.test", certificate = "sni.pem", private_key = "sni-key.pem" }]"#,
    );
    let house = start(&setup);
    let mail = shown(&house, "mail.example.test").expect("a certificate for the second name");
    assert_ne!(
        shown(&house, tls::NAME).expect("a certificate for the first name"),
        mail
    );
    // The client itself refuses: what is shown for an unknown name is the first certificate.
    assert!(
        shown(&house, "nosuch.example.test")
            .expect_err("a refusal")
            .contains("not valid for name")
    );
}

#[test]
fn a_certificate_is_replaced_by_a_reload() {
    let house = start(&Setup::new());
    let mut before = house.tls_client();
    let old = shown(&house, tls::NAME).expect("a certificate");
    tls::write(
        tls::NAME,
        &house.ground.path("chain.pem"),
        &house.ground.path("key.pem"),
    );
    assert_eq!(
        shown(&house, tls::NAME).as_ref(),
        Ok(&old),
        "replaced before the reload"
    );
    house.signal(Signal::SIGHUP);
    until("the new certificate", || {
        let new = shown(&house, tls::NAME).expect("a certificate");
        (new != old).then_some(())
    });
    assert!(
        before.ask("CAPA").starts_with("+OK"),
        "the session was lost"
    );
}

#[test]
fn a_broken_certificate_does_not_replace_a_good_one() {
    let house = start(&Setup::new());
    let old = shown(&house, tls::NAME).expect("a certificate");
    std::fs::write(house.ground.path("chain.pem"), "no certificate").expect("writing");
    house.signal(Signal::SIGHUP);
    house.logged(&["ERROR", "chain.pem"]);
    assert_eq!(shown(&house, tls::NAME), Ok(old));
}

#[test]
fn without_a_certificate_there_is_no_stls() {
    let house = start(&Setup::new().without_tls());
    let mut client = house.client();
    assert!(client.ask("CAPA").starts_with("+OK"));
    assert!(!client.list().iter().any(|line| line == "STLS"));
    assert!(client.ask("STLS").starts_with("-ERR"));
    assert!(client.ask("USER alice").starts_with("+OK"));
    assert!(client.ask("PASS correct horse").starts_with("+OK"));
}
