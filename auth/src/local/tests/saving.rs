//! What a users file is on the disk: whose, with which rights, and what saving leaves.

use std::os::unix::fs::MetadataExt;

use super::*;

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
