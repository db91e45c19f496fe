//! RFC 4752 §3.2: the choice of a layer, and tokens that are not what they should be.

use super::*;

fn choosing(realm: &Realm, gssapi: &Arc<Gssapi>, more: &[&str]) -> Result<Proven, Failure> {
    let arguments = [&["pop@localhost"], more].concat();
    realm
        .client(&arguments)
        .talk(&mut begin(gssapi, Flavour::Gssapi))
}

#[test]
fn no_layer_is_the_one_choice() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    let authzid = |choice: &str| {
        choosing(&realm, &gssapi, &["--choice", choice]).map(|proven| proven.authzid)
    };
    assert_eq!(authzid("01000000"), Ok(String::new()));
    assert_eq!(authzid("01000000616c696365"), Ok("alice".to_owned()));
    for (choice, why) in [
        ("", "shorter than four"),
        ("010000", "shorter than four"),
        ("00000000", "not offered"),
        ("02001000", "not offered"),
        ("03000000", "not offered"),
        ("04001000", "not offered"),
        ("05000000", "not offered"),
        ("01000000616c69636500", "NUL"),
        ("01000000c080", "UTF-8"),
    ] {
        let (reason, detail) = refused(authzid(choice));
        assert_eq!(reason, Reason::Malformed, "{choice}");
        assert!(detail.contains(why), "{choice}: {detail}");
    }
}

#[test]
fn tokens_may_be_rotated_and_encrypted() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for more in [
        &["--rotate", "12"][..],
        &["--rotate", "28"],
        &["--rotate", "3"],
        &["--encrypt"],
        &["--encrypt", "--rotate", "28"],
    ] {
        assert!(choosing(&realm, &gssapi, more).is_ok(), "{more:?}");
    }
}

#[test]
fn a_changed_token_is_refused() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    // Its identifier, the flag of its direction, its sequence number, its contents, its checksum.
    for octet in ["0", "2", "15", "16", "25"] {
        let outcome = choosing(&realm, &gssapi, &["--flip", octet]);
        assert_eq!(refused(outcome).0, Reason::Malformed, "octet {octet}");
    }
}

#[test]
fn what_is_not_a_token_of_the_mechanism_is_refused() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    let (krb5, spnego) = (
        realm.token(&["pop@localhost"]),
        realm.token(&["pop@localhost", "--mechanism", "spnego"]),
    );
    let ntlm = b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\0".to_vec();
    let cut = krb5[..200].to_vec();
    for (flavour, token) in [
        (Flavour::Gssapi, spnego),
        (Flavour::Spnego, krb5),
        (Flavour::Gssapi, ntlm.clone()),
        (Flavour::Spnego, ntlm),
        (Flavour::Gssapi, cut),
        (Flavour::Gssapi, Vec::new()),
        (Flavour::Spnego, Vec::new()),
        (Flavour::Gssapi, b"garbage".to_vec()),
        (Flavour::Gssapi, vec![0x60; 70_000]),
    ] {
        let outcome = begin(&gssapi, flavour).step(&token);
        let (reason, _) = refused(outcome);
        let unread = matches!(
            reason,
            Reason::Malformed | Reason::WrongService | Reason::BadTicket
        );
        assert!(unread, "{flavour:?} {} octets: {reason:?}", token.len());
    }
}

#[test]
fn the_answer_to_the_servers_own_token_is_empty() {
    let realm = Realm::start();
    let gssapi = realm.gssapi();
    for (flavour, mechanism) in FLAVOURS {
        let mut talk = begin(&gssapi, flavour);
        let token = realm.token(&["pop@localhost", "--mechanism", mechanism]);
        assert!(matches!(talk.step(&token), Ok(Said::Challenge(_))));
        assert_eq!(refused(talk.step(b"x")).0, Reason::Malformed);
        assert_eq!(refused(talk.step(b"")).0, Reason::Malformed, "it is over");
    }
}
