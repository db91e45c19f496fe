//! A server that vanishes: no FIN, no RST, its packets just stop. As when a machine loses its power,
//! or a firewall forgets a connection.
//!
//! The test runs once more in a network of its own, in which it drops packets. The machine's own
//! network is left alone.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::daemon::until;
use crate::lab::pop3::Client;
use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::{Lab, require_root};
use crate::openldap::with_servers;
use crate::served::Served;

/// Set for the run in a network of its own.
const INSIDE: &str = "POSTERN_OWN_NETWORK";

/// Runs the test of this name in a network of its own. False in the run inside.
fn outside(name: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return false;
    }
    require_root("a network of its own");
    let status = Command::new("unshare")
        .args([
            "--net",
            "--kill-child",
            "sh",
            "-c",
            "ip link set lo up && exec \"$@\"",
            "sh",
        ])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", &format!("vanished::{name}"), "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare; run script/bootstrap");
    assert!(status.success(), "{name} fails in its own network");
    true
}

/// Drops what is sent to these ports, and what comes from them, while it lives.
struct Silence;

impl Silence {
    fn of(ports: &[u16]) -> Self {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let ports = ports.join(", ");
        nft(&format!(
            "add table inet silence; \
             add chain inet silence packets {{ type filter hook input priority 0; }}; \
             add rule inet silence packets tcp dport {{ {ports} }} drop; \
             add rule inet silence packets tcp sport {{ {ports} }} drop"
        ));
        Self
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        nft("delete table inet silence");
    }
}

fn nft(commands: &str) {
    let output = Command::new("nft").arg(commands).output();
    let output = output.expect("nft; run script/bootstrap");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The ports of a directory, in the clear and under TLS.
fn ports(slapd: &Part) -> [u16; 2] {
    ["LDAP_URI", "LDAPS_URI"].map(|variable| {
        let uri = slapd.variable(variable);
        let (_, port) = uri.rsplit_once(':').expect("a port");
        port.parse().expect("a number")
    })
}

/// The local ports of established connections to these ports.
fn established(to: &[u16]) -> BTreeSet<u16> {
    let table = fs::read_to_string("/proc/self/net/tcp").expect("the kernel's table");
    let port = |field: &str| u16::from_str_radix(field.rsplit_once(':')?.1, 16).ok();
    let connection = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let here = port(fields.get(1)?)?;
        let there = port(fields.get(2)?)?;
        (fields.get(3) == Some(&"01") && to.contains(&there)).then_some(here)
    };
    table.lines().skip(1).filter_map(connection).collect()
}

fn goes_on(session: &mut Client) {
    let begun = Instant::now();
    session.ok("NOOP");
    session.ok("STAT");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// None is kept in doubt. Whoever carries a connection closes it when its turn comes.
fn no_connection_is_left(slapd: &Part) {
    until("all connections to the server to be closed", || {
        established(&ports(slapd)).is_empty().then_some(())
    });
}

#[test]
fn the_next_server_is_asked_within_the_deadline_of_one_login() {
    if outside("the_next_server_is_asked_within_the_deadline_of_one_login") {
        return;
    }
    let lab = Lab::new();
    let first = Part::start(&lab, "ldap", "first", &[]);
    let ca = format!("ca={}", first.file("ca").display());
    let second = Part::start(&lab, "ldap", "second", &[&ca]);
    let uris = [&first, &second].map(|slapd| slapd.variable("LDAP_URI"));
    let described = with_servers(&first, &format!("{uris:?}"), "timeout = \"2s\"");
    let served = Served::start(&lab, "london", &described, &[]);
    let mut session = served.session();
    assert_eq!(
        established(&ports(&first)).len(),
        2,
        "one to search, one to bind"
    );
    assert!(established(&ports(&second)).is_empty());

    let silence = Silence::of(&ports(&first));
    let (answer, took) = served.login("bob", PASSWORD);
    assert!(answer.starts_with("+OK"), "{answer}");
    assert!(
        took > Duration::from_millis(900) && took < Duration::from_millis(3000),
        "{took:?}"
    );
    no_connection_is_left(&first);
    assert_eq!(established(&ports(&second)).len(), 2);
    // It costs time once.
    for (password, expected) in [(PASSWORD, "+OK"), ("wrong", "-ERR [AUTH]")] {
        let (answer, took) = served.login("bob", password);
        assert!(
            answer.starts_with(expected) && took < Duration::from_millis(900),
            "{answer}, {took:?}"
        );
    }
    goes_on(&mut session);

    drop(silence);
    until("the preferred server to be asked again", || {
        let (answer, _) = served.login("bob", PASSWORD);
        assert!(answer.starts_with("+OK"), "{answer}");
        (!established(&ports(&first)).is_empty()).then_some(())
    });
    goes_on(&mut session);
}

#[test]
fn the_only_server_is_waited_for_up_to_the_deadline_and_comes_back_by_itself() {
    if outside("the_only_server_is_waited_for_up_to_the_deadline_and_comes_back_by_itself") {
        return;
    }
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let only = format!("[\"{}\"]", slapd.variable("LDAPS_URI"));
    let served = Served::start(
        &lab,
        "london",
        &with_servers(&slapd, &only, "timeout = \"2s\""),
        &[],
    );
    let mut session = served.session();
    let silence = Silence::of(&ports(&slapd));
    let (answer, took) = served.login("bob", PASSWORD);
    assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
    assert!(
        took > Duration::from_millis(1900) && took < Duration::from_millis(3500),
        "{took:?}"
    );
    no_connection_is_left(&slapd);
    for _ in 0..3 {
        let (answer, took) = served.login("bob", PASSWORD);
        assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
        assert!(took < Duration::from_secs(1), "{took:?}");
        goes_on(&mut session);
    }
    drop(silence);
    until("bob to be let in again", || {
        let (answer, _) = served.login("bob", PASSWORD);
        answer.starts_with("+OK").then_some(())
    });
    let (answer, _) = served.login("bob", "wrong");
    assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
    goes_on(&mut session);
}
