//! Mail under a server that runs: big replies, failing deletions, broken files.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use socket2::{Domain, Socket, Type};

use crate::wire::client::Client;
use crate::wire::fixture;
use crate::wire::play::{Connection as _, Subject as _};
use crate::wire::postern::{Setup, start};

/// The unique ids that a session sees, in the order of their numbers.
fn uids(client: &mut Client) -> Vec<String> {
    assert!(client.ask("UIDL").starts_with("+OK"));
    let id = |line: String| {
        line.split_once(' ')
            .expect("a number and an id")
            .1
            .to_owned()
    };
    client.list().into_iter().map(id).collect()
}

/// Reads one reply to RETR; the octets of its lines with their line ends, the end left out.
fn message(client: &mut Client) -> Vec<u8> {
    let first = client.line().expect("in time").expect("an answer");
    assert!(first.starts_with(b"+OK"), "{}", first.escape_ascii());
    let mut octets = Vec::new();
    loop {
        let line = client
            .line()
            .expect("in time")
            .expect("more of the message");
        if line == b".\r\n" {
            return octets;
        }
        octets.extend(line);
    }
}

#[test]
fn five_hundred_messages_are_read_by_a_slow_reader_from_one_segment() {
    let mut house = start(&Setup::new());
    let body: String = (0..1000).map(|line| format!("{line:060}\r\n")).collect();
    let octets = format!("Subject: big\r\n\r\n{body}");
    fixture::deliver(&house.ground.maildir("alice"), octets.as_bytes(), 77);
    // A window that is full at once: the server has to wait for the reader again and again.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    socket.connect(&house.clear.into()).expect("connecting");
    let mut client = Client::from_stream(socket.into()).expect("a client");
    assert!(client.answer().starts_with("+OK"));
    let commands = format!(
        "USER alice\r\nPASS correct horse\r\n{}STAT\r\nQUIT\r\n",
        "RETR 3\r\n".repeat(500)
    );
    client.send(commands.as_bytes()).expect("sending");
    // Meanwhile others are served.
    assert!(house.session("paula").ask("STAT").starts_with("+OK 2 "));
    house.deliver("third").expect("a delivery");
    assert!(client.answer().starts_with("+OK"));
    assert!(client.answer().starts_with("+OK"));
    for _ in 0..500 {
        assert_eq!(message(&mut client).len(), octets.len());
    }
    assert!(client.answer().starts_with("+OK 3 "));
    assert!(client.answer().starts_with("+OK"));
    assert_eq!(client.answer(), "(closed)");
}

