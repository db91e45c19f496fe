//! The users file under an editor, a copy that is cut off, a wrong `chmod`.
//!
//! The last good version serves, so that whoever could log in can go on doing so; the log says once
//! what is wrong, where, and what to do.

use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::Subject;
use crate::lab::daemon::until;
use crate::lab::pop3::Client;
use crate::lab::world::{ALICE, Lab, USERS, User, is_root};
use crate::length::rounds;

/// A server, its users file, and how that was at first.
struct Desk {
    subject: Subject,
    lab: Lab,
    path: PathBuf,
    text: String,
}

impl Desk {
    fn new() -> Self {
        let lab = Lab::new();
        let subject = Subject::start(&lab);
        let path = lab.path().join("users.toml");
        let text = fs::read_to_string(&path).expect("the users file");
        Self {
            subject,
            lab,
            path,
            text,
        }
    }

    fn logs_in(&self, user: User) -> bool {
        let mut client = Client::connect(self.subject.doors().plain);
        client.ok(&format!("USER {}", user.name));
        let reply = client.ask(&format!("PASS {}", user.password));
        reply.starts_with("+OK")
    }

    /// Writes the file in place, as an editor does.
    fn write(&self, text: &str) {
        fs::write(&self.path, text).expect("the users file");
    }

    /// Writes another file and puts it in its place, as `postern user` does.
    fn replace(&self, text: &str) {
        let beside = self.path.with_extension("new");
        fs::write(&beside, text).expect("a file beside it");
        fs::set_permissions(&beside, Permissions::from_mode(0o600)).expect("chmod");
        self.lab.give(&beside);
        fs::rename(&beside, &self.path).expect("replacing");
    }

    /// All three log in while this goes on, and at least until the file was looked at so often.
    fn everybody_logs_in_during(&self, looks: u64, mut act: impl FnMut(usize)) {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for user in USERS {
                let over = &over;
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        assert!(self.logs_in(user), "{} was locked out", user.name);
                    }
                });
            }
            let started = Instant::now();
            let enough = Duration::from_secs(looks);
            let acts = rounds(50, 1000);
            let mut number = 0;
            // An assertion of a thread ends the scope, but not before this loop does.
            while number < acts || started.elapsed() < enough {
                act(number);
                number += 1;
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}

/// Sections of people who come and go, so that each version is another one.
fn strangers(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("[[user]]\nname = \"stranger{number}\"\n\n"))
        .collect()
}

#[test]
fn users_log_in_while_the_file_is_replaced_again_and_again() {
    let desk = Desk::new();
    desk.everybody_logs_in_during(3, |number| {
        let mut text = strangers(number % 7).concat();
        write!(text, "{}", desk.text).expect("a string grows");
        desk.replace(&text);
        thread::sleep(Duration::from_millis(3));
    });
    assert!(
        desk.subject
            .postern()
            .records("users not loaded; the last good version stays")
            .is_empty()
    );
    let last = format!(
        "{}[[user]]\nname = \"last\"\nmaildrop = \"/last\"\n",
        desk.text
    );
    desk.replace(&last);
    until("the last version", || {
        assert!(desk.logs_in(ALICE));
        let loaded = desk.subject.postern().records("users loaded");
        loaded
            .last()
            .filter(|record| record.contains("\"users\":4"))?;
        Some(())
    });
}

/// A writer that stops after each user: whatever part of the file is there, it is a file without
/// mistakes.
#[test]
fn users_log_in_while_the_file_is_written_in_place() {
    let desk = Desk::new();
    let mut sections = strangers(30);
    sections.push(desk.text.clone());
    desk.everybody_logs_in_during(4, |_| {
        let mut file = File::create(&desk.path).expect("the users file, now empty");
        for section in &sections {
            file.write_all(section.as_bytes()).expect("a section");
            thread::sleep(Duration::from_micros(600));
        }
    });
    until("the version that was left", || {
        assert!(desk.logs_in(ALICE));
        let loaded = desk.subject.postern().records("users loaded");
        loaded
            .last()
            .filter(|record| record.contains("\"users\":33"))?;
        Some(())
    });
}

/// How a users file can be wrong, and what the log says about it beside the path.
type Trouble = (&'static str, fn(&Desk), &'static [&'static str]);

const TROUBLES: [Trouble; 7] = [
    (
        "cut off",
        |desk| desk.write(&desk.text[..desk.text.len() - 9]),
        &["users.toml:"],
    ),
    (
        "empty",
        |desk| desk.write(""),
        &["is empty", "leave a comment"],
    ),
    (
        "a mistake in line 2",
        |desk| desk.write(&format!("\nnome = 1\n{}", desk.text)),
        &["users.toml:2:1: "],
    ),
    (
        "readable for others",
        |desk| mode(&desk.path, 0o644),
        &["has mode 644", "chmod 600"],
    ),
    (
        "not readable",
        |desk| {
            assert!(is_root(), "run the tests as root (sudo script/test)");
            mode(&desk.path, 0o600);
            std::os::unix::fs::chown(&desk.path, Some(0), Some(0)).expect("chown");
        },
        &["cannot open", "chown"],
    ),
    (
        "a folder",
        |desk| {
            fs::remove_file(&desk.path).expect("removing");
            fs::create_dir(&desk.path).expect("a folder");
            mode(&desk.path, 0o700);
            desk.lab.give(&desk.path);
        },
        &["is not a regular file"],
    ),
    (
        "not there",
        |desk| fs::remove_dir(&desk.path).expect("removing"),
        &["cannot open", "No such file"],
    ),
];

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

#[test]
fn a_bad_users_file_is_told_once_and_locks_nobody_out() {
    const RECORD: &str = "users not loaded; the last good version stays";
    let desk = Desk::new();
    // How long each of them stays: so many looks at the file.
    let stay = Duration::from_secs(rounds(0, 3) as u64);
    for (number, (what, spoil, words)) in TROUBLES.into_iter().enumerate() {
        spoil(&desk);
        let told = until("the record", || {
            assert!(desk.logs_in(ALICE), "{what}: alice is locked out");
            let told = desk.subject.postern().records(RECORD);
            (told.len() > number).then_some(told)
        });
        let record = told.last().expect("a record");
        let path = desk.path.to_str().expect("a plain path");
        assert!(record.contains(path), "{what}: {record}");
        for word in words {
            assert!(record.contains(word), "{what}: {record}");
        }
        let started = Instant::now();
        while started.elapsed() < stay {
            for user in USERS {
                assert!(desk.logs_in(user), "{what}: {} is locked out", user.name);
            }
        }
        assert_eq!(
            desk.subject.postern().records(RECORD).len(),
            number + 1,
            "{what}: told twice"
        );
    }
    desk.replace(&desk.text);
    until("the good version", || {
        assert!(desk.logs_in(ALICE));
        (!desk.subject.postern().records("users loaded").is_empty()).then_some(())
    });
}
