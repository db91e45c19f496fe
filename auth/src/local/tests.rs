//! Users files with mistakes in them, changes that keep comments, and what both leave on disk.
#![expect(clippy::disallowed_methods, reason = "these tests write users files")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::*;
use crate::{Secret, hash_password};

/// Puts a users file there, readable for its owner only.
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    mode(path, 0o600);
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder with a users file.
struct Desk {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn desk(text: &str) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    write(&path, text);
    Desk {
        _folder: folder,
        path,
    }
}

/// What loading says, with the path left out.
fn complaint(text: &str) -> String {
    let desk = desk(text);
    let fault = UsersFile::load(&desk.path).expect_err(text).to_string();
    fault
        .strip_prefix(desk.path.to_str().unwrap())
        .unwrap()
        .to_owned()
}

#[test]
fn every_key_is_read() {
    let desk = desk(
        "[[user]]\nname = \"Alice@Example.test\"\naliases = [\"a\", 'CORP\\alice']\nsite = \"London\"\n\
         pop3 = false\ndisabled = true\nexact_size = true\ndelegates = [\"B\", \"other\"]\n\
         maildrop = \"/srv/mail/alice\"\n[[user]]\nname = \"bob\"\naliases = [\"b\"]\n",
    );
    let users = LocalUsers::open(&desk.path, None).unwrap();
    assert_eq!(users.count(), 2);
    for name in [
        "alice@example.test",
        "A",
        "corp\\ALICE",
        "corp/alice",
        "alice@corp",
    ] {
        let account = users.account(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(account.name, "alice@example.test");
    }
    let account = users.account("a").unwrap();
    assert!(account.disabled && account.pop3_off && account.exact_size == Some(true));
    assert_eq!(
        account.site.as_ref().map(crate::Site::as_str),
        Some("London")
    );
    assert_eq!(
        account.delegates,
        ["bob", "other"],
        "an alias counts as its user"
    );
    assert_eq!(
        account.maildrop.as_deref(),
        Some(Path::new("/srv/mail/alice"))
    );
    assert_eq!(
        users.account("alice").map(|account| account.name.clone()),
        None
    );
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    for (text, says) in [
        (
            "[[user]]\nname = \"a\"\npasword = \"x\"",
            ":3:1: unknown field `pasword`",
        ),
        (
            "[[user]]\nname = \"a\"\npop3 = \"no\"",
            ":3:8: invalid type",
        ),
        ("[[user]]\npop3 = true", ":1:1: missing field `name`"),
        ("users = 1", ":1:1: unknown field `users`"),
        ("[[user]]\nname = \"a\"\n[[us", ":3:5: "),
        (
            "[[user]]\nname = \"a\"\npassword = \"secret\"",
            ":3:12: user \"a\": password: is not a hash",
        ),
        (
            "[[user]]\nname = \"a\"\nmaildrop = \"mail/a\"",
            ":3:12: user \"a\": maildrop = \"mail/a\": give the absolute",
        ),
        (
            "[[user]]\nname = \"a\"\nmaildrop = \"/srv/../a\"",
            ":3:12: user \"a\": maildrop",
        ),
        (
            "[[user]]\nname = \"a\"\nsite = \" \"",
            ":3:8: user \"a\": site: the name is empty",
        ),
        (
            "[[user]]\nname = \"a\"\n[[user]]\nname = \"A\"",
            ":4:8: user \"A\": name = \"A\": the user \"a\" answers",
        ),
        (
            "[[user]]\nname = \"a\"\n[[user]]\nname = \"b\"\naliases = [\"c\", \"A\"]",
            ":5:17: user \"b\": aliases = \"A\": the user \"a\"",
        ),
        (
            "[[user]]\nname = \"x@y\"\n[[user]]\nname = \"b\"\naliases = ['Y\\X']",
            ":5:12: user \"b\": aliases",
        ),
    ] {
        assert!(
            complaint(text).starts_with(says),
            "{text}\n-> {}",
            complaint(text)
        );
    }
}

#[test]
fn names_that_could_lead_anywhere_are_refused() {
    for name in [
        "",
        "a/b",
        "a\\\\b",
        ".",
        "..",
        ".a",
        "a..b",
        "a@.b",
        "@b",
        "a@",
        "a\\u0000b",
        "a\\nb",
        " a",
        "a@b ",
    ] {
        let says = complaint(&format!("[[user]]\nname = \"{name}\""));
        assert!(
            says.starts_with(":2:8: user ") && says.contains("a name has no slash"),
            "{says}"
        );
    }
    let long = "a".repeat(256);
    assert!(complaint(&format!("[[user]]\nname = \"{long}\"")).contains("255 octets"));
    assert!(complaint("[[user]]\nname = \"a\"\naliases = [\"../x\"]").starts_with(":3:12:"));
    assert!(complaint("[[user]]\nname = \"a\"\ndelegates = [\"a/b/c\"]").starts_with(":3:14:"));
}

#[test]
fn a_hash_is_never_repeated_in_a_complaint() {
    let says = complaint("[[user]]\nname = \"a\"\npassword = \"$6$verysecret$damaged\"");
    assert!(
        says.contains("is damaged") && !says.contains("verysecret"),
        "{says}"
    );
}

#[test]
fn files_that_others_may_touch_are_refused_with_the_remedy() {
    let desk = desk("");
    for bits in [0o640, 0o604, 0o620, 0o601, 0o666] {
        mode(&desk.path, bits);
        let says = UsersFile::load(&desk.path).unwrap_err().to_string();
        assert!(
            says.contains(&format!("mode {bits:03o}")) && says.contains("chmod 600"),
            "{says}"
        );
    }
    mode(&desk.path, 0o400);
    assert!(UsersFile::load(&desk.path).is_ok());
}

#[test]
fn what_is_not_a_file_is_refused_without_waiting() {
    let desk = desk("");
    let pipe = desk.path.with_extension("pipe");
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, rustix::fs::Mode::RUSR, 0).unwrap();
    for path in [
        pipe.as_path(),
        desk.path.parent().unwrap(),
        Path::new("/dev/null"),
    ] {
        assert!(
            matches!(UsersFile::load(path), Err(UsersError::NotRegular { .. })),
            "{path:?}"
        );
    }
    let says = UsersFile::load(&desk.path.with_extension("none"))
        .unwrap_err()
        .to_string();
    assert!(says.contains("cannot open"), "{says}");
}

