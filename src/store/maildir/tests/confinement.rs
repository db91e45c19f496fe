//! Nothing beneath a Maildir leads out of it, and only regular files are mail.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use super::*;
use crate::store::maildir::{Depth, Problem, folder, way};

#[test]
fn only_regular_files_are_mail() {
    let site = Site::new();
    let secret = site.put("secret", b"not yours");
    site.put("cur/1.real:2,", b"mail");
    symlink(&secret, site.maildir.join("cur/2.link:2,")).unwrap();
    symlink(&secret, site.maildir.join("new/3.link")).unwrap();
    symlink("1.real:2,", site.maildir.join("cur/4.inside")).unwrap();
    fs::create_dir(site.maildir.join("cur/5.folder:2,")).unwrap();
    let fifo = site.maildir.join("cur/6.fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(site.maildir.join("new/7.socket")).unwrap();
    site.put("cur/.hidden", b"x");
    site.put("new/:2,S", b"x");
    site.put("cur/two\nlines", b"x");
    let maildrop = site.open();
    assert_eq!(uids(&maildrop).len(), 1);
    assert_eq!(octets(&maildrop, 0).unwrap(), b"mail");
    assert_eq!(
        site.names("new").len(),
        3,
        "what is not mail stays where it is"
    );
    let found = site
        .store
        .inspect(&site.account, Depth::Show)
        .unwrap()
        .findings;
    let odd = found
        .iter()
        .filter(|finding| finding.problem == Problem::NotMail)
        .count();
    assert_eq!(odd, 8, "{found:?}");
}

#[test]
fn names_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let site = Site::new();
    let name = std::ffi::OsStr::from_bytes(b"new/1.\xff\xfe host");
    fs::write(site.maildir.join(name), b"x").unwrap();
    let maildrop = site.open();
    assert_eq!(octets(&maildrop, 0).unwrap(), b"x");
    let mut wanted = format!("3 V{START} N{}\n{START} W1 :1.", START + 1).into_bytes();
    wanted.extend_from_slice(b"\xff\xfe host\n");
    assert_eq!(fs::read(site.index_path()).unwrap(), wanted);
    assert_eq!(uids(&site.open()), uids(&maildrop));
    maildrop.remove(&mut [0].into_iter()).unwrap();
    assert!(
        fs::read_dir(site.maildir.join("cur"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn a_message_that_becomes_a_link_or_a_pipe_is_gone() {
    let site = Site::new();
    let secret = site.put("secret", b"not yours");
    let path = site.put("cur/1.a", b"mail");
    let maildrop = site.open();
    fs::remove_file(&path).unwrap();
    symlink(&secret, &path).unwrap();
    assert!(matches!(octets(&maildrop, 0), Err(StoreError::Vanished)));
    fs::remove_file(&path).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
    assert!(
        matches!(octets(&maildrop, 0), Err(StoreError::Vanished)),
        "and it did not wait"
    );
}

#[test]
fn folders_that_are_links_are_refused() {
    for name in ["cur", "new"] {
        let site = Site::new();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("1.a"), b"another's mail").unwrap();
        fs::remove_dir(site.maildir.join(name)).unwrap();
        symlink(elsewhere.path(), site.maildir.join(name)).unwrap();
        let error = site.refused().to_string();
        assert!(
            error.contains("symbolic links are not followed inside a Maildir"),
            "{error}"
        );
    }
}

#[test]
fn an_index_or_a_lock_that_is_a_link_is_not_followed() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    let victim = site.put("victim", b"3 V1 N5\n");
    symlink(&victim, site.index_path()).unwrap();
    assert!(matches!(site.refused(), StoreError::Unusable { .. }));
    fs::remove_file(site.index_path()).unwrap();
    symlink(&victim, site.maildir.join("dovecot-uidlist.lock")).unwrap();
    assert!(matches!(site.refused(), StoreError::Locked { .. }));
    assert_eq!(fs::read(&victim).unwrap(), b"3 V1 N5\n");
}

/// What a kernel or a container without openat2 gets.
#[test]
fn the_way_without_openat2_is_as_narrow() {
    use std::os::fd::AsFd;
    let site = Site::new();
    let secret = site.put("secret", b"x");
    site.put("cur/1.a", b"a");
    symlink(&secret, site.maildir.join("cur/2.link")).unwrap();
    symlink("cur", site.maildir.join("link")).unwrap();
    let maildir = Folder::open(&site.maildir).unwrap().unwrap();
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NOFOLLOW;
    let open = |path: &[u8]| folder::walk(maildir.as_fd(), path, flags, rustix::fs::Mode::empty());
    assert!(open(b"cur/1.a").is_ok());
    for path in [&b"cur/2.link"[..], b"link/1.a", b"link"] {
        assert!(open(path).is_err(), "{path:?}");
    }
}

#[test]
fn the_maildir_itself_may_be_reached_by_a_link() {
    let site = Site::new();
    let real = site.maildir.with_file_name("real");
    fs::rename(&site.maildir, &real).unwrap();
    symlink(&real, &site.maildir).unwrap();
    site.put("cur/1.a", b"a");
    assert_eq!(uids(&site.open()).len(), 1);
}

/// Whoever owns the folder around a Maildir must not lead us to another user's.
#[test]
fn a_link_of_somebody_else_is_not_followed_to_a_maildir() {
    let site = Site::new();
    let real = site.maildir.with_file_name("real");
    fs::rename(&site.maildir, &real).unwrap();
    symlink(&real, &site.maildir).unwrap();
    site.put("cur/1.a", b"a");
    std::os::unix::fs::lchown(&site.maildir, Some(4711), None).unwrap();
    let StoreError::Unusable { problem, .. } = site.refused() else {
        panic!("another error")
    };
    assert!(problem.contains("ann in its path"), "{problem}");
    assert!(problem.contains("uid 4711"), "{problem}");
}

#[test]
fn links_of_the_administrator_are_followed_as_the_system_does() {
    let site = Site::new();
    let home = site.maildir.parent().unwrap();
    symlink("./deep/./in", home.join("b")).unwrap();
    fs::create_dir_all(home.join("deep/in/Maildir")).unwrap();
    fs::create_dir(home.join("a")).unwrap();
    symlink("../b", home.join("a/c")).unwrap();
    symlink(home.join("loop"), home.join("loop")).unwrap();
    fs::write(home.join("file"), "").unwrap();
    let seen = |path: &Path| {
        way::walk(path).map(|fd| rustix::fs::fstat(fd).map(|stat| stat.st_ino).unwrap())
    };
    let systems = |path: &Path| fs::metadata(path).map(|stat| stat.ino());
    for name in [
        "",
        "deep/in/Maildir",
        "a/c",
        "a/../deep",
        "file",
        "none",
        "loop",
        "loop/x",
        "file/x",
    ] {
        let path = home.join(name);
        match systems(&path) {
            Ok(inode) if name != "file" => assert_eq!(seen(&path), Ok(inode), "{name}"),
            _ => assert!(seen(&path).is_err(), "{name}"),
        }
    }
}

#[test]
fn a_maildir_that_is_swapped_changes_nothing_for_a_session() {
    let site = Site::new();
    site.put("cur/1.a", b"mine");
    let maildrop = site.open();
    let kept = site.maildir.with_file_name("kept");
    let other = tempfile::tempdir().unwrap();
    fs::create_dir(other.path().join("cur")).unwrap();
    fs::create_dir(other.path().join("new")).unwrap();
    fs::write(other.path().join("cur/1.a"), b"another's").unwrap();
    fs::rename(&site.maildir, &kept).unwrap();
    symlink(other.path(), &site.maildir).unwrap();
    assert_eq!(octets(&maildrop, 0).unwrap(), b"mine");
    maildrop.remove(&mut [0].into_iter()).unwrap();
    assert!(other.path().join("cur/1.a").exists());
    assert!(!kept.join("cur/1.a").exists());
}

#[test]
fn a_folder_that_becomes_a_link_during_a_session_is_not_followed() {
    let site = Site::new();
    site.put("cur/1.a", b"mine");
    let maildrop = site.open();
    let cur = site.maildir.join("cur");
    fs::rename(&cur, site.maildir.join("kept")).unwrap();
    for target in [Path::new("kept"), &site.maildir.join("kept")] {
        symlink(target, &cur).unwrap();
        assert!(octets(&maildrop, 0).is_err(), "{target:?}");
        assert_eq!(maildrop.remove(&mut [0].into_iter()).unwrap_err().left, 1);
        fs::remove_file(&cur).unwrap();
    }
    assert!(site.maildir.join("kept/1.a").exists());
}

#[test]
fn what_is_no_maildir_is_refused_in_words() {
    let site = Site::new();
    fs::remove_dir(site.maildir.join("cur")).unwrap();
    let error = site.refused().to_string();
    assert!(
        error.contains("ann/cur: it does not exist, so this is not a Maildir"),
        "{error}"
    );
    site.put("cur", b"a file");
    let error = site.refused().to_string();
    assert!(error.contains("ann/cur: it is not a folder"), "{error}");
    fs::remove_dir_all(&site.maildir).unwrap();
    fs::write(&site.maildir, b"an mbox").unwrap();
    let error = site.refused().to_string();
    assert!(
        error.contains("is not a folder: remove what stands there"),
        "{error}"
    );
}

#[test]
fn a_maildir_that_does_not_exist_is_empty_and_not_made() {
    let site = Site::new();
    fs::remove_dir_all(&site.maildir).unwrap();
    let maildrop = site.open();
    assert!(maildrop.listing().is_empty());
    assert!(matches!(octets(&maildrop, 0), Err(StoreError::Vanished)));
    maildrop.remove(&mut [0].into_iter()).unwrap();
    assert!(!site.maildir.exists());
    assert!(
        !site
            .store
            .inspect(&site.account, Depth::Verify)
            .unwrap()
            .exists
    );
    fs::remove_dir_all(site.maildir.parent().unwrap()).unwrap();
    let error = site.refused().to_string();
    assert!(error.contains("mount the disk with the mail"), "{error}");
}

#[test]
fn a_missing_right_is_explained() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    fs::set_permissions(site.maildir.join("cur"), fs::Permissions::from_mode(0o0)).unwrap();
    let error = site.as_somebody_else(|| site.refused()).to_string();
    assert!(
        error.contains("mode 0000): give the Maildir to uid"),
        "{error}"
    );
}

#[test]
fn mail_in_a_folder_that_cannot_be_changed_is_listed_in_new() {
    let site = Site::new();
    site.put("new/1.a", b"a");
    site.write_index("3 V1 N10\n9 W1 :1.a\n");
    fs::set_permissions(site.maildir.join("new"), fs::Permissions::from_mode(0o555)).unwrap();
    site.as_somebody_else(|| {
        let maildrop = site.open();
        assert_eq!(uids(&maildrop), ["9"]);
        assert_eq!(octets(&maildrop, 0).unwrap(), b"a");
        let error = maildrop.remove(&mut [0].into_iter()).unwrap_err();
        assert_eq!(error.left, 1);
    });
    assert_eq!(site.names("new"), ["1.a"]);
    fs::set_permissions(site.maildir.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
}
