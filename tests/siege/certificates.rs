//! A certificate is replaced while resumed sessions are there.

use std::sync::Arc;

use nix::sys::signal::Signal;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, HandshakeKind, version};

use crate::guests::setup;
use crate::measure::{Gauge, KEPT};
use crate::wire::client::Client;
use crate::wire::clock::until;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::start;
use crate::wire::tls;
use crate::{say, size};

fn connect(house: &House, config: &Arc<ClientConfig>) -> Client {
    let client = Client::connect(house.implicit).expect("connecting");
    let mut client = client.with_tls(config.clone());
    client.start_tls().expect("a handshake");
    // The ticket comes with the greeting.
    assert!(client.answer().starts_with("+OK"));
    client
}

fn kind(client: &Client) -> Option<HandshakeKind> {
    client
        .session()
        .and_then(|session| session.handshake_kind())
}

/// What the client takes for the server's certificate; in a resumed session that of the full handshake.
fn certificate(client: &Client) -> CertificateDer<'static> {
    let shown = client
        .session()
        .and_then(|session| session.peer_certificates()?.first().cloned());
    shown.expect("a certificate")
}

fn replace_certificate(house: &House) {
    let ground = &house.ground;
    tls::write(
        tls::NAME,
        &ground.path("chain.pem"),
        &ground.path("key.pem"),
    );
    ground.give_away();
    house.log.lock().expect("the log").clear();
    house.signal(Signal::SIGHUP);
    house.logged(&["reloaded"]);
}

#[test]
fn resumed_sessions_outlive_their_certificate_and_old_tickets_do_not() {
    let house = start(&setup());
    let gauge = Gauge::of(&house);
    let configs = [
        Arc::new(tls::client_with(&[])),
        tls::client_of(&version::TLS12),
        tls::client_of(&version::TLS13),
    ];
    let before = gauge.read();
    let mut alive = Vec::new();
    // Three sessions stay in each round, of the hundred that one address may have.
    let rounds = size(3, 30);
    for _ in 0..rounds {
        for config in &configs {
            let first = connect(&house, config);
            let second = connect(&house, config);
            assert_eq!(kind(&second), Some(HandshakeKind::Resumed));
            assert_eq!(certificate(&first), certificate(&second));
            alive.push((second, certificate(&first)));
        }
        replace_certificate(&house);
        for (client, _) in &mut alive {
            assert!(client.ask("CAPA").starts_with("+OK"), "a session was lost");
            client.list();
        }
        for config in &configs {
            let client = connect(&house, config);
            let (_, old) = alive.last().expect("a session");
            assert_ne!(
                kind(&client),
                Some(HandshakeKind::Resumed),
                "an old ticket was taken"
            );
            assert_ne!(&certificate(&client), old);
        }
    }
    until("the others to be gone", || {
        (gauge.read().descriptors <= before.descriptors + alive.len()).then_some(())
    });
    drop(alive);
    let after = gauge.settled(&before);
    say(&format!(
        "{rounds} certificates: before {before:?}, after {after:?}"
    ));
}

#[test]
fn reloads_leave_nothing_behind() {
    let house = start(&setup());
    let gauge = Gauge::of(&house);
    let reload = |times: usize| {
        for _ in 0..times {
            house.log.lock().expect("the log").clear();
            house.signal(Signal::SIGHUP);
            house.logged(&["reloaded"]);
        }
        gauge.read()
    };
    let fresh = gauge.read();
    let warm = reload(size(30, 300));
    let count = size(60, 1_000);
    let after = reload(count);
    say(&format!(
        "{count} reloads: fresh {fresh:?}, warm {warm:?}, after {after:?}"
    ));
    after.assert_memory("reloads", &warm, KEPT);
    gauge.settled(&fresh);
}
