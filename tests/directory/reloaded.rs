//! A reload with a users file and a directory: what changed in the file holds, and whoever is in the
//! directory goes on as if nothing had been.

use std::fs;

use crate::lab::pop3::Client;
use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::live::{BARRED, session, told};
use crate::openldap::ldap;
use crate::served::{Served, private};

fn local(served: &Served, name: &str) -> Client {
    let mut client = Client::connect(served.address);
    client.ok(&format!("USER {name}"));
    client.ok("PASS right");
    client
}

fn refused(served: &Served, name: &str, password: &str, reason: &str) {
    let (answer, _) = served.login(name, password);
    assert!(answer.starts_with("-ERR [AUTH]"), "{name}: {answer}");
    served.record(name, reason);
}

/// lotte is gone, rosa is new, and lena has lost a second name.
fn other_people(lotte: &str) -> String {
    let named = |name: &str| lotte.replace("\"lotte\"", &format!("\"{name}\""));
    format!("{}{}", named("rosa"), named("lena"))
}

#[test]
fn local_users_change_and_those_of_the_directory_go_on() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let served = Served::start(&lab, "london", &ldap(&slapd, ""), &[]);
    served.change_users(&lab, |lotte| {
        let lena = lotte.replace("name = \"lotte\"", "name = \"lena\"\naliases = [\"lene\"]");
        format!("{lotte}{lena}")
    });
    served.reload("reloaded", str::to_owned);
    let (mut lotte, mut lena) = (local(&served, "lotte"), local(&served, "lene"));
    let mut alice = served.session();
    refused(&served, "rosa", "right", "unknown-user");

    served.change_users(&lab, other_people);
    served.reload("reloaded", str::to_owned);
    let last = lotte.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{last:?}");
    told(&served, "lotte", "unknown-user");
    refused(&served, "lotte", "right", "unknown-user");
    refused(&served, "lene", "right", "unknown-user");
    local(&served, "rosa");
    local(&served, "lena");
    lena.ok("NOOP");
    alice.ok("NOOP");
    session(&served, "bob");
    refused(&served, "bob", "wrong", "wrong-password");

    // Another file, which nothing but a reload can tell of.
    let path = lab.path().join("users.toml").display().to_string();
    let other = lab.path().join("others.toml").display().to_string();
    let text = fs::read_to_string(&path).expect("the users file");
    private(&lab, "others.toml", &text.replace("rosa", "olga"));
    served.reload("reloaded", |text| text.replace(&path, &other));
    refused(&served, "rosa", "right", "unknown-user");
    local(&served, "olga");
    lena.ok("NOOP");
    alice.ok("NOOP");
    session(&served, "bob");
}

#[test]
fn a_local_user_who_takes_a_name_of_the_directory_has_it() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let served = Served::start(&lab, "london", &ldap(&slapd, ""), &[]);
    let (mut alice, mut bob) = (served.session(), session(&served, "bob"));
    served.change_users(&lab, |lotte| {
        format!("{lotte}{}", lotte.replace("\"lotte\"", "\"bob\""))
    });
    served.reload("reloaded", str::to_owned);
    let last = bob.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{last:?}");
    told(&served, "bob", "unknown-user");
    refused(&served, "bob", PASSWORD, "wrong-password");
    local(&served, "bob");
    alice.ok("NOOP");
}

#[test]
fn a_users_file_with_an_error_changes_nothing_for_anybody() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let served = Served::start(&lab, "london", &ldap(&slapd, ""), &[]);
    let (mut alice, mut lotte) = (served.session(), local(&served, "lotte"));
    served.change_users(&lab, |lotte| format!("{lotte}no_such_key = 1\n"));
    served.reload("reload refused", str::to_owned);
    alice.ok("NOOP");
    lotte.ok("NOOP");
    session(&served, "bob");
    local(&served, "lotte");
    refused(&served, "bob", "wrong", "wrong-password");
}
