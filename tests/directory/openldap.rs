//! OpenLDAP: names, states, sites and injections by every mechanism with a password, and what
//! clients see of a directory that hangs.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::daemon::until;
use crate::lab::pop3::Client;
use crate::lab::realm::{PASSWORD, Part};
use crate::lab::world::Lab;
use crate::served::Served;

/// Everything under `[ldap]`, with both ways to this directory.
pub(crate) fn ldap(slapd: &Part, more: &str) -> String {
    let ways = ["LDAP_URI", "LDAPS_URI"].map(|variable| slapd.variable(variable));
    with_servers(slapd, &format!("{ways:?}"), more)
}

/// Everything under `[ldap]`, with this list of servers.
pub(crate) fn with_servers(slapd: &Part, servers: &str, more: &str) -> String {
    format!(
        r#"preset = "openldap"
servers = {servers}
authorities = "{ca}"
bind_name = "cn=postern,ou=services,dc=example,dc=test"
base = "{base}"
{more}
[ldap.attributes]
addresses = ["mail", "posternAlias"]
pop3 = "posternPop3"
delegates = "posternDelegate"
site = "posternSite"
mailbox = "posternMaildrop"
"#,
        ca = slapd.variable("LDAP_CA"),
        base = slapd.variable("LDAP_BASE"),
    )
}

/// Changes entries as the administrator.
pub(crate) fn modify(lab: &Lab, slapd: &Part, ldif: &str) {
    let (change, uri) = (lab.write("change.ldif", ldif), slapd.variable("LDAP_URI"));
    let admin = "cn=admin,dc=example,dc=test";
    slapd
        .tool(lab, "ldapmodify")
        .args(["-x", "-ZZ", "-H", &uri, "-D", admin, "-w", PASSWORD, "-f"])
        .arg(change)
        .run();
}

/// The first words of the answers to a login by each mechanism.
pub(crate) fn logins(served: &Served, name: &str, password: &str) -> Vec<String> {
    let mut answers = Vec::new();
    let mut client = Client::connect(served.address);
    assert!(client.ask(&format!("USER {name}")).starts_with("+OK"));
    answers.push(client.ask(&format!("PASS {password}")));
    let mut client = Client::connect(served.address);
    let message = base64(format!("\0{name}\0{password}").as_bytes());
    answers.push(client.ask(&format!("AUTH PLAIN {message}")));
    let mut client = Client::connect(served.address);
    for words in ["AUTH LOGIN", &base64(name.as_bytes())] {
        assert!(client.ask(words).starts_with("+ "));
    }
    answers.push(client.ask(&base64(password.as_bytes())));
    answers
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// The password of those with odd names.
const ODD: &str = "p*t)(…";

/// What was typed, the password, and the account, the reason and the site of the record.
const LOGINS: [(&str, &str, &str, &str, &str); 18] = [
    ("alice", PASSWORD, "alice", "granted", "london"),
    ("ALICE", PASSWORD, "alice", "granted", "london"),
    (
        "a.liddell@example.test",
        PASSWORD,
        "alice",
        "granted",
        "london",
    ),
    ("bob", PASSWORD, "bob", "granted", "london"),
    ("bob", "wrong", "bob", "wrong-password", "-"),
    ("paul", PASSWORD, "paul", "other-site", "paris"),
    ("paul", "wrong", "paul", "wrong-password", "-"),
    ("mary", PASSWORD, "mary", "pop3-off", "-"),
    ("noel", PASSWORD, "noel", "no-mailbox", "-"),
    ("dave", PASSWORD, "dave", "locked-out", "-"),
    ("erin", PASSWORD, "erin", "must-change-password", "-"),
    ("carol", PASSWORD, "carol", "password-expired", "-"),
    ("twins@example.test", PASSWORD, "-", "unknown-user", "-"),
    ("nobody", PASSWORD, "-", "unknown-user", "-"),
    ("*", PASSWORD, "-", "unknown-user", "-"),
    ("*)(uid=alice", PASSWORD, "-", "unknown-user", "-"),
    ("CORP\\alice", PASSWORD, "-", "unknown-user", "-"),
    ("lotte", "right", "lotte", "granted", "-"),
];

#[test]
fn every_name_reaches_its_account_by_every_mechanism_and_refusals_are_alike() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let served = Served::start(&lab, "london", &ldap(&slapd, ""), &[]);
    let mut refusals = Vec::new();
    for (typed, password, account, reason, site) in LOGINS {
        let answers = logins(&served, typed, password);
        let record = served.record(typed, reason);
        println!(
            "{typed:24} {account:8} {reason:22} {site:8} {}",
            answers.join(" | ")
        );
        assert_eq!(record, (account.to_owned(), site.to_owned()), "{typed}");
        let granted = answers.iter().all(|answer| answer.starts_with("+OK"));
        assert_eq!(granted, reason == "granted", "{typed}: {answers:?}");
        if !granted {
            refusals.extend(answers);
        }
    }
    refusals.sort();
    refusals.dedup();
    assert_eq!(
        refusals.len(),
        1,
        "one refusal for all of them: {refusals:?}"
    );
    for typed in ["pat+x", "w(ei*rd)\\x"] {
        for answer in logins(&served, typed, "no-site") {
            assert!(answer.starts_with("-ERR"), "{answer}");
        }
        let answers = logins(&served, typed, ODD);
        assert!(
            answers.iter().all(|answer| answer.starts_with("+OK")),
            "{typed}: {answers:?}"
        );
    }
    // A delegate of alice, and nobody's.
    for (delegate, reason) in [("bob", "granted"), ("paul", "no-right")] {
        let mut client = Client::connect(served.address);
        let message = base64(format!("alice\0{delegate}\0{PASSWORD}").as_bytes());
        let answer = client.ask(&format!("AUTH PLAIN {message}"));
        assert_eq!(
            answer.starts_with("+OK"),
            reason == "granted",
            "{delegate}: {answer}"
        );
        served.record(delegate, reason);
    }
    assert!(!served.log().contains(PASSWORD) && !served.log().contains(ODD));
}