const COMMENTED: &str = "\
# The staff.

# Alice leads.
[[user]]
name = \"alice\" # the boss
pop3 = false    # on leave

# Bob follows.
[[user]]
name = \"bob\"
disabled = true
";

#[test]
fn changing_one_user_leaves_the_rest_as_it_stands() {
    let desk = desk(COMMENTED);
    let mut file = UsersFile::edit(&desk.path).unwrap();
    let mut alice = file.find("ALICE").unwrap().clone();
    alice.password = Some(hash_password(&Secret::new(b"x".to_vec())).unwrap());
    alice.site = Some("London".to_owned());
    file.update(&alice).unwrap();
    let mut carol = User::new("carol");
    carol.aliases = vec!["CORP\\carol".to_owned()];
    file.add(&carol).unwrap();
    file.save().unwrap();
    let hash = alice.password.as_ref().unwrap().as_str();
    let expected = COMMENTED.replace(
        "# on leave\n",
        &format!("# on leave\npassword = \"{hash}\"\nsite = \"London\"\n"),
    ) + "\n[[user]]\nname = \"carol\"\naliases = ['CORP\\carol']\n";
    assert_eq!(std::fs::read_to_string(&desk.path).unwrap(), expected);
    assert_eq!(UsersFile::load(&desk.path).unwrap().users()[0], alice);

    alice.pop3 = true;
    file.update(&alice).unwrap();
    let bob = file.remove("Bob").unwrap();
    assert_eq!((bob.name.as_str(), bob.disabled), ("bob", true));
    file.save().unwrap();
    let text = std::fs::read_to_string(&desk.path).unwrap();
    assert!(
        text.starts_with("# The staff.\n\n# Alice leads.\n[[user]]\nname = \"alice\" # the boss\n")
    );
    assert!(
        !text.contains("bob") && text.contains("carol") && !text.contains("pop3"),
        "{text}"
    );
}

#[test]
fn comments_about_more_than_one_user_outlive_the_user_below_them() {
    for order in [["alice", "bob"], ["bob", "alice"]] {
        let desk = desk(COMMENTED);
        let mut file = UsersFile::edit(&desk.path).unwrap();
        for name in order {
            file.remove(name).unwrap();
        }
        file.save().unwrap();
        let text = std::fs::read_to_string(&desk.path).unwrap();
        assert!(text.starts_with("# The staff.\n"), "{text}");
        assert!(!text.contains("Alice") && !text.contains("Bob"), "{text}");
    }
}

