//! The names that NTLM shows, and those under which the host has joined.

use std::fs;

use nix::sys::signal::Signal;

use crate::house::House;
use crate::lab::daemon::until;
use crate::lab::postern::messages;

/// A domain controller refuses a proof that was made for another computer (CVE-2015-0005), and says the
/// same as for a wrong password, so the log must say what is wrong.
#[test]
fn names_of_no_membership_are_named_with_the_remedy() {
    for (key, value) in [("ntlm.computer", r#""POP""#), ("ntlm.domain", r#""OTHER""#)] {
        let house = House::open(&[(key, value)]);
        assert!(!house.lets_in("alice"), "{key} = {value}");
        house.server.told("login", &["wrong-password"]);
        let remedy = r#"write under [ntlm] domain = \"ADTEST\" and computer = \"MAIL\""#;
        house
            .server
            .told("configuration", &["joined as MAIL in ADTEST", remedy]);
    }
}

#[test]
fn names_of_the_membership_are_passed_over_in_silence() {
    let house = House::open(&[("ntlm.computer", r#""mail""#)]);
    assert!(house.lets_in("alice"));
    let log = house.server.daemon.log();
    assert!(!log.contains("has joined"), "{log}");
}

/// The way to the domain controller stays open when nothing about it has changed; the names are compared anew.
#[test]
fn names_that_change_with_a_reload_are_compared_then() {
    let house = House::open(&[]);
    assert!(house.lets_in("alice"));
    let log = house.server.daemon.log();
    assert!(!log.contains("has joined"), "{log}");
    let path = house.lab.path().join("postern.toml");
    let before = fs::read_to_string(&path).expect("the configuration");
    let reload = |text: &str| {
        fs::write(&path, text).expect("the configuration");
        let said = || messages(&house.server.daemon.log(), "reloaded").count();
        let before = said();
        house.server.daemon.signal(Signal::SIGHUP);
        until("a reload", || (said() > before).then_some(()));
    };
    let other = before.replace(r#"computer = "MAIL""#, r#"computer = "POP""#);
    assert_ne!(other, before);
    reload(&other);
    let remedy = r#"write under [ntlm] domain = \"ADTEST\" and computer = \"MAIL\""#;
    house
        .server
        .told("configuration", &["ADTEST and POP", remedy]);
    assert!(!house.lets_in("alice"));

    let warnings = || house.server.daemon.log().matches("has joined").count();
    let warned = warnings();
    reload(&before);
    assert!(house.lets_in("alice"));
    assert_eq!(warnings(), warned, "good names are passed over in silence");
}
