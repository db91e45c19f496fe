//! `postern whois` on a directory: which entry, by what, and why nobody.

use crate::lab::realm::Part;
use crate::lab::world::Lab;
use crate::office::Office;
use crate::openldap::ldap;

/// Local users: one whose name is also an entry's, and one whose name an entry has as its address.
const LOCAL: &str = "
[[user]]
name = \"carol\"
[[user]]
name = \"bob.local\"
aliases = [\"bob\"]
";

const GROUPS: &str = "groups = [\"cn=pop-users,ou=groups,dc=example,dc=test\"]";

#[test]
fn an_entry_is_shown_with_what_a_login_would_meet() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, GROUPS));
    let source = format!("source LDAP directory {}", slapd.variable("LDAP_URI"));
    office.run(&["whois", "ALICE"]).has(
        0,
        &[
            "key alice",
            "account alice",
            "state active",
            "site london",
            "delegates bob",
            &source,
            "entry uid=alice,ou=people,dc=example,dc=test",
            "answers by uid",
            "aliases alice@example.test a.liddell@example.test",
            "password by a bind as the entry",
            "home london",
            "group cn=pop-users,ou=groups,dc=example,dc=test",
            "admitted by cn=pop-users,ou=groups,dc=example,dc=test",
        ],
    );
    for (typed, lines) in [
        (
            "a.liddell@example.test",
            ["account alice", "answers by posternAlias"],
        ),
        ("alice@example.test", ["account alice", "answers by mail"]),
        (
            "mary",
            ["account mary", "state not-in-group: the account is in none"],
        ),
        ("dave", ["account dave", "state locked-out: "]),
        (
            "paul",
            [
                "account paul",
                "site paris, which is not this server's london",
            ],
        ),
        ("noel", ["account noel", "state no-mailbox: "]),
        ("bob@example.test/alice", ["mailbox alice", "right yes"]),
    ] {
        office.run(&["whois", typed]).has(0, &lines);
    }
    office
        .run(&["whois", "paul@example.test/alice"])
        .has(1, &["right no"]);
    let found = office.run(&["whois", "alice", "--json"]).json();
    let name = &found["names"][0];
    assert_eq!(
        name["account"]["entry"],
        "uid=alice,ou=people,dc=example,dc=test"
    );
    assert_eq!(name["account"]["barred"], serde_json::Value::Null);
    assert_eq!(name["directory"]["entries"][0]["answers_by"][0], "uid");
    let found = office.run(&["whois", "dave", "--json"]).json();
    assert_eq!(found["names"][0]["account"]["barred"], "locked-out");
}

#[test]
fn a_name_that_reaches_nobody_says_why() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, "")).with_users(&lab, LOCAL);
    office.run(&["whois", "twins@example.test"]).has(
        1,
        &[
            "account nobody: 2 entries of the directory answer",
            "entry uid=tom,ou=people,dc=example,dc=test",
            "entry uid=tim,ou=people,dc=example,dc=test",
            "answers by posternAlias",
        ],
    );
    let searched = format!(
        "searched {} below dc=example,dc=test for (&(objectClass=inetOrgPerson)(|(uid=nobody)))",
        slapd.variable("LDAP_URI")
    );
    office
        .run(&["whois", "nobody"])
        .has(1, &["account nobody: no account", &searched]);
    // The local account has the name, and the entry is not asked.
    office.run(&["whois", "bob"]).has(
        0,
        &[
            "account bob.local",
            "source users file",
            "instead of uid=bob,ou=people,dc=example,dc=test of the directory",
        ],
    );
    // It has the name of the entry that is found by its address.
    office.run(&["whois", "carol@example.test"]).has(
        1,
        &[
            "account nobody: a local account has the name carol of the entry",
            "entry uid=carol,ou=people,dc=example,dc=test",
        ],
    );
    let found = office
        .run(&["whois", "carol@example.test", "--json"])
        .json();
    assert_eq!(found["names"][0]["obstacle"], "name-taken");
}

#[test]
fn a_directory_that_is_gone_is_said_and_local_users_are_shown() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let office = Office::new(&lab, &ldap(&slapd, "timeout = \"2s\""));
    slapd.stop();
    office.run(&["whois", "alice"]).has(
        3,
        &[
            "account unknown: it is no local one, and the directory is out of order",
            "directory cannot connect to ldap",
        ],
    );
    let found = office.run(&["whois", "alice", "--json"]);
    assert_eq!(found.code, Some(3), "{}", found.text);
    let found = found.json();
    assert_eq!(found["names"][0]["obstacle"], "trouble");
    let trouble = found["names"][0]["directory"]["trouble"].as_str();
    assert!(
        trouble.is_some_and(|words| words.contains("cannot connect")),
        "{found}"
    );
    office
        .run(&["whois", "lotte"])
        .has(0, &["account lotte", "directory cannot connect"]);
}
