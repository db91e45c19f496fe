//! A directory in which most of those who are logged in suddenly do not exist: a replica that was emptied,
//! a filter that fits nobody, a base in another place. It is not believed, and nobody's session ends.

use std::fs;

use crate::lab::daemon::until;
use crate::lab::pop3::Client;
use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::live::{BARRED, PEOPLE, session, told};
use crate::openldap::{ldap, modify};
use crate::served::Served;

const NOT_BELIEVED: &str = "most accounts with open sessions are gone from the directory";
const UNSEEN: &str = "open sessions go on unseen";

/// A replica has the identities that its entries have elsewhere. One that is made anew here gives others, so that a
/// name stands for them.
fn described(slapd: &Part) -> String {
    format!("{}id = \"uid\"\n", ldap(slapd, ""))
}

/// Sessions of the first so many of the crowd.
fn sessions(served: &Served, people: usize) -> Vec<Client> {
    let names = (1..=people).map(|number| format!("u{number:05}"));
    names.map(|name| session(served, &name)).collect()
}

/// Starts the directory where it was, with so many of its crowd: a replica made anew.
fn replaced(slapd: &Part, people: usize) {
    slapd.stop();
    fs::remove_file(slapd.file("complete")).expect("the mark of a directory that is made");
    slapd.start_again(&[&format!("users={people}")]);
}

/// Waits until the log has said this twice more: the second look began after whatever was before.
fn twice_more(served: &Served, words: &str) {
    let said = || served.log().matches(words).count();
    let before = said();
    until(&format!("{words:?} twice"), || {
        (said() >= before + 2).then_some(())
    });
}

fn go_on(sessions: &mut [Client]) {
    for session in sessions {
        session.ok("NOOP");
    }
}

fn ends(session: &mut Client) {
    let last = session.try_line().unwrap_or_default();
    assert!(last.starts_with(BARRED), "{last:?}");
}

#[test]
fn an_emptied_replica_ends_nobodys_session_but_of_those_whom_it_has() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &["users=12"]);
    let served = Served::start(&lab, "london", &described(&slapd), &[]);
    let mut sessions = sessions(&served, 12);
    let mut alice = served.session();
    replaced(&slapd, 5);
    twice_more(&served, NOT_BELIEVED);
    assert!(served.log().contains("\"gone\":7,\"of\":13"));
    twice_more(&served, UNSEEN);
    go_on(&mut sessions);
    alice.ok("NOOP");
    // Nobody comes in whom it does not have.
    let (answer, _) = served.login("u00012", PASSWORD);
    assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
    // Of those who are there it is believed as ever.
    let off = "changetype: modify\nreplace: posternPop3\nposternPop3: FALSE\n";
    modify(&lab, &slapd, &format!("dn: uid=alice,{PEOPLE}\n{off}"));
    ends(&mut alice);
    told(&served, "alice", "pop3-off");
    go_on(&mut sessions);

    replaced(&slapd, 12);
    let gone = format!("dn: uid=u00012,{PEOPLE}\nchangetype: delete\n");
    modify(&lab, &slapd, &gone);
    ends(&mut sessions[11]);
    told(&served, "u00012", "unknown-user");
    go_on(&mut sessions[..11]);
}

/// By what the directory gives to each entry they are all other people now.
#[test]
fn others_under_the_names_of_most_are_not_believed() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &["users=10"]);
    let served = Served::start(&lab, "london", &ldap(&slapd, ""), &[]);
    let mut sessions = sessions(&served, 10);
    replaced(&slapd, 10);
    twice_more(&served, NOT_BELIEVED);
    go_on(&mut sessions);
    assert!(!served.log().contains("sessions end: "));
}

#[test]
fn half_of_many_and_all_of_a_few_may_leave_at_once() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &["users=10"]);
    let served = Served::start(&lab, "london", &described(&slapd), &[]);
    let mut sessions = sessions(&served, 10);
    replaced(&slapd, 5);
    for session in &mut sessions[5..] {
        ends(session);
    }
    go_on(&mut sessions[..5]);
    replaced(&slapd, 0);
    for session in &mut sessions[..5] {
        ends(session);
    }
    assert!(!served.log().contains(NOT_BELIEVED));
}

#[test]
fn a_setting_that_fits_nobody_ends_nobodys_session() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &["users=10"]);
    let served = Served::start(&lab, "london", &described(&slapd), &[]);
    let mut sessions = sessions(&served, 10);
    let base = format!("base = \"{}\"\n", slapd.variable("LDAP_BASE"));
    let asked = |base: &str| {
        let log = fs::read_to_string(slapd.file("slapd.log")).expect("slapd's log");
        log.matches(&format!("SRCH base=\"{base}\" scope=2"))
            .count()
    };
    let with = |line: &str| {
        served.reload("reloaded", |text| {
            assert!(text.contains(&base), "{text}");
            text.replace(&base, line)
        });
    };
    let put_back = |line: &str| served.reload("reloaded", |text| text.replace(line, &base));

    let filter = format!("{base}filter = \"(title=nobody)\"\n");
    with(&filter);
    twice_more(&served, NOT_BELIEVED);
    go_on(&mut sessions);
    put_back(&filter);

    // Below it is nobody; each entry is where it was, and is asked for there.
    let (elsewhere, nowhere) = (
        "ou=services,dc=example,dc=test",
        "ou=none,dc=example,dc=test",
    );
    let not_believed = || served.log().matches(NOT_BELIEVED).count();
    with(&format!("base = \"{elsewhere}\"\n"));
    let looks = |times| {
        until("looks elsewhere", || {
            (asked(elsewhere) >= times).then_some(())
        });
    };
    // The last look elsewhere, with the filter, is over when this one begins.
    looks(1);
    let before = not_believed();
    looks(3);
    assert_eq!(not_believed(), before, "nobody is gone");
    go_on(&mut sessions);
    put_back(&format!("base = \"{elsewhere}\"\n"));

    with(&format!("base = \"{nowhere}\"\n"));
    twice_more(&served, UNSEEN);
    go_on(&mut sessions);
    assert!(!served.log().contains("sessions end: "));
}
