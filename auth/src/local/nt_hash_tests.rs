//! NT hashes in the users file: both forms, the key, and what becomes of them without it.
#![expect(clippy::disallowed_methods, reason = "these tests write users files")]

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tests::write;
use super::*;
use crate::{Directory, NtHash, Pool, Secret};

/// \[MS-NLMP\] §4.2.2.1.2: of "Password".
const CLEAR: &str = "a4f49c406510bdcab6824ee7c30fd852";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn hash() -> NtHash {
    NtHash::of_password(&Secret::new(b"Password".to_vec())).unwrap()
}

/// A folder with a users file and its key.
struct Desk {
    folder: tempfile::TempDir,
    key: UsersKey,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = UsersKey::create(&folder.path().join("users.key"), None).unwrap();
        Self { folder, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sealed(&self, account: &str) -> String {
        self.key.seal(account, &hash()).unwrap().to_text()
    }

    /// Users of these names with these hashes.
    fn users(&self, users: &[(&str, &str)]) -> PathBuf {
        let user = |(name, hash): &(&str, &str)| {
            format!("[[user]]\nname = \"{name}\"\nnt_hash = \"{hash}\"\n")
        };
        let path = self.path("users.toml");
        write(&path, &users.iter().map(user).collect::<String>());
        path
    }
}

/// What the directory says of an account.
async fn told(users: &Path, key: Option<&Path>, name: &str) -> Option<NtHash> {
    let users = Arc::new(LocalUsers::open(users, key).unwrap());
    let account = users.account(name).unwrap();
    let directory = LocalDirectory::new(users, Arc::new(Pool::new("test", 1, 8, 8).unwrap()));
    directory.nt_hash(&account, CLIENT).await.unwrap()
}

#[tokio::test]
async fn a_hash_in_the_clear_is_told() {
    let desk = Desk::new();
    let users = desk.users(&[("Ann", CLEAR), ("ben", &CLEAR.to_uppercase())]);
    for name in ["ann", "ben"] {
        assert_eq!(told(&users, None, name).await, Some(hash()));
    }
}

#[tokio::test]
async fn a_sealed_hash_needs_its_key_and_its_user() {
    let desk = Desk::new();
    let (of_ann, of_ben) = (desk.sealed("ann"), desk.sealed("ben"));
    let users = desk.users(&[("Ann", &of_ann), ("ben", &of_ann), ("cem", CLEAR)]);
    let key = desk.path("users.key");
    let other = desk.path("other.key");
    UsersKey::create(&other, None).unwrap();
    let (key, other) = (Some(key.as_path()), Some(other.as_path()));
    assert_eq!(told(&users, key, "ann").await, Some(hash()));
    assert_eq!(told(&users, key, "ben").await, None, "moved from another");
    for no_key in [None, other, Some(Path::new("/nowhere/key"))] {
        assert_eq!(told(&users, no_key, "ann").await, None);
        assert_eq!(told(&users, no_key, "cem").await, Some(hash()));
    }
    assert_ne!(of_ann, desk.sealed("ann"), "the nonce is another each time");
    assert_ne!(of_ann, of_ben);
    assert!(!of_ann.contains(CLEAR) && of_ann.len() < 80, "{of_ann}");
}

#[test]
fn what_is_wrong_with_the_key_is_said_with_a_remedy() {
    let desk = Desk::new();
    let users = desk.users(&[("ann", &desk.sealed("ann")), ("ben", &desk.sealed("ann"))]);
    let file = UsersFile::load(&users).unwrap();
    let said = |key: &str| {
        let trouble = file.seal_trouble(Some(&desk.path(key)));
        trouble
            .map(|trouble| trouble.to_string())
            .unwrap_or_default()
    };
    assert!(
        said("users.key").contains("\"ben\", one of 1,"),
        "{}",
        said("users.key")
    );
    UsersKey::create(&desk.path("other.key"), None).unwrap();
    assert!(said("other.key").contains("\"ann\", one of 2,"));
    assert!(said("other.key").contains("users.key_file"));
    assert!(said("none.key").contains("`postern user key new FILE`"));
    write(&desk.path("odd.key"), "x\n");
    assert!(said("odd.key").contains("is not a key"));
    let no_key = file.seal_trouble(None).unwrap().to_string();
    assert!(no_key.contains("set users.key_file"), "{no_key}");
    let clear = UsersFile::load(&desk.users(&[("ann", CLEAR)])).unwrap();
    assert!(clear.seal_trouble(Some(&desk.path("none.key"))).is_none());
}

#[test]
fn a_key_that_others_could_read_or_write_is_refused() {
    let desk = Desk::new();
    let key = desk.path("users.key");
    for (mode, fine) in [
        (0o600, true),
        (0o400, true),
        (0o440, true),
        (0o640, true),
        (0o644, false),
        (0o660, false),
        (0o602, false),
        (0o604, false),
    ] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(UsersKey::load(&key).is_ok(), fine, "{mode:o}");
    }
    let said = UsersKey::load(&key).unwrap_err().to_string();
    assert!(
        said.contains("mode 604") && said.contains("chmod 600"),
        "{said}"
    );
}

