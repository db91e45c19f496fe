//! The helper dies or hangs, winbindd or the controller is gone: `[SYS/TEMP]` for NTLM of the domain, and for
//! nobody else; and everything is well again by itself.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::by_hand::Hand;
use crate::exchange::WELCOME;
use crate::house::{House, LOCAL};
use crate::lab::daemon::until;
use crate::lab::realm::PASSWORD;

/// The deadline of the helper, as configured here.
const DEADLINE: Duration = Duration::from_secs(2);

/// The processes of `ntlm_auth` below the server.
fn helpers(house: &House) -> Vec<Pid> {
    let server = house.server.daemon.pid();
    let tasks = fs::read_dir(format!("/proc/{server}/task")).expect("the server's threads");
    let children = tasks.flat_map(|task| {
        let path = task.expect("a thread").path().join("children");
        let children = fs::read_to_string(path).unwrap_or_default();
        children
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    children
        .filter(|child| {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            name.trim_end() == "ntlm_auth"
        })
        .map(|child| Pid::from_raw(child.parse().expect("a process id")))
        .collect()
}

fn ask(house: &House) -> String {
    house.login(&mut Hand::new("alice", "ADTEST", PASSWORD))
}

/// The trouble is told as trouble, never as a wrong password.
fn assert_trouble(house: &House, what: &str) {
    let said = ask(house);
    assert!(said.starts_with("-ERR [SYS/TEMP]"), "{what}: {said}");
    house.server.told("login", &["directory-trouble"]);
}

/// NTLM of a local user, and PLAIN, as quick as ever.
fn assert_unharmed(house: &House) {
    let begun = Instant::now();
    let mut local = Hand::new(LOCAL.0, "HOUSE", LOCAL.1);
    assert_eq!(house.login(&mut local), WELCOME);
    let plain = BASE64_STANDARD.encode(format!("\0{}\0{}", LOCAL.0, LOCAL.1));
    house.client().ok(&format!("AUTH PLAIN {plain}"));
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}

fn assert_well_again(house: &House, what: &str) {
    until(&format!("NTLM to work after {what}"), || {
        (ask(house) == WELCOME).then_some(())
    });
}

#[test]
fn trouble_is_told_hurts_nobody_else_and_passes() {
    let house = House::open(&[("winbind.deadline", r#""2s""#), ("winbind.helpers", "2")]);
    assert_eq!(ask(&house), WELCOME);
    assert!(!helpers(&house).is_empty(), "no helper is seen");

    a_killed_helper(&house);
    a_hanging_helper(&house);
    winbindd_stopped(&house);
    the_controller_gone(&house);
}

fn a_killed_helper(house: &House) {
    for helper in helpers(house) {
        kill(helper, Signal::SIGKILL).expect("kill");
    }
    // The one that died between two questions may be noticed, or replaced at once.
    let said = ask(house);
    assert!(
        said == WELCOME || said.starts_with("-ERR [SYS/TEMP]"),
        "{said}"
    );
    assert_unharmed(house);
    assert_well_again(house, "a killed helper");
}

fn a_hanging_helper(house: &House) {
    let stopped = helpers(house);
    for helper in &stopped {
        kill(*helper, Signal::SIGSTOP).expect("kill");
    }
    let begun = Instant::now();
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(house));
        assert_unharmed(house);
        let said = asking.join().expect("an answer");
        assert!(said.starts_with("-ERR [SYS/TEMP]"), "{said}");
    });
    let waited = begun.elapsed();
    assert!(waited >= DEADLINE && waited < DEADLINE * 3, "{waited:?}");
    assert_well_again(house, "a hanging helper");
    let left = helpers(house);
    assert!(
        stopped.iter().all(|helper| !left.contains(helper)),
        "a hanging helper is kept"
    );
}

fn winbindd_stopped(house: &House) {
    house
        .domain
        .on_member(&["smbcontrol", "winbindd", "shutdown"]);
    until("winbindd to be gone", || {
        let listed = house.domain.on_member(&["ps", "-e", "-o", "comm="]);
        (!String::from_utf8_lossy(&listed.stdout).contains("winbindd")).then_some(())
    });
    assert_trouble(house, "winbindd is stopped");
    assert_unharmed(house);
    house.domain.on_member(&["winbindd", "--daemon"]);
    assert_well_again(house, "winbindd was stopped");
}

/// It is stopped, not ended: connections stay open, and nobody answers.
fn the_controller_gone(house: &House) {
    house.domain.on_controller(&["sh", "-c", "kill -STOP -1"]);
    let begun = Instant::now();
    let said = ask(house);
    assert!(said.starts_with("-ERR [SYS/TEMP]"), "{said}");
    assert!(begun.elapsed() < DEADLINE * 3, "{:?}", begun.elapsed());
    assert_unharmed(house);
    house.domain.on_controller(&["sh", "-c", "kill -CONT -1"]);
    assert_well_again(house, "the controller was gone");
}
