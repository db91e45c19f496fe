//! A changed file is loaded, a bad one is not, and unknown names cost what known ones do.

use super::*;
use crate::local::tests::write;
use crate::{PasswordHash, User, UsersFile};

/// Made by crypt(3) with 1000 rounds; password `right`.
const FIVE: &str = "$5$rounds=1000$x$5ncE3xeFO8YNQwpQEydhoeUN1txqxYfpsfRQnCfc8E0";
const BLOWFISH: &str = "$2y$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC";

fn open(text: &str) -> (tempfile::TempDir, PathBuf, Arc<LocalUsers>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, text);
    let users = Arc::new(LocalUsers::open(&path, None).unwrap());
    (folder, path, users)
}

const ALICE: &str = "[[user]]\nname = \"alice\"\n";
const BOTH: &str = "[[user]]\nname = \"alice\"\n[[user]]\nname = \"bob\"\n";

#[test]
fn a_bad_version_never_replaces_the_last_good_one() {
    let (_folder, path, users) = open(ALICE);
    for bad in [
        "[[user]]\nname = \"al",
        "[[user]]\nnome = \"x\"",
        &format!("{ALICE}{ALICE}"),
        "\u{0}",
    ] {
        write(&path, bad);
        users.refresh();
        assert!(users.account("alice").is_some(), "{bad:?}");
        let told = *users.seen.lock().unwrap();
        assert_eq!(
            told,
            Stamp::of_path(&path),
            "told, and not to be told again"
        );
        write(&path, BOTH);
        users.refresh();
        assert!(users.account("bob").is_some());
        write(&path, ALICE);
        users.refresh();
        assert!(users.account("bob").is_none());
    }
}

/// A version that was cut off anywhere counts only if it is a file that could be meant: somebody who
/// replaces the file whole never meets this.
#[test]
fn a_file_cut_off_anywhere_is_refused_unless_it_could_be_meant() {
    let text = "[[user]]\nname='a'\n[[user]]\nname='b'\n";
    let (_folder, path, users) = open(text);
    for length in 0..text.len() {
        let cut = text.get(..length).unwrap();
        write(&path, cut);
        users.refresh();
        let meant = parse(&path, cut).ok().filter(|_| !cut.is_empty());
        let count = meant.map_or(2, |meant| meant.users.len());
        assert_eq!(users.count(), count, "{cut:?}");
        if count != 2 {
            write(&path, text);
            users.refresh();
            assert_eq!(users.count(), 2, "{cut:?}");
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "writes in place")]
fn a_file_that_is_being_written_is_not_believed() {
    let (_folder, path, users) = open(BOTH);
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            for _ in 0..40 {
                std::fs::write(&path, ALICE).unwrap();
                std::thread::sleep(Duration::from_millis(2));
                std::fs::write(&path, BOTH).unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    });
    while !writer.is_finished() {
        users.refresh();
        assert_eq!(users.count(), 2);
    }
    writer.join().unwrap();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "takes the users file away")]
fn a_file_that_is_gone_or_open_to_others_does_not_count() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path, users) = open(ALICE);
    std::fs::remove_file(&path).unwrap();
    users.refresh();
    assert!(users.account("alice").is_some());
    std::fs::write(&path, BOTH).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    users.refresh();
    assert!(users.account("bob").is_none());
    // chmod changes nothing but the time of change, and that is enough.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    users.refresh();
    assert!(users.account("bob").is_some());
}

