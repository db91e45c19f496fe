//! Two sites on one directory: each server serves its own users by every mechanism, and refuses the other's
//! as it refuses a wrong password, in words and in time.

use std::time::Duration;

use crate::branch::{Branch, Ending, Way};
use crate::lab::domain::Domain;
use crate::lab::realm::PASSWORD;
use crate::lab::world::Lab;

/// Refusals are sent this long after the client's last line.
const DELAY: Duration = Duration::from_millis(250);
/// How often each login is tried; the times are compared by their median.
const TIMES: usize = 5;
/// How far two medians may be apart; a machine may be busy.
const NEAR: Duration = Duration::from_millis(60);

fn branch(domain: &Domain, site: &str) -> Branch {
    let settings = [
        ("site", &*format!("{site:?}")),
        ("ldap.attributes.site", r#""physicalDeliveryOfficeName""#),
        ("login.refusal_delay", r#""250ms""#),
    ];
    Branch::open(domain, &settings)
}

fn login(domain: &Domain, branch: &Branch, way: Way, name: &str, password: &str) -> Ending {
    match way {
        Way::Gssapi | Way::Spnego => branch.ticket(domain, way),
        Way::Ntlm => branch.password(way, &format!("ADTEST\\{name}"), password),
        Way::User | Way::Plain | Way::Login => branch.password(way, name, password),
    }
}

/// The reason, the server's line, and the median of the times.
fn tried(attempt: impl Fn() -> Ending) -> (String, String, Duration) {
    let endings: Vec<_> = (0..TIMES).map(|_| attempt()).collect();
    let mut times: Vec<_> = endings.iter().map(|ending| ending.took).collect();
    times.sort_unstable();
    let first = &endings[0];
    for ending in &endings {
        assert_eq!(
            (ending.reason(), &*ending.line),
            (first.reason(), &*first.line)
        );
    }
    (
        first.reason().to_owned(),
        first.line.clone(),
        times[TIMES / 2],
    )
}

#[test]
fn each_server_serves_its_own_and_refuses_the_others_as_a_wrong_password() {
    let lab = Lab::new();
    let domain = Domain::start(&lab);
    let (london, paris) = (branch(&domain, "london"), branch(&domain, "paris"));
    println!(
        "{:8}{:12}{:12}{:>12}{:>12}",
        "at", "by", "whose", "refused in", "wrong in"
    );
    for (own, here, other, there) in [
        ("alice", (&london, "london"), "paul", (&paris, "paris")),
        ("paul", (&paris, "paris"), "alice", (&london, "london")),
    ] {
        // A ticket is never wrong: what it is compared with is a wrong password at PASS.
        let pass = tried(|| login(&domain, here.0, Way::User, own, "wrong"));
        for way in Way::ALL {
            domain.kinit(&[own]);
            let ending = login(&domain, here.0, way, own, PASSWORD);
            assert_eq!(ending.reason(), "granted", "{}", ending.record);
            domain.kinit(&[other]);
            let wrong = if way.is_by_ticket() {
                pass.clone()
            } else {
                tried(|| login(&domain, here.0, way, other, "wrong"))
            };
            let refused = tried(|| login(&domain, here.0, way, other, PASSWORD));
            println!(
                "{:8}{:12}{other:12}{:>10}ms{:>10}ms",
                here.1,
                way.name(),
                refused.2.as_millis(),
                wrong.2.as_millis()
            );
            assert_eq!((&*refused.0, &*wrong.0), ("other-site", "wrong-password"));
            assert_eq!(refused.1, wrong.1, "the words");
            let apart = refused.2.abs_diff(wrong.2);
            assert!(
                apart < NEAR && refused.2 >= DELAY,
                "{way:?}: {refused:?} {wrong:?}"
            );
            let ending = login(&domain, there.0, way, other, PASSWORD);
            assert_eq!(ending.reason(), "granted", "{}", ending.record);
        }
    }
    who_moves_is_served_where_he_is(&domain, &london, &paris);
}

/// The attribute in the directory is all that has to change.
fn who_moves_is_served_where_he_is(domain: &Domain, london: &Branch, paris: &Branch) {
    domain.change("paul", "physicalDeliveryOfficeName", "london");
    domain.kinit(&["paul"]);
    for way in Way::ALL {
        let at = |branch| move || login(domain, branch, way, "paul", PASSWORD);
        london.until("granted", at(london));
        paris.until("other-site", at(paris));
    }
}

/// Where `ldap.site_servers` names no server: the site is what Exchange has noted of the home server, in the
/// configuration of the forest.
#[test]
fn the_directory_tells_the_site_of_a_home_server_of_exchange() {
    let lab = Lab::new();
    let domain = Domain::start(&lab);
    let at = |site: &str| {
        let settings = [
            ("site", &*format!("{site:?}")),
            ("ldap.preset", r#""exchange-schema""#),
            ("ldap.site_of_server", r#""directory""#),
        ];
        Branch::open(&domain, &settings)
    };
    let (london, paris) = (at("London"), at("Paris"));
    for (name, site, here, there) in [
        ("alice", "London", &london, &paris),
        ("paul", "Paris", &paris, &london),
    ] {
        domain.kinit(&[name]);
        let wrong = there.password(Way::User, name, "wrong").line;
        for way in Way::ALL {
            let ending = login(&domain, here, way, name, PASSWORD);
            assert_eq!(ending.reason(), "granted", "{}", ending.record);
            let ending = login(&domain, there, way, name, PASSWORD);
            println!("{:12}{name:8}{}", way.name(), ending.record);
            let told = (ending.reason(), ending.field("site"));
            assert_eq!(told, ("other-site", site), "{}", ending.record);
            assert_eq!(ending.line, wrong, "the words");
        }
    }
    let paul = |branch: &Branch| branch.password(Way::User, "paul", PASSWORD);
    domain.change("paul", "msExchHomeServerName", &home("EX01"));
    london.until("granted", || paul(&london));
    paris.until("other-site", || paul(&paris));
    // Of a server that Exchange does not know nobody knows the site.
    domain.change("paul", "msExchHomeServerName", &home("EX09"));
    let ending = london.until("other-site", || paul(&london));
    assert_eq!(ending.field("site"), "?", "{}", ending.record);
    let message = "the directory does not tell the site of a home server, or tells several: \
                   its mailboxes are where ldap.unknown_site says";
    london.server.told(message, &[&home("EX09")]);
}

fn home(server: &str) -> String {
    format!("/o=Org/ou=Group/cn=Configuration/cn=Servers/cn={server}")
}
