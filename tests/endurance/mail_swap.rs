//! A Maildir, its folders and its messages swapped for links, pipes, devices and other people's files,
//! in the middle of a session and between sessions.
//!
//! Never followed, never waited for. The lab's mail belongs to the server's user; the hand that swaps
//! is that of the folder's owner, another user of the machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::stat::{Mode, SFlag, makedev, mknod};

use crate::lab::Subject;
use crate::lab::mail::Mail;
use crate::lab::pop3::Client;
use crate::lab::world::{ALICE, BOB, Lab, User, require_root};

/// The other user of the machine, who owns the folders around the Maildirs.
const OWNER: u32 = 4711;

/// What no session of Alice may show.
const SECRET: &str = "bobs-secret";

/// Far above what a login takes, far below any time-out.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Alice has three messages, Bob has one.
struct House {
    subject: Subject,
    lab: Lab,
    mails: Vec<Mail>,
}

impl House {
    fn new() -> Self {
        require_root("chown");
        let lab = Lab::new();
        let mails: Vec<_> = (0..3)
            .map(|number| Mail::new(&format!("mine-{number}"), b"mine\n", "\n"))
            .collect();
        lab.maildir(ALICE).deliver_all(&mails);
        lab.maildir(BOB)
            .deliver(&Mail::new(SECRET, b"bobs-secret\n", "\n"));
        let house = Self {
            subject: Subject::start(&lab),
            lab,
            mails,
        };
        house.visit(BOB).quit();
        house.visit(ALICE).quit();
        chown(house.home(ALICE), Some(OWNER), None).expect("chown");
        house
    }

    fn home(&self, user: User) -> PathBuf {
        self.lab.path().join("mail").join(user.name)
    }

    fn visit(&self, user: User) -> Client {
        let mut client = Client::connect(self.subject.doors().plain);
        client.login(user);
        client
    }

    /// A login of Alice that is let in or refused, but at once.
    fn knock(&self) -> Result<Client, String> {
        let started = Instant::now();
        let mut client = Client::connect(self.subject.doors().plain);
        client.ok(&format!("USER {}", ALICE.name));
        let reply = client.ask(&format!("PASS {}", ALICE.password));
        assert!(started.elapsed() < AT_ONCE, "the login waited: {reply}");
        if reply.starts_with("+OK") {
            Ok(client)
        } else {
            Err(reply)
        }
    }

    /// The file of Alice's message with this number, from 1.
    fn file(&self, number: usize) -> PathBuf {
        let files = self.lab.maildir(ALICE).files();
        files.into_values().nth(number - 1).expect("the file")
    }

    /// Bob's mail is as it was.
    fn assert_bob_is_unharmed(&self) {
        let mut client = self.visit(BOB);
        assert_eq!(client.uids().len(), 1);
        let octets = String::from_utf8(client.body("RETR 1")).expect("text");
        assert!(octets.contains(SECRET));
        client.quit();
    }
}

/// A link of the other user, in the place of what was there.
fn put_link(target: &Path, place: &Path) {
    symlink(target, place).expect("a link");
    lchown(place, Some(OWNER), Some(OWNER)).expect("lchown");
}

/// No message of this session shows what is not Alice's; gives how many were shown.
fn assert_nothing_foreign(client: &mut Client, count: usize) -> usize {
    let mut shown = 0;
    for number in 1..=count {
        let started = Instant::now();
        for command in [format!("RETR {number}"), format!("TOP {number} 5")] {
            if let Ok(octets) = client.try_body(&command) {
                let text = String::from_utf8_lossy(&octets).into_owned();
                assert!(text.contains("mine"), "{command} shows {text}");
                shown += 1;
            }
        }
        assert!(started.elapsed() < AT_ONCE, "RETR {number} waited");
    }
    shown
}