#[test]
fn every_line_feed_follows_a_carriage_return() {
    for maildrop in ["two", "dots", "ends", "bare", "eight", "empty"] {
        let house = start(&Setup::new().maildrop(maildrop));
        let mut client = house.client();
        let commands = "CAPA\r\nAUTH\r\nXYZZ\r\n\r\nUSER alice\r\nPASS correct horse\r\nCAPA\r\nSTAT\r\nLIST\r\nUIDL\r\n\
            RETR 1\r\nRETR 2\r\nRETR 3\r\nRETR 4\r\nTOP 1 0\r\nTOP 2 1\r\nTOP 4 9\r\nRETR 9\r\nLANG\r\nQUIT\r\n";
        client.send(commands.as_bytes()).expect("sending");
        while client.fill().expect("reading") > 0 {}
        let said = client.unread();
        let bare = said.iter().enumerate().filter(|&(at, &octet)| match octet {
            b'\n' => at == 0 || said[at - 1] != b'\r',
            b'\r' => said.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        assert_eq!(bare.count(), 0, "{maildrop}: {}", said.escape_ascii());
    }
}

/// One message that the service user may read but not remove: it belongs to root, in a folder with
/// the sticky bit.
fn nail_down(maildir: &Path, number: usize) {
    assert!(
        nix::unistd::Uid::effective().is_root(),
        "run the tests as root (sudo script/test)"
    );
    let cur = maildir.join("cur");
    chown(&cur, Some(0), None).expect("chown");
    fs::set_permissions(&cur, Permissions::from_mode(0o1777)).expect("chmod");
    let file = fixture::file(maildir, number).expect("the message");
    chown(&file, Some(0), None).expect("chown");
}

#[test]
fn a_deletion_that_fails_is_told_and_removes_nothing_else() {
    let house = start(&Setup::new().maildrop("three"));
    let mut client = house.session("alice");
    assert!(client.ask("DELE 1").starts_with("+OK"));
    assert!(client.ask("DELE 3").starts_with("+OK"));
    nail_down(&house.ground.maildir("alice"), 1);
    assert!(
        client.ask("QUIT").starts_with("-ERR"),
        "QUIT claims success"
    );
    assert_eq!(client.answer(), "(closed)");
    // The first could not be removed, the third was all the same, the second was not marked.
    assert_eq!(uids(&mut house.session("alice")), ["101", "205"]);
}

#[test]
fn a_maildrop_in_trouble_is_no_wrong_password() {
    let house = start(&Setup::new());
    let maildir = house.ground.maildir("alice");
    for part in ["cur", "new"] {
        fs::remove_dir_all(maildir.join(part)).expect("removing");
        fs::write(maildir.join(part), "no folder").expect("writing");
    }
    let mut client = house.client();
    assert!(client.ask("USER alice").starts_with("+OK"));
    let answer = client.ask("PASS correct horse");
    assert!(answer.starts_with("-ERR [SYS/"), "{answer}");
    // Whoever does not know the password does not learn of the trouble.
    assert!(client.ask("USER alice").starts_with("+OK"));
    let answer = client.ask("PASS wrong");
    assert!(answer.starts_with("-ERR [AUTH]"), "{answer}");
}

#[test]
fn an_index_that_is_lost_or_broken_never_gives_an_id_again() {
    let broken: [Option<&str>; 4] = [
        None,
        Some(""),
        Some("garbage\n"),
        Some("3 V1 N2\n101 no colon\n\0\0\0"),
    ];
    for index in broken {
        let house = start(&Setup::new().maildrop("three"));
        let path = house.ground.maildir("alice").join("dovecot-uidlist");
        match index {
            None => fs::remove_file(&path).expect("removing"),
            Some(contents) => fs::write(&path, contents).expect("writing"),
        }
        let mut client = house.client();
        assert!(client.ask("USER alice").starts_with("+OK"));
        let answer = client.ask("PASS correct horse");
        assert!(answer.starts_with("+OK"), "{index:?}: {answer}");
        let first = uids(&mut client);
        let numbers: Vec<u32> = first
            .iter()
            .map(|uid| uid.parse().expect("a decimal number"))
            .collect();
        assert!(
            numbers.is_sorted_by(|a, b| a < b) && numbers[0] > 499,
            "{index:?} gave {numbers:?}"
        );
        assert_eq!(
            uids(&mut house.session("alice")),
            first,
            "{index:?}: not stable"
        );
    }
}

#[test]
fn a_maildrop_of_more_than_four_gigabytes_is_counted_right() {
    let house = start(&Setup::new().maildrop("empty"));
    let size: u64 = 5 << 30;
    for number in 1..=2 {
        let path = house.ground.maildir("alice").join(format!(
            "cur/170000000{number}.M1P1.pop,S={size},W={size}:2,"
        ));
        let file = fs::File::create(path).expect("a sparse file");
        file.set_len(size).expect("its length");
    }
    house.ground.give_away();
    let mut client = house.session("alice");
    assert_eq!(client.ask("STAT"), format!("+OK 2 {}", 2 * size));
    assert_eq!(client.ask("LIST 2"), format!("+OK 2 {size}"));
}

#[test]
fn what_is_no_message_is_not_served() {
    let house = start(&Setup::new());
    let maildir = house.ground.maildir("alice");
    std::os::unix::fs::symlink("/etc/passwd", maildir.join("cur/1700000098.M98P1.pop:2,S"))
        .expect("a link");
    nix::unistd::mkfifo(
        &maildir.join("cur/1700000099.M99P1.pop:2,S"),
        nix::sys::stat::Mode::S_IRUSR,
    )
    .expect("a pipe");
    fs::create_dir(maildir.join("new/1700000100.M100P1.pop")).expect("a folder");
    let mut client = house.session("alice");
    let count = uids(&mut client).len();
    for number in 1..=count {
        if !client.ask(&format!("RETR {number}")).starts_with("+OK") {
            continue;
        }
        assert!(
            !client.list().iter().any(|line| line.contains("root:")),
            "a link was followed"
        );
    }
    assert!(client.ask("QUIT").starts_with("+OK"));
}

#[test]
fn a_monstrous_header_and_a_monstrous_line_are_only_octets() {
    let house = start(&Setup::new().maildrop("empty"));
    let header: String = (0..200_000)
        .map(|line| format!("X-{line}: {line}\n"))
        .collect();
    let maildir = house.ground.maildir("alice");
    fixture::deliver(&maildir, format!("{header}\nbody\n").as_bytes(), 1);
    fixture::deliver(
        &maildir,
        &[b"Subject: line\n\n".to_vec(), vec![b'.'; 8 << 20]].concat(),
        2,
    );
    let mut client = house.session("alice");
    assert!(client.ask("TOP 1 0").starts_with("+OK"));
    assert_eq!(client.list().len(), 200_001);
    client.send(b"RETR 2\r\n").expect("sending");
    // One dot of stuffing, one line end.
    assert_eq!(message(&mut client).len(), 17 + (8 << 20) + 1 + 2);
}
