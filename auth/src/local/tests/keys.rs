//! Keys for SCRAM and fingerprints of certificates.

use super::*;

const KEYS: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
    WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

#[test]
fn the_first_keys_bring_a_secret_and_no_others_do() {
    let desk = desk(COMMENTED);
    let mut file = UsersFile::edit(&desk.path).unwrap();
    let mut user = file.find("bob").unwrap().clone();
    user.scram = Some(KEYS.parse().unwrap());
    file.update(&user).unwrap();
    file.save().unwrap();
    let text = std::fs::read_to_string(&desk.path).unwrap();
    assert!(text.contains(&format!("scram = \"{KEYS}\"")), "{text}");
    let secret = |text: &str| {
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("scram_secret = "))
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.len(), 1, "{text}");
        lines.concat()
    };
    let first = secret(&text);
    let mut new = User::new("eve");
    new.scram = user.scram.clone();
    file.add(&new).unwrap();
    file.remove("bob").unwrap();
    file.save().unwrap();
    let text = std::fs::read_to_string(&desk.path).unwrap();
    assert_eq!(secret(&text), first, "it stays");
    assert!(text.contains(COMMENTED.lines().next().unwrap()), "{text}");
    // Debug shows neither.
    let shown = format!("{:?}", UsersFile::load(&desk.path).unwrap().users());
    assert!(!shown.contains("WG5d8oPm"), "{shown}");
}

#[test]
fn odd_keys_and_certificates_are_named_and_keys_never_repeated() {
    let digits = "ab".repeat(32);
    for (line, part) in [
        (
            format!("scram = \"{}\"", KEYS.replace("4096", "1000")),
            "4096",
        ),
        ("scram = \"sesame\"".to_owned(), "postern user passwd"),
        ("certificates = [\"sha256:12\"]".to_owned(), "openssl x509"),
    ] {
        let says = complaint(&format!("[[user]]\nname = \"a\"\n{line}\n"));
        assert!(says.contains(":3:") && says.contains(part), "{says}");
        assert!(!says.contains("W22Z") && !says.contains("sesame"), "{says}");
    }
    let says = complaint("scram_secret = \"c2VzYW1l\"\n");
    assert!(says.contains(":1:16: scram_secret"), "{says}");
    assert!(!says.contains("c2VzYW1l"), "{says}");
    let user =
        |name| format!("[[user]]\nname = \"{name}\"\ncertificates = [\"sha256:{digits}\"]\n");
    let says = complaint(&(user("a") + &user("b")));
    assert!(
        says.contains("\"a\" has this certificate already"),
        "{says}"
    );
}