#[test]
fn a_new_key_is_private_and_never_replaces_one() {
    let desk = Desk::new();
    let key = desk.path("users.key");
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&key).unwrap();
    let said = UsersKey::create(&key, None).unwrap_err().to_string();
    assert!(said.contains("never written over"), "{said}");
    assert_eq!(std::fs::read(&key).unwrap(), before);
    assert!(UsersKey::load(desk.folder.path()).is_err(), "a folder");
    assert!(!format!("{:?}", desk.key).contains(std::str::from_utf8(&before).unwrap().trim()));
}

#[test]
fn an_edit_keeps_either_form() {
    let desk = Desk::new();
    let sealed = desk.sealed("ann");
    let path = desk.users(&[("ann", &sealed), ("ben", CLEAR)]);
    let mut file = UsersFile::edit(&path).unwrap();
    let mut ann = file.find("ann").unwrap().clone();
    ann.disabled = true;
    file.update(&ann).unwrap();
    let mut cem = User::new("cem");
    cem.nt_hash = Some(StoredNtHash::Clear(hash()));
    file.add(&cem).unwrap();
    file.save().unwrap();
    drop(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(&sealed), "{text}");
    assert_eq!(text.matches(CLEAR).count(), 2, "{text}");
    let mut file = UsersFile::edit(&path).unwrap();
    ann.nt_hash = None;
    file.update(&ann).unwrap();
    file.save().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("AES"), "{text}");
}

#[test]
fn a_damaged_hash_is_said_and_never_repeated() {
    let desk = Desk::new();
    let sealed = desk.sealed("ann");
    for damaged in [
        "",
        &CLEAR[1..],
        &format!("{CLEAR}0"),
        &CLEAR.replace('a', "x"),
        &sealed[..sealed.len() - 4],
        &sealed.replace("$1$", "$2$"),
        &format!("{sealed}AAAA"),
        "AES-256-GCM$1$",
        "+4f49c406510bdcab6824ee7c30fd852",
    ] {
        let path = desk.users(&[("ann", damaged)]);
        let said = UsersFile::load(&path).unwrap_err().to_string();
        assert!(
            said.contains(":3:11: user \"ann\": nt_hash: is neither"),
            "{said}"
        );
        assert!(damaged.len() < 20 || !said.contains(damaged), "{said}");
    }
    let path = desk.users(&[("ann", CLEAR), ("ben", &sealed)]);
    let shown = format!("{:?}", UsersFile::load(&path).unwrap().users());
    assert!(
        !shown.contains("164") && shown.contains("StoredNtHash(redacted)"),
        "{shown}"
    );
}
