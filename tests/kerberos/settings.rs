//! What an administrator switches off is off.

use nix::sys::signal::Signal;

use crate::lab::daemon::until;
use crate::lab::pop3::Client;
use crate::lab::world::ALICE;
use crate::scene::Scene;

/// EnableGSSAPIAndNTLMAuth of Set-PopSettings is `login.mechanisms` with both or without.
#[test]
fn mechanisms_that_are_not_in_the_list_are_neither_offered_nor_understood() {
    let scene = Scene::start();
    let offered = "SASL GSSAPI GSS-SPNEGO PLAIN LOGIN SCRAM-SHA-256 NTLM";
    assert_eq!(scene.offered(), offered);
    let file = &scene.postern.configuration;
    let text = std::fs::read_to_string(file).expect("the configuration");
    let without = text
        .replacen(r#""GSSAPI", "GSS-SPNEGO", "#, "", 1)
        .replacen(r#", "NTLM""#, "", 1);
    std::fs::write(file, without).expect("the configuration");
    scene.postern.daemon.signal(Signal::SIGHUP);
    until("the offer to follow the configuration", || {
        (scene.offered() == "SASL PLAIN LOGIN SCRAM-SHA-256").then_some(())
    });
    let token = scene.realm.client(&["pop@localhost"]).says();
    let mut client = Client::connect(scene.postern.doors.plain);
    for command in [
        "AUTH GSSAPI".to_owned(),
        format!("AUTH GSSAPI {token}"),
        "AUTH GSS-SPNEGO".to_owned(),
        "AUTH NTLM".to_owned(),
    ] {
        client.refused(&command);
    }
    let listed = client.lines("AUTH");
    assert_eq!(listed, ["PLAIN", "LOGIN", "SCRAM-SHA-256"]);
    client.login(ALICE);
}
