//! `postern auth test` on a directory: what it says of every kind of refusal, and that it touches nothing.

use std::process::Command;

use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::office::{Office, Said};
use crate::openldap::ldap;

const REFUSED: &str = "wire S: -ERR [AUTH] Logon failure: unknown user name or bad password.";
const GRANTED: &str = "wire S: +OK User successfully logged on.";

/// What was typed, the password, what the directory was asked and answered, and the reason.
const REFUSALS: [(&str, &str, &str, &str); 8] = [
    (
        "alice",
        "Wrong-1234",
        "the password of alice: wrong",
        "wrong-password",
    ),
    (
        "paul",
        PASSWORD,
        "the password of paul: right",
        "other-site",
    ),
    ("mary", PASSWORD, "the password of mary: right", "pop3-off"),
    (
        "noel",
        PASSWORD,
        "the password of noel: right",
        "no-mailbox",
    ),
    (
        "erin",
        PASSWORD,
        "the password of erin: the directory refuses",
        "must-change-password",
    ),
    (
        "carol",
        PASSWORD,
        "the password of carol: the directory refuses",
        "password-expired",
    ),
    (
        "nobody",
        PASSWORD,
        "the password of nobody, so that",
        "unknown-user",
    ),
    (
        "twins@example.test",
        PASSWORD,
        "the account of twins@example.test: nobody",
        "unknown-user",
    ),
];

fn attempt(office: &Office, arguments: &[&str], password: &str) -> Said {
    let all = [&["auth", "test", "--password-stdin"], arguments].concat();
    office.run_with(&all, password)
}

#[test]
fn every_outcome_is_explained_and_nothing_is_touched() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, ""));
    let before = tree(&lab);
    attempt(&office, &["alice"], PASSWORD).has(
        0,
        &[
            "entry uid=alice,ou=people,dc=example,dc=test",
            "mechanism USER and PASS without TLS from 127.0.0.1, as at the listener 127.0.0.1:0",
            "asked the account of alice: alice, of the entry uid=alice,",
            "asked the password of alice: right",
            "wire C: USER alice",
            "wire S: +OK",
            "wire C: PASS *****",
            GRANTED,
            "outcome granted",
            "record granted",
            "opens /",
        ],
    );
    for (typed, password, verdict, reason) in REFUSALS {
        let said = attempt(&office, &[typed], password);
        let (asked, record) = (format!("asked {verdict}"), format!("record {reason}"));
        said.has(
            1,
            &[&asked, &record, "meaning ", REFUSED, "outcome refused"],
        );
    }
    attempt(&office, &["bob@example.test/alice"], PASSWORD).has(0, &[GRANTED, "opens /"]);
    attempt(&office, &["paul@example.test/alice"], PASSWORD).has(1, &[REFUSED, "record no-right"]);
    attempt(&office, &["lotte"], "right")
        .has(0, &["asked the account of lotte: lotte, a local one"]);
    assert_eq!(tree(&lab), before, "a maildrop was opened or made");
}

/// Everything below the folder of the mail.
fn tree(lab: &Lab) -> String {
    let listed = Command::new("find").arg(lab.path().join("mail")).output();
    let listed = listed.expect("find").stdout;
    let mut lines: Vec<_> = String::from_utf8_lossy(&listed)
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert!(lines.len() > 3, "{lines:?}");
    lines.join("\n")
}

#[test]
fn mechanisms_are_those_of_the_listener() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, ""));
    for mechanism in ["plain", "login"] {
        let with = ["alice", "--mechanism", mechanism];
        attempt(&office, &with, PASSWORD).has(0, &["wire C: *****", GRANTED]);
        attempt(&office, &with, "Wrong-1234").has(1, &["record wrong-password", REFUSED]);
    }
    attempt(&office, &["alice", "--mechanism", "scram"], PASSWORD).has(
        1,
        &[
            "record mechanism-not-offered",
            "wire S: -ERR The authentication mechanism",
        ],
    );
    attempt(&office, &["alice", "--mechanism", "gssapi"], PASSWORD)
        .has(1, &["postern: GSSAPI needs a ticket"]);
    attempt(&office, &["alice", "--listener", "[::]:1"], PASSWORD)
        .has(1, &["postern: no [[listener]]"]);
    let tried = attempt(
        &office,
        &["paul", "--mechanism", "plain", "--json"],
        PASSWORD,
    )
    .json();
    assert_eq!(tried["granted"], false);
    assert_eq!(tried["reason"], "other-site");
    assert_eq!(tried["asked"][1]["answer"], "right");
    assert_eq!(tried["site"], "paris");
    let words = tried["name"]["names"][0]["account"]["entry"].as_str();
    assert_eq!(words, Some("uid=paul,ou=people,dc=example,dc=test"));
}

#[test]
fn a_directory_that_is_gone_is_no_wrong_password() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, "timeout = \"2s\""));
    slapd.stop();
    attempt(&office, &["alice"], PASSWORD).has(
        3,
        &[
            "directory cannot connect to ldap",
            "wire S: -ERR [SYS/TEMP]",
            "record directory-trouble",
        ],
    );
    attempt(&office, &["lotte"], "right").has(0, &[GRANTED]);
}
