//! Hashes made by libxcrypt's crypt(3), by us, and hashes that must not be loaded.

use proptest::prelude::*;

use super::*;

/// Made by `crypt.crypt(password, salt)` of Python over libxcrypt 4.4; password `correct horse`.
const CRYPT: [&str; 9] = [
    "$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
    "$6$rounds=10000$saltstringsaltst$uWkfitxWIj/pKw1nBSBgiQR8Pwbr7IMycYT33N8JITrE33DUmC8bV6rVVtFeP/iZRI3xx58jHgvVgQRG8FBmF/",
    "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC",
    "$5$rounds=1000$x$iQZpM1omHUPunsHyFj3BDlScQB2YZdUeOB22XlNl6w3",
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$zwtVrjrUCmXcyLTs6oxLTQlzifSUkF8RHJ./tK5KU79",
    "$y$j75$F5Jx5fExrKuPp53xLKQ..1$aEFV0VcEI5Jx.rzUhLbfRgipTKSbuNF0ldHPkDpnco3",
    "$2b$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
    "$2y$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
    "$2a$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC",
];

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

fn hash(text: &str) -> Result<PasswordHash, HashError> {
    text.parse()
}

#[test]
fn hashes_of_crypt_open_with_their_password_only() {
    for text in CRYPT {
        let hash = hash(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert!(hash.verify(&secret("correct horse")), "{text}");
        for wrong in [
            "correct horsf",
            "correct hors",
            "",
            "correct horse\0",
            "Correct horse",
        ] {
            assert!(!hash.verify(&secret(wrong)), "{text} opened with {wrong:?}");
        }
    }
}

#[test]
fn octets_beyond_ascii_are_taken_as_typed() {
    let text = "$6$saltstring$BZNXVNEeZ7x0s3z1BkdgXzBo7hoNCv1F6doJQJwt7UVZHKe344jOeXz6NblpYc2627UnaAcbq7WprH91juetH1";
    assert!(hash(text).unwrap().verify(&secret("pässwörd €")));
}

#[test]
fn a_nul_is_never_part_of_a_password() {
    // crypt(3) would have stopped at it; a library that takes it literally must not differ.
    let literal = bcrypt::hash("a\0b", 4).unwrap();
    assert!(!hash(&literal).unwrap().verify(&secret("a\0b")));
}

#[test]
fn a_new_hash_is_argon2id_with_owasp_parameters() {
    let made = hash_password(&secret("correct horse")).unwrap();
    assert!(
        made.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        made.as_str()
    );
    assert!(made.verify(&secret("correct horse")));
    assert!(!made.verify(&secret("correct horse ")));
    let again = hash_password(&secret("correct horse")).unwrap();
    assert_ne!(made.as_str(), again.as_str(), "the salt must differ");
    assert_eq!(made.cost(), again.cost());
}

#[test]
fn passwords_nobody_may_have_are_refused() {
    assert_eq!(hash_password(&secret("")), Err(HashError::Empty));
    assert_eq!(hash_password(&secret("a\0b")), Err(HashError::Unusable));
    assert_eq!(
        hash_password(&secret(&"a".repeat(1025))),
        Err(HashError::Unusable)
    );
    assert!(hash_password(&secret(&"a".repeat(1024))).is_ok());
}

#[test]
fn costly_hashes_are_refused_when_loaded() {
    let tail = "c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng";
    for costly in [
        format!("$argon2id$v=19$m=262145,t=1,p=1${tail}"),
        format!("$argon2id$v=19$m=19456,t=999,p=1${tail}"),
        CRYPT[1].replace("10000", "999999999"),
        CRYPT[6].replace("$06$", "$17$"),
        CRYPT[4].replace("$j9T$", "$jFT$"),
        CRYPT[4].replace("$j9T$", "$j9T/.$"),
    ] {
        assert_eq!(hash(&costly), Err(HashError::TooCostly), "{costly}");
    }
}

#[test]
fn damaged_and_unknown_hashes_are_told_apart() {
    for damaged in [
        "$6$salt",
        "$6$salt$short",
        "$6$rounds=5$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/",
        "$2b$06$abc",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
        "$argon2id$v=7$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng",
    ] {
        assert_eq!(hash(damaged), Err(HashError::Damaged), "{damaged}");
    }
    for unknown in [
        "",
        "secret",
        "$1$salt$hash",
        "{PLAIN}x",
        "*",
        "$",
        "$argon2d$v=19$m=8,t=1,p=1$YQ$YQ",
    ] {
        assert_eq!(hash(unknown), Err(HashError::Unknown), "{unknown}");
    }
}

#[test]
fn the_stand_in_does_the_work_of_a_new_hash() {
    let stand_in = hash(PasswordHash::stand_in().as_str()).unwrap();
    assert_eq!(stand_in.cost(), hash_password(&secret("x")).unwrap().cost());
    assert!(!stand_in.verify(&secret("x")));
}

#[test]
fn nothing_of_a_hash_is_printed() {
    assert_eq!(
        format!("{:?}", hash(CRYPT[0]).unwrap()),
        "PasswordHash(Sha512, redacted)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever was found fit does not panic when it is used; parameters stay those of the seed.
    #[test]
    fn a_loaded_hash_can_be_used(seed in 2_usize..4, at in 3_usize..59, octet in 0x20_u8..0x7f) {
        let mut text = CRYPT[seed].as_bytes().to_vec();
        let at = at.min(text.len() - 1);
        text[at] = octet;
        if let Ok(hash) = hash(std::str::from_utf8(&text).unwrap()) {
            let _ = hash.verify(&secret("correct horse"));
        }
    }
}