#[test]
fn a_maildir_that_becomes_a_link_of_its_neighbour_is_not_followed() {
    let house = House::new();
    let mut client = house.visit(ALICE);
    let maildir = house.home(ALICE).join("Maildir");
    let aside = house.home(ALICE).join("aside");
    fs::rename(&maildir, &aside).expect("moving it away");
    put_link(&house.home(BOB).join("Maildir"), &maildir);
    // The session goes on with what it has opened.
    assert_eq!(assert_nothing_foreign(&mut client, 3), 6);
    client.ok("DELE 1");
    client.quit();
    assert_eq!(fs::read_dir(aside.join("cur")).expect("cur").count(), 2);
    let refusal = house.knock().err().expect("a refusal");
    assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{refusal}");
    let words = ["symbolic link of uid 4711", "chown -h"];
    house.subject.postern().told("the maildrop failed", &words);
    house.assert_bob_is_unharmed();
    fs::remove_file(&maildir).expect("the link");
    fs::rename(&aside, &maildir).expect("moving it back");
    assert_eq!(house.visit(ALICE).uids().len(), 2);
}

#[test]
fn folders_that_become_links_are_not_followed() {
    for name in ["cur", "new"] {
        let house = House::new();
        let mut client = house.visit(ALICE);
        let place = house.home(ALICE).join("Maildir").join(name);
        let aside = house.home(ALICE).join("aside");
        fs::rename(&place, &aside).expect("moving it away");
        put_link(&house.home(BOB).join("Maildir/cur"), &place);
        assert_nothing_foreign(&mut client, 3);
        client.ok("DELE 2");
        let reply = client.ask("QUIT");
        assert!(reply.starts_with("-ERR"), "{name}: {reply}");
        let refusal = house.knock().err().expect("a refusal");
        assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{name}: {refusal}");
        house.assert_bob_is_unharmed();
        fs::remove_file(&place).expect("the link");
        fs::rename(&aside, &place).expect("moving it back");
        assert_eq!(house.visit(ALICE).uids().len(), 3, "{name}");
    }
}

/// What a message file is swapped for.
type Swap = (&'static str, fn(&House, &Path));

const SWAPS: [Swap; 6] = [
    ("a link to /etc/passwd", |_, place| {
        put_link(Path::new("/etc/passwd"), place);
    }),
    ("a link to Bob's message", |house, place| {
        let files = house.lab.maildir(BOB).files();
        put_link(files.values().next().expect("Bob's message"), place);
    }),
    ("a hard link to what only root may read", |house, place| {
        let secret = house.lab.write("shadow", "root:bobs-secret\n");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("chmod");
        fs::hard_link(&secret, place).expect("a hard link");
    }),
    ("a pipe", |_, place| {
        nix::unistd::mkfifo(place, Mode::from_bits_truncate(0o666)).expect("a pipe");
    }),
    ("a device that never ends", |_, place| {
        let zero = makedev(1, 5);
        mknod(place, SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), zero).expect("a device");
    }),
    ("a folder", |_, place| {
        fs::create_dir(place).expect("a folder");
    }),
];

#[test]
fn a_message_swapped_in_the_middle_is_refused_at_once() {
    for (what, swap) in SWAPS {
        let house = House::new();
        let mut client = house.visit(ALICE);
        let place = house.file(2);
        fs::remove_file(&place).expect("removing");
        swap(&house, &place);
        let started = Instant::now();
        client.refused("RETR 2");
        client.refused("TOP 2 0");
        assert!(started.elapsed() < AT_ONCE, "{what}: waited");
        assert_eq!(assert_nothing_foreign(&mut client, 3), 4, "{what}");
        client.ok("STAT");
        client.quit();
        house.assert_bob_is_unharmed();
    }
}

#[test]
fn a_message_swapped_between_sessions_is_not_served_and_stops_nobody() {
    for (what, swap) in SWAPS {
        let house = House::new();
        let place = house.file(2);
        fs::remove_file(&place).expect("removing");
        swap(&house, &place);
        let mut client = house
            .knock()
            .unwrap_or_else(|reply| panic!("{what}: {reply}"));
        let count = client.uids().len();
        assert_eq!(assert_nothing_foreign(&mut client, count), 4, "{what}");
        for number in 1..=count {
            client.ok(&format!("DELE {number}"));
        }
        // A name is removed, and nothing that it led to.
        client.ask("QUIT");
        house.assert_bob_is_unharmed();
        assert!(Path::new("/etc/passwd").exists(), "{what}");
        assert_eq!(house.mails.len(), 3);
    }
}
