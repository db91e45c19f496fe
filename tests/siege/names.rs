//! Ten thousand handshakes, each asking for another name (CVE-2017-15130).

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;

use nix::sys::signal::Signal;
use rustls::ClientConfig;
use rustls::client::Resumption;

use crate::guests::setup;
use crate::measure::{Gauge, KEPT};
use crate::probe::beside;
use crate::wire::client::Client;
use crate::wire::house::House;
use crate::wire::postern::start;
use crate::wire::tls;
use crate::{Dice, connect_from, say, size};

const ATTACKERS: usize = 4;

/// A server whose certificate is good for every name below `example.test`, so that the client
/// itself refuses none of them, and a second one for a configured name.
fn house_with_any_name() -> House {
    let sni =
        r#"[{ name = "mail.example.test", certificate = "sni.pem", private_key = "sni-key.pem" }]"#;
    let house = start(&setup().set("tls.sni", sni));
    let ground = &house.ground;
    tls::write(
        "*.example.test",
        &ground.path("chain.pem"),
        &ground.path("key.pem"),
    );
    ground.give_away();
    house.signal(Signal::SIGHUP);
    house.logged(&["reloaded"]);
    house
}

/// A name of one label below `example.test`; every fourth is of somebody else, and the client gives
/// the handshake up.
fn name(dice: &mut Dice, turn: usize) -> String {
    let label: String = (0..1 + dice.roll(62))
        .map(|_| char::from(b'a' + u8::try_from(dice.roll(26)).expect("a letter")))
        .collect();
    if turn.is_multiple_of(4) {
        format!("{label}.{label}.invalid")
    } else {
        format!("{label}.example.test")
    }
}

fn attack(house: &House, handshakes: usize) {
    let mut config: ClientConfig = tls::client_with(&[]);
    config.resumption = Resumption::disabled();
    let config = Arc::new(config);
    thread::scope(|scope| {
        for number in 0..ATTACKERS {
            let config = &config;
            scope.spawn(move || {
                let source = Ipv4Addr::new(127, 0, 3, u8::try_from(number + 1).expect("few"));
                let mut dice = Dice::new(number);
                for turn in 0..handshakes / ATTACKERS {
                    let stream = connect_from(source, house.implicit).expect("connecting");
                    let client = Client::from_stream(stream).expect("a client");
                    let mut client = client.with_tls(config.clone());
                    let name = name(&mut dice, turn);
                    let made = client.start_tls_as(&name);
                    assert_eq!(made.is_ok(), name.ends_with("test"), "{name}: {made:?}");
                }
            });
        }
    });
}

#[test]
fn random_names_leave_nothing_behind() {
    let house = house_with_any_name();
    let gauge = Gauge::of(&house);
    let fresh = gauge.read();
    // With the customer, whose first visits take memory too.
    beside(&house, || attack(&house, size(200, 2_000)));
    let warm = gauge.settled(&fresh);
    let count = size(400, 10_000);
    let ((), found) = beside(&house, || attack(&house, count));
    let after = gauge.settled(&fresh);
    say(&format!(
        "{count} random names: fresh {fresh:?}, warm {warm:?}, after {after:?}, {found:?}"
    ));
    after.assert_memory("random names", &warm, KEPT);
}