#[test]
fn a_directory_that_hangs_is_temporary_trouble_and_sessions_and_local_users_go_on() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let served = Served::start(&lab, "london", &ldap(&slapd, "timeout = \"1s\""), &[]);
    let mut session = Client::connect(served.address);
    session.ok("USER alice");
    session.ok(&format!("PASS {PASSWORD}"));
    let pid = fs::read_to_string(slapd.file("slapd.pid")).expect("a pid");
    let pid = Pid::from_raw(pid.trim().parse().expect("a number"));
    kill(pid, Signal::SIGSTOP).expect("slapd held");
    until("every thread of slapd to stop", || {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("slapd's threads");
        let stat = |task: fs::DirEntry| fs::read_to_string(task.path().join("stat"));
        let mut stats = tasks.map(|task| stat(task.expect("a thread")).expect("its state"));
        stats.all(|stat| stat.contains(") T")).then_some(())
    });
    for _ in 0..3 {
        let begun = Instant::now();
        for answer in logins(&served, "bob", PASSWORD) {
            assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
        }
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        served.record("bob", "directory-trouble");
        // Nobody waits for it who does not need it.
        let begun = Instant::now();
        session.ok("NOOP");
        session.ok("STAT");
        let answers = logins(&served, "lotte", "right");
        assert!(
            answers.iter().all(|answer| answer.starts_with("+OK")),
            "{answers:?}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );
    }
    assert!(served.log().contains("a server of the directory failed"));
    kill(pid, Signal::SIGCONT).expect("slapd released");
    until("bob to be let in again", || {
        let answers = logins(&served, "bob", PASSWORD);
        answers
            .iter()
            .all(|answer| answer.starts_with("+OK"))
            .then_some(())
    });
    assert!(
        served
            .log()
            .contains("a server of the directory is in order again")
    );
}

#[test]
fn two_sites_on_one_directory_each_serve_their_own() {
    let lab = Lab::new();
    let slapd = Part::start(&lab, "ldap", "ldap", &[]);
    let london = Served::start(&lab, "london", &ldap(&slapd, ""), &[]);
    let paris = Served::start(&lab, "paris", &ldap(&slapd, ""), &[]);
    let let_in = |served: &Served, name| {
        let answers = logins(served, name, PASSWORD);
        let wrong = logins(served, name, "wrong");
        let granted = answers.iter().all(|answer| answer.starts_with("+OK"));
        assert!(granted || answers == wrong, "{answers:?} {wrong:?}");
        granted
    };
    assert!(let_in(&london, "alice") && !let_in(&paris, "alice"));
    assert!(!let_in(&london, "paul") && let_in(&paris, "paul"));
    let ldif = "dn: uid=paul,ou=people,dc=example,dc=test\nchangetype: modify\nreplace: posternSite\nposternSite: london\n";
    modify(&lab, &slapd, ldif);
    assert!(let_in(&london, "paul") && !let_in(&paris, "paul"));
}
