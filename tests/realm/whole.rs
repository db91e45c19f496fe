//! `kdc-testenv/realm`: up in time, down without leftovers, twice in a row.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::lab::realm::{Part, script};
use crate::lab::world::{Lab, require_root};

/// Processes, mounts and sockets that name the folder.
pub(crate) fn leftovers(folder: &Path) -> Vec<String> {
    let name = folder.to_str().expect("a path of letters");
    let holds = |path: &Path| {
        let octets = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&octets).contains(name)
    };
    let mut found: Vec<String> = ["/proc/self/mounts", "/proc/net/unix"]
        .into_iter()
        .filter(|path| holds(Path::new(path)))
        .map(str::to_owned)
        .collect();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let process = entry.path();
        if holds(&process.join("cmdline")) || holds(&process.join("environ")) {
            found.push(process.display().to_string());
        }
    }
    found
}

/// Starts something that may take so many seconds, on a machine that does nothing else. Where more
/// wants to run than there are processors it may take longer by as much.
pub(crate) fn within(seconds: u32, start: impl FnOnce() -> Part) -> Part {
    let begun = Instant::now();
    let part = start();
    let took = begun.elapsed();
    let load = fs::read_to_string("/proc/loadavg").expect("/proc/loadavg");
    let load: f64 = load
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .expect("a number");
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let patience = f64::from(seconds) * (load / processors as f64).max(1.0);
    assert!(
        took.as_secs_f64() < patience,
        "{took:?}, not {patience} s at a load of {load}"
    );
    part
}

/// What is asked in a realm: messages by curl under TLS with a password and with a ticket, a directory.
const QUESTIONS: &str = r#"
    curl --silent --show-error --cacert "$POP3_CA" --user bob:Right-1234 "$POP3S/2" | grep --quiet 'Message 2 for bob' &&
    curl --silent --show-error --cacert "$POP3_CA" --ssl-reqd --user alice:Right-1234 "$POP3/1" >/dev/null &&
    curl --silent --show-error --cacert "$POP3_CA" --user : --login-options AUTH=GSSAPI "$POP3S/3" | grep --quiet 'Message 3 for alice' &&
    kvno pop/localhost && klist -s && klist &&
    ldapwhoami -x -ZZ -D "uid=alice,ou=people,$LDAP_BASE" -w Right-1234
"#;

#[test]
fn a_realm_is_up_in_time_and_leaves_nothing_twice_in_a_row() {
    let lab = Lab::new();
    for _ in 0..2 {
        let realm = within(15, || Part::start(&lab, "realm", "realm", &[]));
        let output = realm.run("enter", &["sh", "-c", QUESTIONS]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(
            !leftovers(realm.folder()).is_empty(),
            "nobody is seen at work"
        );

        realm.stop();
        assert_eq!(leftovers(realm.folder()), Vec::<String>::new());
        assert!(!realm.folder().exists());
    }
}

/// A realm's whole life where nothing can be written but below `$2`.
const IN_A_FROZEN_WORLD: &str = r#"
    set -e
    mount --make-rprivate /
    mount --bind "$2" "$2"
    for place in / /tmp /run /var/tmp /dev/shm; do
        ! mountpoint --quiet "$place" || mount -o remount,bind,ro "$place"
    done
    ! touch /etc/postern-was-here /tmp/postern-was-here 2>/dev/null
    "$1" start "$2/realm"
    "$1" enter "$2/realm" sh -c "$3"
    "$1" stop "$2/realm"
"#;

#[test]
fn nothing_outside_its_folder_is_written() {
    require_root("a namespace of mounts");
    let lab = Lab::new();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", IN_A_FROZEN_WORLD, "sh"])
        .arg(script("realm"))
        .arg(lab.path())
        .arg(QUESTIONS)
        .env("POSTERN", env!("CARGO_BIN_EXE_postern"))
        .stdin(Stdio::null())
        .output()
        .expect("unshare");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_realm_lives_as_long_as_its_shell() {
    let lab = Lab::new();
    let questions = lab.write("questions", QUESTIONS);
    let folder = lab.dir("temporary");
    let output = Command::new(script("realm"))
        .env("POSTERN", env!("CARGO_BIN_EXE_postern"))
        .env("SHELL", "/bin/sh")
        .env("TMPDIR", &folder)
        .stdin(fs::File::open(questions).expect("the questions"))
        .output()
        .expect("kdc-testenv/realm");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("Default principal: alice@EXAMPLE.TEST"),
        "{said}"
    );
    assert!(said.contains("dn:uid=alice,ou=people"), "{said}");
    assert_eq!(leftovers(&folder), Vec::<String>::new());
    assert_eq!(fs::read_dir(folder).expect("the folder").count(), 0);
}

#[test]
fn two_realms_are_two() {
    let lab = Lab::new();
    let one = Part::start(&lab, "realm", "one", &[]);
    let two = Part::start(&lab, "realm", "two", &[]);
    for realm in [&one, &two] {
        assert!(
            realm
                .run("enter", &["sh", "-c", QUESTIONS])
                .status
                .success()
        );
    }
    one.stop();
    assert!(two.run("enter", &["sh", "-c", QUESTIONS]).status.success());
}

#[test]
fn a_realm_that_does_not_start_leaves_nothing() {
    let lab = Lab::new();
    let folder = lab.path().join("realm");
    let output = Command::new(script("realm"))
        .arg("start")
        .arg(&folder)
        .env("POSTERN", "/bin/false")
        .output()
        .expect("kdc-testenv/realm");
    assert!(!output.status.success());
    assert_eq!(leftovers(&folder), Vec::<String>::new());
    assert!(!folder.exists());
}

#[test]
fn what_is_in_the_way_is_left_alone() {
    let lab = Lab::new();
    let treasure = lab.dir("realm").join("treasure");
    fs::write(&treasure, "mine").expect("a file");
    let output = Command::new(script("realm"))
        .arg("start")
        .arg(lab.path().join("realm"))
        .env("POSTERN", "/bin/false")
        .output()
        .expect("kdc-testenv/realm");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("name a folder that is not there"), "{said}");
    assert!(treasure.exists());
}

#[test]
fn the_scripts_pass_shellcheck() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = ["kdc-testenv", "kdc-testenv/containers", "script"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("a folder of scripts"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| fs::read(path).is_ok_and(|text| text.starts_with(b"#!/usr/bin/env bash")));
    let output = Command::new("shellcheck")
        .arg("--external-sources")
        .args(scripts)
        .output()
        .expect("shellcheck: run script/bootstrap");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
