//! The names that NTLM shows, and those under which the host has joined.

use crate::house::House;

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
