//! A directory with 10,000 people in it.

use std::time::Duration;

use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::openldap::with_servers;
use crate::served::Served;

#[test]
fn one_of_ten_thousand_logs_in_as_fast_as_one_of_ten() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &["users=10000"]);
    for (site, variable) in [("london", "LDAPS_URI"), ("paris", "LDAP_URI")] {
        // TLS at once, and StartTLS; both sites serve everybody.
        let only = format!("[\"{}\"]", slapd.variable(variable));
        let more = "unknown_site = \"here\"";
        let described = with_servers(&slapd, &only, more).replace("site = \"posternSite\"\n", "");
        let served = Served::start(&lab, site, &described, &[]);
        let mut slowest = Duration::ZERO;
        for number in [1, 2, 4999, 5000, 7777, 9999, 10_000] {
            let name = format!("u{number:05}");
            for (typed, password, reason) in [
                (name.clone(), PASSWORD, "granted"),
                (format!("{name}@example.test"), PASSWORD, "granted"),
                (name.to_uppercase(), "wrong", "wrong-password"),
            ] {
                let (answer, took) = served.login(&typed, password);
                slowest = slowest.max(took);
                assert_eq!(answer.starts_with("+OK"), reason == "granted", "{answer}");
                assert_eq!(served.record(&typed, reason).0, name);
            }
        }
        for typed in ["u00000", "u10001", "u0*", "u10001@example.test"] {
            let (answer, _) = served.login(typed, PASSWORD);
            assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
            served.record(typed, "unknown-user");
        }
        println!("{variable}: the slowest of 21 logins took {slowest:?}");
        assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    }
}
