//! The group rule where an account says itself in which groups it is, as in FreeIPA; here slapd's overlay
//! `memberof` keeps that attribute.

use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::live::{BARRED, PEOPLE, session, told};
use crate::openldap::{logins, modify};
use crate::served::Served;

/// The rule of the preset `freeipa`, whose people are no `posixAccount` here.
fn described(slapd: &Part) -> String {
    format!(
        r#"preset = "freeipa"
servers = ["{uri}"]
authorities = "{ca}"
bind_name = "cn=postern,ou=services,dc=example,dc=test"
base = "{PEOPLE}"
filter = "(objectClass=inetOrgPerson)"
groups = ["cn=pop-users,ou=groups,dc=example,dc=test"]
"#,
        uri = slapd.variable("LDAPS_URI"),
        ca = slapd.variable("LDAP_CA"),
    )
}

/// Puts somebody into the group or takes them out; the entry itself is not touched.
fn change(lab: &Lab, slapd: &Part, change: &str, name: &str) {
    let ldif = format!(
        "dn: cn=pop-users,ou=groups,dc=example,dc=test\nchangetype: modify\n{change}: member\n\
         member: uid={name},{PEOPLE}\n"
    );
    modify(lab, slapd, &ldif);
}

/// The answers to a login by every mechanism with a password; the record has the reason.
fn tried(served: &Served, name: &str, password: &str, reason: &str) -> Vec<String> {
    let answers = logins(served, name, password);
    let (account, _) = served.record(name, reason);
    assert_eq!(account, name);
    let granted = answers.iter().all(|answer| answer.starts_with("+OK"));
    assert_eq!(granted, reason == "granted", "{name}: {answers:?}");
    answers
}

#[test]
fn members_are_let_in_and_others_refused_as_for_a_wrong_password() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let served = Served::start(&lab, "london", &described(&slapd), &[]);
    for member in ["alice", "bob"] {
        tried(&served, member, PASSWORD, "granted");
    }
    let mut refusals = tried(&served, "alice", "wrong", "wrong-password");
    for other in ["paul", "mary"] {
        refusals.extend(tried(&served, other, PASSWORD, "not-in-group"));
        refusals.extend(tried(&served, other, "wrong", "wrong-password"));
    }
    refusals.sort();
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "one refusal for all: {refusals:?}");

    // The overlay tells of the change in the entries of those whom it is about.
    change(&lab, &slapd, "add", "paul");
    tried(&served, "paul", PASSWORD, "granted");
    let (mut bob, mut paul) = (session(&served, "bob"), session(&served, "paul"));
    change(&lab, &slapd, "delete", "bob");
    let last = bob.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{last:?}");
    told(&served, "bob", "not-in-group");
    tried(&served, "bob", PASSWORD, "not-in-group");
    paul.ok("NOOP");
}
