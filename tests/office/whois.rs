//! `postern whois`: every form of a name, and whom it reaches.

use crate::Office;

const USERS: &str = "\
[[user]]
name = 'Ann@corp.test'
aliases = ['CORP\\ann', 'ann']
password = '$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/'
nt_hash = 'a4f49c406510bdcab6824ee7c30fd852'
[[user]]
name = 'sales@corp.test'
delegates = ['ann']
disabled = true
site = 'Oslo'
[[user]]
name = 'jörg'
pop3 = false
";

fn office() -> Office {
    let office = Office::new("");
    office.write("users.toml", USERS);
    office
}

fn lines(said: &str) -> Vec<String> {
    let one = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    said.lines().map(one).collect()
}

#[test]
fn every_form_reaches_the_account() {
    let office = office();
    for (typed, key) in [
        ("ann", "ann"),
        ("ANN@CORP.TEST", "ann@corp.test"),
        ("corp.test/ann", "ann@corp.test"),
        ("Corp\\Ann", "ann@corp"),
        ("ａｎｎ", "ann"),
    ] {
        let said = office.done(&["whois", typed]);
        let lines = lines(&said);
        for line in [
            format!("login {typed}"),
            "user ann".to_owned(),
            format!("key {key}"),
            "account ann@corp.test".to_owned(),
            "state active".to_owned(),
            "site this server's own".to_owned(),
            "aliases CORP\\ann ann".to_owned(),
            "password SHA-512 crypt".to_owned(),
            "scram no".to_owned(),
            "nt hash clear".to_owned(),
            "certificates 0".to_owned(),
        ] {
            assert!(lines.contains(&line), "{line}: {said}");
        }
        assert!(
            said.contains("mail/ann@corp.test") && said.contains("users.toml"),
            "{said}"
        );
        assert!(
            !said.contains("saltstring") && !said.contains("a4f49c"),
            "{said}"
        );
    }
}

#[test]
fn a_name_that_reaches_nobody_is_an_error() {
    let office = office();
    for (typed, part) in [
        ("ben", "account nobody: no account has this key"),
        ("OTHER\\ann", "key ann@other"),
        ("jo\u{131}rg", "account nobody"),
        (
            "an\u{200b}n",
            "key none: the name has an invisible character in it",
        ),
        ("", "key none: the name is empty"),
    ] {
        let said = office.fails(&["whois", typed]);
        let found = lines(&said).iter().any(|line| line.starts_with(part));
        assert!(found, "{part}: {said}");
    }
    let said = office.done(&["whois", "jo\u{308}rg"]);
    assert!(
        lines(&said).contains(&"state POP3 off".to_owned()),
        "{said}"
    );
}

#[test]
fn a_delegate_is_shown_with_its_mailbox_and_its_right() {
    let office = office();
    for typed in ["corp/ann/sales@corp.test", "ann@corp.test/sales@corp.test"] {
        let said = office.done(&["whois", typed]);
        let lines = lines(&said);
        for line in [
            "account ann@corp.test",
            "account sales@corp.test",
            "state disabled",
            "site Oslo",
        ] {
            assert!(lines.contains(&line.to_owned()), "{line}: {said}");
        }
        assert!(said.contains("right        yes"), "{said}");
    }
    let said = office.fails(&["whois", "ann@corp.test/jörg"]);
    assert!(said.contains("right        no"), "{said}");
    let said = office.fails(&["whois", "ann@corp.test/nobody"]);
    assert!(said.contains("right        no"), "{said}");
    let said = office.fails(&["whois", "corp\\ann\\sales"]);
    assert!(said.contains("nobody"), "{said}");
}

#[test]
fn programs_read_the_same() {
    let office = office();
    let said = office.done(&["whois", "ann@corp.test/sales@corp.test", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(found["right"], true);
    let ann = &found["names"][0];
    assert_eq!(
        (&ann["role"], &ann["realm"]),
        (&"delegate".into(), &"corp.test".into())
    );
    assert_eq!(ann["account"]["nt_hash"], "clear");
    assert_eq!(ann["account"]["scram"], false);
    assert_eq!(found["names"][1]["account"]["state"], "disabled");
    let said = office.fails(&["whois", "a\u{7}", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(found["names"][0]["account"], serde_json::Value::Null);
    assert_eq!(
        found["names"][0]["problem"],
        "the name has a control character in it"
    );
    assert_eq!(found["right"], serde_json::Value::Null);
}

#[test]
fn a_hash_that_stays_shut_is_said() {
    let office = Office::new("key_file = \"users.key\"");
    office.done(&["user", "key", "new", "users.key"]);
    office.done(&["user", "add", "ann", "--password-stdin", "--ntlm"]);
    let said = office.done(&["whois", "ann"]);
    assert!(
        lines(&said).contains(&"nt hash sealed".to_owned()),
        "{said}"
    );
    std::fs::remove_file(office.path("users.key")).expect("removed");
    let said = office.done(&["whois", "ann"]);
    assert!(
        said.contains("sealed, and the key is missing or wrong"),
        "{said}"
    );
}