#[test]
fn a_change_that_would_be_a_mistake_changes_nothing() {
    let desk = desk(COMMENTED);
    let mut file = UsersFile::edit(&desk.path).unwrap();
    assert!(matches!(
        file.add(&User::new("BOB")),
        Err(UsersError::Exists { .. })
    ));
    let mut twin = User::new("carol");
    twin.aliases = vec!["Bob".to_owned()];
    assert!(matches!(file.add(&twin), Err(UsersError::User { .. })));
    assert!(matches!(
        file.add(&User::new("../x")),
        Err(UsersError::User { .. })
    ));
    assert!(matches!(
        file.update(&User::new("nobody")),
        Err(UsersError::NoSuchUser { .. })
    ));
    assert!(matches!(
        file.remove("nobody"),
        Err(UsersError::NoSuchUser { .. })
    ));
    assert_eq!(file.users().len(), 2);
    file.save().unwrap();
    assert_eq!(std::fs::read_to_string(&desk.path).unwrap(), COMMENTED);
}

#[test]
fn saving_keeps_owner_and_mode_and_leaves_nothing_beside() {
    let desk = desk(COMMENTED);
    let root = rustix::process::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(&desk.path, Some(1234), Some(4321)).unwrap();
    }
    let before = std::fs::metadata(&desk.path).unwrap();
    std::fs::write(desk.path.with_extension("toml.new"), "left by a power cut").unwrap();
    let mut file = UsersFile::edit(&desk.path).unwrap();
    file.add(&User::new("carol")).unwrap();
    file.save().unwrap();
    let after = std::fs::metadata(&desk.path).unwrap();
    assert_ne!(
        before.ino(),
        after.ino(),
        "put in its place, not written over"
    );
    assert_eq!((before.uid(), before.gid()), (after.uid(), after.gid()));
    assert_eq!(after.mode() & 0o777, 0o600);
    let folder = desk.path.parent().unwrap();
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["users.toml", "users.toml.lock"]);
}

#[test]
fn a_new_lock_belongs_to_whom_the_users_belong() {
    use std::os::unix::fs::chown;
    const NOBODY: Option<u32> = Some(65534);
    let desk = desk(COMMENTED);
    let folder = desk.path.parent().unwrap();
    let lock = |name: &str| std::fs::metadata(folder.join(name)).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root {
        chown(&desk.path, NOBODY, NOBODY).unwrap();
    }
    drop(UsersFile::edit(&desk.path).unwrap());
    assert_eq!(lock("users.toml.lock").mode() & 0o777, 0o600);
    if !root {
        return;
    }
    assert_eq!(lock("users.toml.lock").uid(), 65534);
    assert_eq!(lock("users.toml.lock").gid(), 65534);
    // Without a file yet: whose it is going to be, or whose the folder is.
    let owner = Owner { uid: 1234, gid: 1 };
    drop(UsersFile::create(&folder.join("given.toml"), Some(owner)).unwrap());
    assert_eq!(lock("given.toml.lock").uid(), 1234);
    chown(folder, NOBODY, NOBODY).unwrap();
    drop(UsersFile::create(&folder.join("new.toml"), None).unwrap());
    assert_eq!(lock("new.toml.lock").uid(), 65534);
    // What lies there already may be something else under this name, and stays whose it is.
    std::fs::write(folder.join("precious"), "").unwrap();
    std::fs::hard_link(folder.join("precious"), folder.join("other.toml.lock")).unwrap();
    write(&folder.join("other.toml"), "");
    chown(folder.join("other.toml"), NOBODY, NOBODY).unwrap();
    drop(UsersFile::edit(&folder.join("other.toml")).unwrap());
    assert_eq!(lock("precious").uid(), 0);
}

#[test]
fn a_new_file_is_private_and_never_replaces_one() {
    let desk = desk("");
    let path = desk.path.with_file_name("new.toml");
    let mut file = UsersFile::create(&path, None).unwrap();
    file.add(&User::new("alice")).unwrap();
    file.save().unwrap();
    drop(file);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .starts_with("# Users of Postern.")
    );
    let says = UsersFile::create(&path, None).unwrap_err().to_string();
    assert!(says.contains("cannot create"), "{says}");
    assert_eq!(UsersFile::load(&path).unwrap().users().len(), 1);
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let desk = desk(COMMENTED);
    let link = desk.path.with_file_name("link.toml");
    std::os::unix::fs::symlink(&desk.path, &link).unwrap();
    type Open = fn(&Path) -> Result<UsersFile, UsersError>;
    for (open, name) in [
        (UsersFile::edit as Open, "bob"),
        (UsersFile::load as Open, "alice"),
    ] {
        let mut file = open(&link).unwrap();
        file.remove(name).unwrap();
        file.save().unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
    assert_eq!(UsersFile::load(&desk.path).unwrap().users().len(), 0);
}

