//! What goes wrong with keys and clocks: what clients see, what the log and `postern check` say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::lab::daemon::until;
use crate::lab::kerberos::Realm;
use crate::lab::pop3::Client;
use crate::lab::postern::Postern;
use crate::lab::tool::Tool;
use crate::scene::{RULES, Scene, give_keytab, install, keytab, lab, section};

pub(crate) const REFUSAL: &str = "-ERR [AUTH] Logon failure: unknown user name or bad password.";

/// What `postern check` says.
fn check(scene: &Scene) -> String {
    let checking = Tool::new(&scene.lab, env!("CARGO_BIN_EXE_postern")).args(["check", "--config"]);
    let output = checking.arg(&scene.postern.configuration).output();
    String::from_utf8(output.stdout).expect("text")
}

pub(crate) fn until_offered(scene: &Scene, wanted: bool) {
    until("the offer to follow the keytab", || {
        (scene.offered().contains("GSSAPI") == wanted).then_some(())
    });
}

/// Not offered, and both the log and the check say why.
pub(crate) fn is_not_offered(scene: &Scene, why: &str) {
    until_offered(scene, false);
    let mut client = Client::connect(scene.postern.doors.plain);
    client.refused("AUTH GSSAPI");
    until("the log to say why", || {
        // The keytab is looked at when somebody asks.
        scene.offered();
        let log = scene.postern.daemon.log();
        let said = log.lines().rfind(|line| line.contains("no Kerberos key"))?;
        said.contains(why).then_some(())
    });
    let checked = check(scene);
    assert!(
        checked.contains("gssapi.keytab") && checked.contains(why),
        "{checked}"
    );
}

#[test]
fn a_keytab_that_cannot_be_used_takes_gssapi_out_of_the_offer_until_it_can() {
    let scene = Scene::start();
    let checked = check(&scene);
    assert!(!checked.contains("gssapi."), "nothing is wrong: {checked}");
    assert!(
        checked.contains("pop/localhost@EXAMPLE.TEST kvno 1 aes256"),
        "{checked}"
    );
    fs::remove_file(keytab(&scene.lab)).expect("remove");
    is_not_offered(&scene, "there is no keytab");
    give_keytab(&scene.lab, &scene.realm, "imap.keytab");
    is_not_offered(
        &scene,
        "no key of pop/* or pop3/*; it holds imap/localhost@EXAMPLE.TEST",
    );
    give_keytab(&scene.lab, &scene.realm, "rc4.keytab");
    is_not_offered(&scene, "RC4 or DES alone");
    install(&scene.lab, &scene.lab.pki.certificate);
    is_not_offered(&scene, "is not a keytab");
    give_keytab(&scene.lab, &scene.realm, "pop.keytab");
    until_offered(&scene, true);
    assert!(scene.gssapi(&[]).starts_with("+OK"));
}

#[test]
fn a_keytab_that_the_service_user_cannot_read_is_named() {
    crate::lab::world::require_root("the other user");
    let scene = Scene::start();
    fs::set_permissions(keytab(&scene.lab), fs::Permissions::from_mode(0o600)).expect("chmod");
    std::os::unix::fs::chown(keytab(&scene.lab), Some(0), Some(0)).expect("chown");
    is_not_offered(&scene, "Permission denied");
}

#[test]
fn a_rotated_key_is_named_and_the_new_keytab_is_taken_without_a_reload() {
    let scene = Scene::start();
    let newer = scene.realm.path("newer.keytab");
    let name = newer.to_str().expect("a plain path").to_owned();
    scene.realm.does(&["rotate"], &["pop/localhost", &name]);
    scene.realm.kinit(&[], "alice");
    assert_eq!(scene.gssapi(&[]), REFUSAL);
    let record = scene.record("key-version");
    for words in [
        "for pop/localhost@EXAMPLE.TEST kvno 2 aes256-cts-hmac-sha1-96",
        "the keytab holds pop/localhost@EXAMPLE.TEST kvno 1",
        "export the new key",
    ] {
        assert!(record.contains(words), "{record}");
    }
    install(&scene.lab, &newer);
    assert!(scene.gssapi(&[]).starts_with("+OK"));
}

#[test]
fn a_ticket_for_another_service_is_refused_and_named() {
    let scene = Scene::start();
    assert_eq!(scene.gssapi(&["imap@localhost"]), REFUSAL);
    let record = scene.record("wrong-service");
    assert!(
        record.contains("for imap/localhost@EXAMPLE.TEST kvno 1"),
        "{record}"
    );
    assert!(
        record.contains("holds pop/localhost@EXAMPLE.TEST kvno 1"),
        "{record}"
    );
}

#[test]
fn a_wrong_clock_is_named() {
    let scene = Scene::start();
    // The KDC would not give the client a ticket: it has one before its clock goes wrong.
    scene.realm.token(&["pop@localhost"]);
    let mut late = scene
        .realm
        .client_under(&["faketime", "-f", "+10m"], &["pop@localhost"]);
    let mut client = Client::connect(scene.postern.doors.plain);
    assert_eq!(scene.login(&mut client, "GSSAPI", &mut late), REFUSAL);
    assert!(scene.record("clock-skew").contains("synchronise both"));
}

#[test]
fn an_expired_ticket_is_named() {
    let (lab, realm) = (lab(), Realm::start());
    give_keytab(&lab, &realm, "pop.keytab");
    realm.kinit(&["-l", "20s"], "alice");
    let token = BASE64_STANDARD.encode(realm.token(&["pop@localhost"]));
    // Past the end of the ticket, and the five minutes that clocks may differ.
    let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
    let later = [("LD_PRELOAD", library), ("FAKETIME", "+6m")];
    let top = format!("\n{}", section(&lab, RULES));
    let postern = Postern::start_in(&lab, &top, &later);
    let mut client = Client::connect(postern.doors.plain);
    assert_eq!(client.ask(&format!("AUTH GSSAPI {token}")), REFUSAL);
    let record = postern.told("login", &["\"reason\":\"ticket-expired\""]);
    assert!(record.contains("must get a new one"), "{record}");
}

#[test]
fn logins_go_on_while_the_kdc_is_down() {
    let scene = Scene::start();
    scene.realm.token(&["pop@localhost"]);
    scene.realm.does(&["stop"], &[]);
    assert!(scene.gssapi(&[]).starts_with("+OK"));
}

#[test]
fn a_replay_cache_that_cannot_be_written_is_the_servers_trouble() {
    let scene = Scene::start();
    fs::remove_dir_all(scene.lab.path().join("replays")).expect("remove");
    assert!(scene.gssapi(&[]).starts_with("-ERR [SYS/TEMP]"));
    let record = scene.record("kerberos-trouble");
    assert!(record.contains("replay cache cannot be used"), "{record}");
    let checked = check(&scene);
    assert!(checked.contains("gssapi.replay_cache"), "{checked}");
}

#[test]
fn tokens_of_sixty_four_kibibytes_are_read_to_their_end() {
    let scene = Scene::start();
    let mut token = scene.realm.token(&["pop@localhost"]);
    token.resize(65_536, 0);
    for initial in [false, true] {
        let mut client = Client::connect(scene.postern.doors.plain);
        let line = BASE64_STANDARD.encode(&token);
        let reply = if initial {
            client.ask(&format!("AUTH GSSAPI {line}"))
        } else {
            assert_eq!(client.ask("AUTH GSSAPI"), "+ ");
            client.ask(&line)
        };
        assert_eq!(reply, REFUSAL);
        client.ok("CAPA");
    }
}
