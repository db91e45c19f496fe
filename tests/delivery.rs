//! Mail that real delivery agents put into a Maildir is listed, fetched and deleted.
//!
//! The server runs before the first message comes, and each visit sees what lies in the Maildir at
//! that moment. What is fetched is compared with the agent's own file.

#![cfg(test)]

mod lab;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lab::Subject;
use lab::daemon::until;
use lab::mail::{Folder, Mail, awkward, long_line, unix_form, wire_form};
use lab::postfix::Postfix;
use lab::tool::Tool;
use lab::visit::{body, files_below};
use lab::world::{ALICE, Lab, User};

fn mails() -> Vec<Mail> {
    let mut mails = awkward();
    mails.push(long_line());
    mails
}

/// curl in the user's name, without TLS.
fn curl(lab: &Lab, user: User) -> Tool {
    Tool::new(lab, "curl")
        .args(["--silent", "--show-error", "--max-time", "30"])
        .args(["--user", &format!("{}:{}", user.name, user.password)])
}

/// Lists everything, fetches it and deletes it; what came home must be what the files hold.
fn empty_the_maildrop(lab: &Lab, subject: &Subject, user: User) {
    let folder = lab.maildir(user);
    let wanted = sorted(
        contents(&folder)
            .iter()
            .map(|octets| wire_form(octets))
            .collect(),
    );
    let base = format!("pop3://{}", subject.doors().plain);
    let listed = String::from_utf8(curl(lab, user).arg(format!("{base}/")).run()).expect("text");
    let sizes: Vec<_> = listed
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.trim().parse::<usize>().ok())
        .collect();
    assert_eq!(sizes.len(), wanted.len(), "messages listed");
    let numbers = format!("{base}/[1-{}]", sizes.len());
    let fetched = lab.dir("fetched");
    curl(lab, user)
        .arg("--output")
        .arg(fetched.join("#1"))
        .arg(&numbers)
        .run();
    assert!(
        sorted(files_below(&fetched)) == wanted,
        "what came home is not what lies on disk"
    );
    for (index, size) in sizes.iter().enumerate() {
        let octets = fs::metadata(fetched.join((index + 1).to_string()))
            .expect("a fetched message")
            .len();
        // A server may leave a missing last line end out of the size (RFC 1939 §11 counts what is
        // stored): two octets.
        let listed = u64::try_from(*size).expect("a size");
        assert!(
            listed == octets || listed + 2 == octets,
            "message {} of {octets} octets listed as {size}",
            index + 1
        );
    }
    curl(lab, user)
        .args(["--head", "--request", "DELE", &numbers])
        .run();
    until("the server to have deleted everything", || {
        (folder.len() == 0).then_some(())
    });
    fs::remove_dir_all(&fetched).expect("to clear what was fetched");
}

fn sorted(mut octets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    octets.sort();
    octets
}

/// What the message files hold.
fn contents(folder: &Folder) -> Vec<Vec<u8>> {
    ["new", "cur"]
        .iter()
        .flat_map(|name| files_below(&folder.path().join(name)))
        .collect()
}

/// The agent delivered each of them unharmed: the bodies are on disk.
fn assert_delivered(folder: &Folder, mails: &[Mail]) {
    let on_disk: BTreeSet<Vec<u8>> = contents(folder)
        .iter()
        .map(|octets| body(&unix_form(octets)).to_vec())
        .collect();
    for mail in mails {
        assert!(
            on_disk.contains(body(&mail.unix())),
            "{} was not delivered as it was",
            mail.name
        );
    }
}

fn deliver_by_postfix(lab: &Lab, postfix: &Postfix, user: User, mails: &[Mail]) {
    let folder = lab.maildir(user);
    let before = folder.len();
    for mail in mails {
        postfix.send(lab, mail, user);
    }
    until("Postfix to deliver everything", || {
        (folder.len() == before + mails.len()).then_some(())
    });
    assert_delivered(&folder, mails);
}

