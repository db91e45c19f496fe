//! Tickets of an Active Directory domain, move by move.

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::lab::domain::Domain;
use crate::lab::pop3::Client;
use crate::lab::postern::Postern;
use crate::lab::tool::Tool;
use crate::lab::world::Lab;
use crate::scene::{Scene, give_keytab};

const REFUSAL: &str = "-ERR [AUTH] Logon failure: unknown user name or bad password.";

#[test]
fn both_mechanisms_take_a_ticket_of_a_domain_once() {
    let lab = Lab::new();
    let scene = Scene::of(Domain::start(&lab).realm());
    assert!(scene.gssapi(&[]).starts_with("+OK"));
    let mut client = Client::connect(scene.postern.doors.plain);
    let service = scene.realm.service();
    let mut initiator = scene.realm.client(&[&service, "--mechanism", "spnego"]);
    let reply = scene.login(&mut client, "GSS-SPNEGO", &mut initiator);
    assert!(reply.starts_with("+OK"), "{reply}");
    let record = scene.record("granted");
    assert!(
        record.contains("\"login\":\"alice@AD.EXAMPLE.TEST\""),
        "{record}"
    );
    let token = BASE64_STANDARD.encode(scene.realm.token(&[&service]));
    let tries = |postern: &Postern| {
        let mut client = Client::connect(postern.doors.plain);
        client.ask(&format!("AUTH GSSAPI {token}"))
    };
    assert!(tries(&scene.postern).starts_with("+ YI"));
    let (second, _lab) = scene.second();
    for postern in [&scene.postern, &second] {
        assert_eq!(tries(postern), REFUSAL);
        postern.told("login", &["\"reason\":\"replayed\""]);
    }
}

#[test]
fn a_ticket_under_rc4_is_refused_and_named() {
    let lab = Lab::new();
    let scene = Scene::of(Domain::start(&lab).realm());
    // One keytab with keys of both: without one for AES nothing would be offered.
    let both = scene.realm.path("both.keytab");
    for name in ["pop.keytab", "rc4.keytab"] {
        let read = scene.realm.path(name);
        let commands = format!("rkt {}\nwkt {}\n", read.display(), both.display());
        let input = scene.lab.write("ktutil", commands);
        Tool::new(&scene.lab, "ktutil").input(&input).run();
    }
    give_keytab(&scene.lab, &scene.realm, "both.keytab");
    assert_eq!(scene.gssapi(&["pop@rc4.ad.example.test"]), REFUSAL);
    let record = scene.record("weak-key");
    assert!(record.contains("for pop/rc4.ad.example.test"), "{record}");
    assert!(scene.gssapi(&[]).starts_with("+OK"));
}