#[tokio::test(start_paused = true)]
async fn logins_see_a_change_after_a_second() {
    let (_folder, path, users) = open(ALICE);
    let pool = Arc::new(Pool::new("hash", 1, 9, 9).unwrap());
    let directory = LocalDirectory::new(users, pool);
    let bob = Login::parse("bob").unwrap();
    let client = "192.0.2.1".parse().unwrap();
    let mut file = UsersFile::edit(&path).unwrap();
    file.add(&User::new("bob")).unwrap();
    file.save().unwrap();
    assert!(
        directory
            .find(Name::Typed(&bob), client)
            .await
            .unwrap()
            .is_none(),
        "not looked at yet"
    );
    tokio::time::advance(Duration::from_millis(1000)).await;
    assert!(
        directory
            .find(Name::Typed(&bob), client)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn one_asker_in_a_second_looks() {
    let (_folder, _path, users) = open(ALICE);
    assert!(!users.is_due());
    tokio::time::advance(Duration::from_millis(1000)).await;
    assert!(users.is_due());
    assert!(!users.is_due());
    tokio::time::advance(Duration::from_millis(999)).await;
    assert!(!users.is_due());
}

#[test]
fn unknown_names_cost_what_most_users_cost() {
    let user =
        |name: &str, hash: &str| format!("[[user]]\nname = \"{name}\"\npassword = '{hash}'\n");
    let text = [user("a", FIVE), user("b", BLOWFISH), user("c", BLOWFISH)].concat();
    let (_folder, _path, users) = open(&text);
    let blowfish: PasswordHash = BLOWFISH.parse().unwrap();
    let index = users.current.load();
    let (nobody, answer) = index.hash_for(None);
    assert_eq!(
        (nobody.hash().cost(), answer),
        (blowfish.cost(), Some(Verdict::Wrong))
    );
    let (own, answer) = index.hash_for(users.account("a").as_deref());
    assert_eq!((own.hash().as_str(), answer), (FIVE, None));
    let (_folder, _path, users) = open(ALICE);
    let (hash, answer) = users
        .current
        .load()
        .hash_for(users.account("alice").as_deref());
    assert_eq!(
        (hash.hash().clone(), answer),
        (PasswordHash::stand_in(), Some(Verdict::NoPassword))
    );
}

#[tokio::test]
async fn verdicts_are_told_apart_and_the_stand_in_opens_nothing() {
    let (_folder, _path, users) = open(&format!(
        "[[user]]\nname = \"a\"\npassword = '{FIVE}'\n[[user]]\nname = \"b\"\n"
    ));
    let pool = Arc::new(Pool::new("hash", 1, 9, 9).unwrap());
    let directory = LocalDirectory::new(Arc::clone(&users), pool);
    let client = "192.0.2.1".parse().unwrap();
    let ask = async |name: Option<&str>, password: &str| {
        let account = name.map(|name| users.account(name).unwrap());
        let password = Secret::new(password.as_bytes().to_vec());
        directory
            .verify(account.as_deref(), &password, client)
            .await
            .unwrap()
    };
    assert_eq!(ask(Some("a"), "right").await, Verdict::Right);
    assert_eq!(ask(Some("a"), "wrong").await, Verdict::Wrong);
    // The stand-in is a's own hash, and still opens neither b nor nobody.
    assert_eq!(ask(Some("b"), "right").await, Verdict::NoPassword);
    assert_eq!(ask(None, "right").await, Verdict::Wrong);
}

#[tokio::test]
async fn too_much_waiting_work_is_trouble_and_not_a_wrong_password() {
    let (_folder, _path, users) = open(ALICE);
    let pool = Arc::new(Pool::new("hash", 1, 1, 1).unwrap());
    let client = "192.0.2.1".parse().unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (begun, began) = tokio::sync::oneshot::channel();
    let busy = Arc::clone(&pool);
    let occupied = tokio::spawn(async move {
        busy.run(client, move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        })
        .await
    });
    began.await.unwrap();
    let directory = Arc::new(LocalDirectory::new(users, pool));
    let password = Secret::new(b"x".to_vec());
    let (mut first, mut second) = (
        directory.verify(None, &password, client),
        directory.verify(None, &password, client),
    );
    // Polled in order: the first takes the only place, the second finds none.
    let outcome = tokio::select! {
        biased;
        outcome = &mut first => outcome,
        outcome = &mut second => outcome,
    };
    assert_eq!(outcome, Err(Unavailable::Overloaded));
    drop(release);
    assert_eq!(first.await, Ok(Verdict::Wrong));
    occupied.await.unwrap().unwrap();
}
