//! The vector of RFC 7677, the stored form, and keys that are made up.

use super::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

/// RFC 7677 §3: user `user`, password `pencil`.
const SALT_TEXT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
const AUTH_MESSAGE: &str = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
    r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
    c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

fn pencil() -> ScramKeys {
    let salt = STANDARD.decode(SALT_TEXT).unwrap();
    ScramKeys::derive(&secret("pencil"), salt, 4096).unwrap()
}

#[test]
fn the_vector_of_rfc_7677_holds() {
    let keys = pencil();
    let signature = hmac(keys.server_key(), &[AUTH_MESSAGE.as_bytes()]).unwrap();
    assert_eq!(
        STANDARD.encode(signature.expose()),
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    );
    let proof = STANDARD
        .decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        .unwrap();
    let signature = hmac(keys.stored_key(), &[AUTH_MESSAGE.as_bytes()]).unwrap();
    let client_key: Vec<u8> = proof
        .iter()
        .zip(signature.expose())
        .map(|(left, right)| left ^ right)
        .collect();
    assert_eq!(Sha256::digest(client_key).as_slice(), keys.stored_key());
}

#[test]
fn the_text_is_read_back_and_shows_nothing() {
    let keys = pencil();
    let text = keys.to_text();
    assert!(text.starts_with("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"));
    assert_eq!(text.parse::<ScramKeys>().unwrap(), keys);
    assert!(keys.verify(&secret("pencil")));
    assert!(!keys.verify(&secret("Pencil")));
    assert!(!keys.verify(&secret("")));
    let shown = format!("{keys:?}");
    assert!(
        !shown.contains("W22Z") && shown.contains("redacted"),
        "{shown}"
    );
}

#[test]
fn texts_that_cannot_be_keys_are_refused() {
    let text = pencil().to_text();
    let with = |from: &str, to: &str| text.replace(from, to).parse::<ScramKeys>().unwrap_err();
    assert_eq!(with("SHA-256", "SHA-1"), ScramError::Form);
    assert_eq!(with("4096", "4095"), ScramError::Iterations);
    assert_eq!(with("4096", "2000001"), ScramError::Iterations);
    assert_eq!(with("4096", "99999999999"), ScramError::Iterations);
    assert_eq!(with("4096", "+4096"), ScramError::Form);
    assert_eq!(with("W22ZaJ0SNY7soEsUEjb6gQ==", "AAAA"), ScramError::Salt);
    assert_eq!(with("W22ZaJ0SNY7soEsUEjb6gQ==", "!"), ScramError::Form);
    assert_eq!(with("=", ""), ScramError::Form);
    for odd in [
        "",
        "$",
        "SCRAM-SHA-256$4096:$:",
        "$argon2id$v=19$m=8,t=1,p=1$x$y",
    ] {
        assert!(odd.parse::<ScramKeys>().is_err(), "{odd}");
    }
    assert!(format!("{text}$x").parse::<ScramKeys>().is_err());
    assert!("x".repeat(600).parse::<ScramKeys>().is_err());
}

#[test]
fn new_keys_have_a_salt_of_their_own() {
    let (one, other) = (
        ScramKeys::new(&secret("pencil")).unwrap(),
        ScramKeys::new(&secret("pencil")).unwrap(),
    );
    assert_ne!(one.salt(), other.salt());
    assert_eq!(one.form(), Form::default());
    assert!(one.verify(&secret("pencil")));
    assert_eq!(one.to_text().parse::<ScramKeys>().unwrap(), one);
    assert_eq!(ScramKeys::new(&secret("")), Err(HashError::Empty));
    assert_eq!(ScramKeys::new(&secret("a\0")), Err(HashError::Unusable));
}

#[test]
fn a_password_is_prepared_where_it_can_be() {
    let derive = |text: &str| ScramKeys::derive(&secret(text), vec![7; 16], 4096).unwrap();
    // RFC 4013 §3: a soft hyphen is mapped to nothing, a ligature to its letters.
    assert_eq!(derive("I\u{ad}X"), derive("IX"));
    assert_eq!(derive("\u{2168}"), derive("IX"));
    // What SASLprep refuses is taken as typed.
    assert_ne!(derive("\u{1f600}"), derive(""));
}

#[test]
fn made_up_keys_are_stable_and_differ_by_name_and_secret() {
    let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
    let form = Form {
        iterations: 5000,
        salt: 24,
    };
    let made = |secret: &Secret, name: &str| ScramKeys::made_up(secret, name, form).unwrap();
    assert_eq!(made(&one, "nobody"), made(&one, "nobody"));
    assert_eq!(made(&one, "nobody").salt().len(), 24);
    assert_eq!(made(&one, "nobody").form(), form);
    assert_ne!(made(&one, "nobody").salt(), made(&one, "nobodx").salt());
    assert_ne!(made(&one, "nobody").salt(), made(&other, "nobody").salt());
    assert_eq!(parse_secret(&secret_text(&one)).unwrap(), one);
    assert!(parse_secret("AAAA").is_none());
}
