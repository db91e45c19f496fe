//! What goes wrong between a keytab, a KDC and a client, and the words for it.

use super::*;

fn asks(realm: &Realm, gssapi: &Arc<Gssapi>, service: &str) -> Vec<(Reason, String)> {
    let ask = |(flavour, mechanism): (Flavour, &str)| {
        let mut client = realm.client(&[service, "--mechanism", mechanism]);
        refused(client.talk(&mut begin(gssapi, flavour)))
    };
    FLAVOURS.map(ask).to_vec()
}

#[test]
fn a_ticket_for_another_service_is_refused() {
    let realm = Realm::start();
    for (reason, detail) in asks(&realm, &realm.gssapi(), "imap@localhost") {
        assert_eq!(reason, Reason::WrongService);
        assert!(
            detail.contains("for imap/localhost@EXAMPLE.TEST kvno 1 aes256"),
            "{detail}"
        );
        assert!(
            detail.contains("holds pop/localhost@EXAMPLE.TEST kvno 1 aes256"),
            "{detail}"
        );
    }
}

#[test]
fn a_ticket_is_taken_once_here_and_by_whoever_shares_the_cache() {
    let realm = Realm::start();
    let (here, there) = (realm.gssapi(), realm.gssapi());
    for (flavour, mechanism) in FLAVOURS {
        let token = realm.token(&["pop@localhost", "--mechanism", mechanism]);
        assert!(begin(&here, flavour).step(&token).is_ok());
        for gssapi in [&here, &there] {
            let (reason, detail) = refused(begin(gssapi, flavour).step(&token));
            assert_eq!(reason, Reason::Replayed);
            assert!(detail.contains("seen before"), "{detail}");
        }
    }
}

#[test]
fn an_old_keytab_is_named_and_a_new_one_is_taken_at_once() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    let (keytab, newer) = (realm.path("pop.keytab"), realm.path("newer.keytab"));
    let early = realm.token(&["pop@localhost"]);
    realm.does(&["rotate"], &["pop/localhost", newer.to_str().unwrap()]);
    realm.kinit(&[], "alice");
    for (reason, detail) in asks(&realm, &gssapi, "pop@localhost") {
        assert_eq!(reason, Reason::KeyVersion);
        assert!(
            detail.contains("kvno 2 aes256-cts-hmac-sha1-96; the keytab holds pop/localhost"),
            "{detail}"
        );
        assert!(
            detail.contains("kvno 1") && detail.contains("keytab is out of date"),
            "{detail}"
        );
    }
    std::fs::rename(newer, keytab).unwrap();
    let mut client = realm.client(&["pop@localhost"]);
    assert!(
        client.talk(&mut begin(&gssapi, Flavour::Gssapi)).is_ok(),
        "not even looked at yet"
    );
    gssapi.refresh();
    let (reason, detail) = refused(begin(&gssapi, Flavour::Gssapi).step(&early));
    assert_eq!(reason, Reason::KeyVersion);
    assert!(detail.contains("the ticket is out of date"), "{detail}");
}

#[test]
fn a_key_that_is_another_under_the_same_number_is_named() {
    let (realm, other) = (Realm::start(), Realm::start());
    let settings = GssapiSettings {
        keytab: other.path("pop.keytab"),
        ..realm.settings()
    };
    for (reason, detail) in asks(&realm, &gssapi(settings), "pop@localhost") {
        assert_eq!(reason, Reason::BadTicket);
        assert!(
            detail.contains("found in keytab but cannot decrypt ticket"),
            "{detail}"
        );
    }
}

#[test]
fn a_clock_that_is_wrong_is_named() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    // The KDC would not give it a ticket: it has one already.
    realm.token(&["pop@localhost"]);
    for (flavour, mechanism) in FLAVOURS {
        let arguments = ["pop@localhost", "--mechanism", mechanism];
        let mut client = realm.client_under(&["faketime", "-f", "+10m"], &arguments);
        let (reason, detail) = refused(client.talk(&mut begin(&gssapi, flavour)));
        assert_eq!(reason, Reason::ClockSkew);
        assert!(detail.contains("synchronise"), "{detail}");
    }
}

#[test]
fn logins_go_on_without_the_kdc() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    let mut first = realm.client(&["pop@localhost"]);
    assert!(first.talk(&mut begin(&gssapi, Flavour::Gssapi)).is_ok());
    realm.does(&["stop"], &[]);
    let mut second = realm.client(&["pop@localhost"]);
    assert!(second.talk(&mut begin(&gssapi, Flavour::Gssapi)).is_ok());
}

#[test]
fn a_replay_cache_that_cannot_be_written_is_the_servers_trouble() {
    let realm = Realm::start();
    let mut settings = realm.settings();
    settings.replay_cache = Some(realm.path("nowhere/replay-cache"));
    for (reason, detail) in asks(&realm, &gssapi(settings), "pop@localhost") {
        assert_eq!(reason, Reason::KerberosTrouble);
        assert!(detail.contains("No such file"), "{detail}");
    }
}

#[test]
fn without_a_usable_key_nothing_is_offered() {
    let realm = Realm::start();
    for (name, why) in [
        ("none.keytab", "there is no keytab"),
        (
            "imap.keytab",
            "no key of pop/*; it holds imap/localhost@EXAMPLE.TEST",
        ),
        ("krb5.conf", "is not a keytab"),
        ("db", "is not a keytab"),
        ("rc4.keytab", "RC4 or DES alone"),
    ] {
        let settings = GssapiSettings {
            keytab: realm.path(name),
            ..realm.settings()
        };
        let said = settings.usable().unwrap_err().to_string();
        assert!(said.contains(why), "{name}: {said}");
        assert!(!gssapi(settings).is_ready(), "{name}");
    }
    assert!(realm.gssapi().is_ready());
}

#[test]
fn a_keytab_that_comes_and_goes_is_followed() {
    let realm = Realm::start();
    let keytab = realm.path("live.keytab");
    let settings = GssapiSettings {
        keytab: keytab.clone(),
        ..realm.settings()
    };
    let gssapi = gssapi(settings);
    assert!(!gssapi.is_ready());
    std::fs::copy(realm.path("pop.keytab"), &keytab).unwrap();
    gssapi.refresh();
    assert!(gssapi.is_ready());
    let mut client = realm.client(&["pop@localhost"]);
    assert!(client.talk(&mut begin(&gssapi, Flavour::Gssapi)).is_ok());
    std::fs::remove_file(&keytab).unwrap();
    gssapi.refresh();
    assert!(!gssapi.is_ready());
}