/// Dovecot's delivery agent: names with sizes in them, and its index beside the mail.
fn deliver_by_dovecot(lab: &Lab, user: User, mails: &[Mail]) {
    const AGENT: &str = "/usr/lib/dovecot/dovecot-lda";
    let folder = lab.maildir(user);
    let run = lab.dir("lda-run");
    lab.give(&run);
    let settings = lab.write(
        "lda.conf",
        format!(
            "base_dir = {run}\nlog_path = {run}/lda.log\nprotocols =\npostmaster_address = lab@example.test\n\
             mail_location = maildir:{path}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n",
            run = run.display(),
            path = folder.path().display()
        ),
    );
    for mail in mails {
        let file = lab.write(&format!("{}.eml", mail.name), &mail.octets);
        Tool::new(lab, AGENT)
            .owner(lab.uid, lab.gid)
            .arg("-c")
            .arg(&settings)
            .args(["-e"])
            .input(&file)
            .run();
    }
    assert_delivered(&folder, mails);
    let named = folder
        .files()
        .into_keys()
        .filter(|name| name.contains(",S=") && name.contains(",W="))
        .count();
    assert_eq!(named, mails.len(), "names with sizes");
    assert!(
        folder.path().join("dovecot-uidlist").exists(),
        "the agent's index"
    );
}

/// Files as people and scripts leave them: flags, no flags, sizes right and alone, and things that
/// are not mail.
fn deliver_by_hand(lab: &Lab, user: User, mails: &[Mail]) {
    let folder = lab.maildir(user);
    let (first, second) = (&mails[0], &mails[3]);
    put(
        lab,
        &folder,
        "cur/1500000000.flags.lab:2,FRS",
        &first.octets,
    );
    put(lab, &folder, "cur/1500000001.none.lab", &second.octets);
    put(
        lab,
        &folder,
        "cur/1500000002.empty.lab:2,",
        &first.octets[1..],
    );
    let twice = second.octets.repeat(2);
    put(
        lab,
        &folder,
        &format!("new/1500000003.size.lab,S={}", twice.len()),
        &twice,
    );
    put(
        lab,
        &folder,
        "new/a name with blanks and \u{e4}",
        &first.octets.repeat(3),
    );
    put(
        lab,
        &folder,
        "new/1500000004.\\057\\072.lab:2,",
        &second.octets.repeat(4),
    );
    // Not mail: still being written, hidden, foreign.
    put(lab, &folder, "tmp/1500000005.unfinished.lab", b"half");
    put(lab, &folder, "a-file-in-the-top-folder", b"not mail");
}

fn put(lab: &Lab, folder: &Folder, name: &str, octets: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    lab.write(
        path.strip_prefix(lab.path())
            .expect("below the lab")
            .to_str()
            .expect("text"),
        octets,
    );
    lab.give(&path);
    path
}

#[test]
fn postfix_delivers() {
    let lab = Lab::new();
    let subject = Subject::start(&lab);
    let postfix = Postfix::start(&lab);
    deliver_by_postfix(&lab, &postfix, ALICE, &mails());
    empty_the_maildrop(&lab, &subject, ALICE);
    // The second time there is an index of what was there before.
    deliver_by_postfix(&lab, &postfix, ALICE, &mails()[..3]);
    empty_the_maildrop(&lab, &subject, ALICE);
}

#[test]
fn dovecot_delivers() {
    let lab = Lab::new();
    let subject = Subject::start(&lab);
    deliver_by_dovecot(&lab, ALICE, &mails());
    empty_the_maildrop(&lab, &subject, ALICE);
}

#[test]
fn hands_deliver() {
    let lab = Lab::new();
    let subject = Subject::start(&lab);
    deliver_by_hand(&lab, ALICE, &mails());
    empty_the_maildrop(&lab, &subject, ALICE);
    let maildir = lab.maildir(ALICE);
    for name in ["tmp/1500000005.unfinished.lab", "a-file-in-the-top-folder"] {
        assert!(
            Path::new(maildir.path()).join(name).exists(),
            "{name} was touched"
        );
    }
}

#[test]
fn all_deliver_into_one_maildir() {
    let lab = Lab::new();
    let subject = Subject::start(&lab);
    let postfix = Postfix::start(&lab);
    deliver_by_dovecot(&lab, ALICE, &mails()[..4]);
    deliver_by_hand(&lab, ALICE, &mails());
    deliver_by_postfix(&lab, &postfix, ALICE, &mails()[4..]);
    empty_the_maildrop(&lab, &subject, ALICE);
}
