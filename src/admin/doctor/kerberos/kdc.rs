//! The KDCs: whether they are reached, and whether their clock is ours.
//!
//! Logins need no KDC, as the server asks none; clients need one, and the clocks of all three must agree.

use std::thread;

use super::asking::ahead;
use super::places::{self, Place};
use super::{needless, realms};
use crate::admin::doctor::Patient;
use crate::admin::doctor::seen::Seen;
use crate::config::Finding;

/// A difference of clocks that is still no trouble, in milliseconds.
const FINE: i64 = 60_000;
/// The difference at which tickets are refused: `clockskew` of krb5.conf, unless it is changed.
const TOO_MUCH: i64 = 300_000;

/// What the KDCs of the keytab's realms said.
pub(in crate::admin::doctor) struct Asked(Vec<Kdc>);

/// One KDC.
struct Kdc {
    realm: String,
    place: Place,
    /// By how many milliseconds this host's clock is ahead, where the KDC said its time.
    ahead: Result<Option<i64>, String>,
}

/// Whether the KDCs answer.
pub(in crate::admin::doctor) fn reached(patient: &Patient) -> Seen {
    let Some(asked) = asked(patient) else {
        return needless();
    };
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for kdc in &asked.0 {
        let (realm, place) = (&kdc.realm, &kdc.place);
        let Err(problem) = &kdc.ahead else {
            well.push(format!("{place} of {realm} answers"));
            continue;
        };
        let problem = format!("the KDC {place} of {realm} does not answer: {problem}");
        let remedy = "see that it runs, that krb5.conf or DNS names the right hosts, and that no firewall \
                      drops port 88; until then clients get no new tickets, and those who have one log in";
        let is_alone = |other: &Kdc| other.realm == *realm && other.ahead.is_ok();
        findings.push(if asked.0.iter().any(is_alone) {
            Finding::warning(problem, remedy)
        } else {
            Finding::error(problem, remedy)
        });
    }
    if asked.0.is_empty() {
        return no_realm();
    }
    Seen::looked(well, findings)
}

/// Whether this host's clock is theirs.
pub(in crate::admin::doctor) fn clock(patient: &Patient) -> Seen {
    let Some(asked) = asked(patient) else {
        return needless();
    };
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for kdc in &asked.0 {
        let Ok(Some(ahead)) = kdc.ahead else { continue };
        let words = format!("{} the clock of the KDC {}", difference(ahead), kdc.place);
        let problem = format!("this host's clock is {words}; Kerberos allows 5 minutes");
        let remedy =
            "synchronise it with theirs: `timedatectl` and `chronyc tracking` show how it stands";
        match ahead.saturating_abs() {
            ..FINE => well.push(format!("this host's clock is {words}")),
            FINE..TOO_MUCH => findings.push(Finding::warning(problem, remedy)),
            _ => findings.push(Finding::error(problem, remedy)),
        }
    }
    if well.is_empty() && findings.is_empty() {
        let remedy = "see what is said of the KDC";
        return Seen::unknown("no KDC said its time", remedy);
    }
    Seen::looked(well, findings)
}

fn no_realm() -> Seen {
    let remedy = "see what is said of the keytab, or set default_realm in krb5.conf";
    Seen::unknown("it is not known whose KDC to ask", remedy)
}

/// Asks once for both checks; none without Kerberos.
fn asked(patient: &Patient) -> Option<&Asked> {
    let settings = patient.config.gssapi.as_ref()?;
    Some(patient.kdcs.get_or_init(|| ask(&realms(settings))))
}

/// Asks all of them at once, so that those that hang do not add up.
fn ask(realms: &[String]) -> Asked {
    let places = realms.iter().flat_map(|realm| {
        let kdcs = places::kdcs(realm).into_iter();
        kdcs.map(move |place| (realm.clone(), place))
    });
    let asking: Vec<_> = places
        .map(|(realm, place)| {
            let (to, of) = (place.clone(), realm.clone());
            let asking = thread::spawn(move || ahead(&to, &of));
            (realm, place, asking)
        })
        .collect();
    let kdcs = asking.into_iter().map(|(realm, place, asking)| Kdc {
        realm,
        place,
        ahead: asking
            .join()
            .unwrap_or_else(|_| Err("nobody could ask it".to_owned())),
    });
    Asked(kdcs.collect())
}

/// `2 min 5 s ahead of`, `0.3 s behind`, in front of a clock.
fn difference(ahead: i64) -> String {
    let word = if ahead < 0 { "behind" } else { "ahead of" };
    let by = ahead.saturating_abs();
    let (minutes, seconds) = (by / 60_000, by / 1000 % 60);
    if minutes > 0 {
        format!("{minutes} min {seconds} s {word}")
    } else {
        format!("{seconds}.{} s {word}", by / 100 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn differences_are_said_as_people_say_them() {
        assert_eq!(difference(0), "0.0 s ahead of");
        assert_eq!(difference(-1_340), "1.3 s behind");
        assert_eq!(difference(600_400), "10 min 0 s ahead of");
        assert_eq!(difference(-3_725_000), "62 min 5 s behind");
    }
}