#[test]
fn two_who_edit_at_the_same_time_lose_nothing() {
    let desk = desk("");
    std::thread::scope(|scope| {
        for number in 0..20 {
            let path = &desk.path;
            scope.spawn(move || {
                let mut file = UsersFile::edit(path).unwrap();
                file.add(&User::new(format!("user{number}"))).unwrap();
                file.save().unwrap();
            });
        }
    });
    assert_eq!(UsersFile::load(&desk.path).unwrap().users().len(), 20);
}

#[test]
fn who_looked_without_the_lock_cannot_write_over_a_change() {
    let desk = desk(COMMENTED);
    let mut slow = UsersFile::load(&desk.path).unwrap();
    write(&desk.path, "[[user]]\nname = \"somebody\"\n");
    slow.remove("bob").unwrap();
    assert!(matches!(slow.save(), Err(UsersError::Changed { .. })));
    assert!(
        std::fs::read_to_string(&desk.path)
            .unwrap()
            .contains("somebody")
    );
}

#[test]
fn users_in_one_inline_array_can_be_read_but_not_edited() {
    let desk = desk("user = [{ name = \"a\" }]");
    let mut file = UsersFile::load(&desk.path).unwrap();
    assert_eq!(file.users().len(), 1);
    assert!(matches!(
        file.add(&User::new("b")),
        Err(UsersError::Inline { .. })
    ));
}

const KEYS: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
    WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

#[test]
fn the_first_keys_bring_a_secret_and_no_others_do() {
    let desk = desk(COMMENTED);
    let mut file = UsersFile::edit(&desk.path).unwrap();
    let mut user = file.find("bob").unwrap().clone();
    user.scram = Some(KEYS.parse().unwrap());
    file.update(&user).unwrap();
    file.save().unwrap();
    let text = std::fs::read_to_string(&desk.path).unwrap();
    assert!(text.contains(&format!("scram = \"{KEYS}\"")), "{text}");
    let secret = |text: &str| {
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("scram_secret = "))
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.len(), 1, "{text}");
        lines.concat()
    };
    let first = secret(&text);
    let mut new = User::new("eve");
    new.scram = user.scram.clone();
    file.add(&new).unwrap();
    file.remove("bob").unwrap();
    file.save().unwrap();
    let text = std::fs::read_to_string(&desk.path).unwrap();
    assert_eq!(secret(&text), first, "it stays");
    assert!(text.contains(COMMENTED.lines().next().unwrap()), "{text}");
    // Debug shows neither.
    let shown = format!("{:?}", UsersFile::load(&desk.path).unwrap().users());
    assert!(!shown.contains("WG5d8oPm"), "{shown}");
}

#[test]
fn odd_keys_and_certificates_are_named_and_keys_never_repeated() {
    let digits = "ab".repeat(32);
    for (line, part) in [
        (
            format!("scram = \"{}\"", KEYS.replace("4096", "1000")),
            "4096",
        ),
        ("scram = \"sesame\"".to_owned(), "postern user passwd"),
        ("certificates = [\"sha256:12\"]".to_owned(), "openssl x509"),
    ] {
        let says = complaint(&format!("[[user]]\nname = \"a\"\n{line}\n"));
        assert!(says.contains(":3:") && says.contains(part), "{says}");
        assert!(!says.contains("W22Z") && !says.contains("sesame"), "{says}");
    }
    let says = complaint("scram_secret = \"c2VzYW1l\"\n");
    assert!(says.contains(":1:16: scram_secret"), "{says}");
    assert!(!says.contains("c2VzYW1l"), "{says}");
    let user =
        |name| format!("[[user]]\nname = \"{name}\"\ncertificates = [\"sha256:{digits}\"]\n");
    let says = complaint(&(user("a") + &user("b")));
    assert!(
        says.contains("\"a\" has this certificate already"),
        "{says}"
    );
}
