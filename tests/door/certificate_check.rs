//! What `postern check` says of authorities and revocation lists.

use super::certificates::GOOD;
use crate::wire::certificates::Authority;
use crate::wire::house::Ground;
use crate::wire::postern::{Setup, users};

/// What `postern check` says of these files, and whether it finds an error.
fn checked(authorities: &str, lists: &[String]) -> (String, bool) {
    let ground = Ground::prepare("two");
    let names: Vec<_> = (0..lists.len()).map(|at| format!("{at}.crl")).collect();
    let setup = Setup::new()
        .set("tls.client_authorities", "\"client-ca.pem\"")
        .set("tls.client_revocation", &format!("{names:?}"));
    std::fs::write(ground.path("client-ca.pem"), authorities).expect("writing");
    for (name, list) in names.iter().zip(lists) {
        std::fs::write(ground.path(name), list).expect("writing");
    }
    run(&ground, &setup)
}

/// The same of a whole configuration.
fn run(ground: &Ground, setup: &Setup) -> (String, bool) {
    std::fs::write(ground.path("postern.toml"), setup.toml(ground)).expect("writing");
    ground.secret("users.toml", &users());
    ground.give_away();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["check", "--config"])
        .arg(ground.path("postern.toml"))
        .output()
        .expect("postern");
    let said = String::from_utf8(output.stdout).expect("text");
    (said, !output.status.success())
}

#[test]
fn check_says_what_is_in_the_files() {
    let authority = Authority::new("Clients");
    let mallory = authority.issue("mallory");
    let list = |times| authority.revoke(&[&mallory], times);
    let (said, failed) = checked(&authority.pem(), &[list(GOOD)]);
    assert!(!failed, "{said}");
    assert!(
        said.contains("tls.client_authorities: CN=Clients, until "),
        "{said}"
    );
    let line = "tls.client_revocation: CN=Clients, 1 revoked, next update ";
    assert!(said.contains(line), "{said}");
    assert!(!said.contains("tls.client_revocation: the "), "{said}");
}

#[test]
fn check_finds_what_locks_clients_out() {
    let authority = Authority::new("Clients");
    let list = |times| authority.revoke(&[], times);
    let other = Authority::new("Others");
    let both = authority.pem() + &other.pem();
    let forged = Authority::new("Clients").revoke(&[], GOOD);
    let leaf = other.issue("leaf").pem();
    for (authorities, lists, problem, error) in [
        (
            authority.pem(),
            vec![list((-24, -1))],
            "is past its next update of",
            true,
        ),
        (
            authority.pem(),
            vec![list((-24, 7))],
            "the next update of the list of CN=Clients is due on",
            false,
        ),
        (
            both,
            vec![list(GOOD)],
            "there is no revocation list of CN=Others, so all",
            false,
        ),
        (
            authority.pem(),
            vec![forged],
            "whose key did not sign it",
            true,
        ),
        (
            leaf,
            vec![],
            "CN=leaf is not the certificate of an authority",
            false,
        ),
        (
            authority.pem(),
            vec!["no list".to_owned()],
            "0.crl: provided CRL could not be parsed",
            true,
        ),
        (
            String::new(),
            vec![],
            "client-ca.pem: it contains no certificate",
            true,
        ),
    ] {
        let (said, failed) = checked(&authorities, &lists);
        assert!(said.contains(problem), "missing: {problem}\nin:\n{said}");
        assert_eq!(failed, error, "{said}");
    }
}

#[test]
fn check_finds_external_where_nobody_shows_a_certificate() {
    let found = "login.mechanisms: EXTERNAL is offered to nobody";
    let with = |key: &str, mechanisms: &str, authorities: bool| {
        let ground = Ground::prepare("two");
        let mut setup = Setup::new().set(key, mechanisms);
        if authorities {
            let pem = Authority::new("Clients").pem();
            std::fs::write(ground.path("client-ca.pem"), pem).expect("writing");
            setup = setup.set("tls.client_authorities", "\"client-ca.pem\"");
        }
        run(&ground, &setup)
    };
    let (said, failed) = with("login.mechanisms", "[\"PLAIN\", \"EXTERNAL\"]", false);
    assert!(!failed && said.contains(found), "{said}");
    let remedy = "remedy: name the file of the authorities that issue certificates to clients in \
                  `tls.client_authorities`, or take EXTERNAL out";
    assert!(said.contains(remedy), "{said}");
    let only_one = "[{ address = \"127.0.0.1:0\", mechanisms = [\"PLAIN\", \"EXTERNAL\"] }]";
    let (said, failed) = with("listener", only_one, false);
    assert!(!failed && said.contains(found), "{said}");
    assert!(said.contains("also out of those of listeners"), "{said}");
    let (said, _) = with("listener", only_one, true);
    assert!(!said.contains(found), "{said}");
    let (said, _) = with("login.mechanisms", "[\"PLAIN\", \"EXTERNAL\"]", true);
    assert!(!said.contains(found), "{said}");
    let (said, _) = with("login.mechanisms", "[\"PLAIN\"]", false);
    assert!(!said.contains(found), "{said}");
}
