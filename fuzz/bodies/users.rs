//! The users file: what is read can be written and read again, every change keeps everybody else,
//! and no error repeats a password hash or an NT hash. The input is the file.

use std::cell::RefCell;
use std::io::{Seek, Write};

use postern_auth::{StoredNtHash, User, UsersFile};
use tempfile::NamedTempFile;

/// Loads the file, changes it in memory in every way, and writes it anew from its users.
pub fn run(text: &[u8]) {
    let loaded = load(text);
    let hashes = hashes(text);
    let mut file = match loaded {
        Ok(file) => file,
        Err(error) => {
            let said = format!("{error} {error:?}");
            for hash in &hashes {
                assert!(!said.contains(hash), "{said}");
            }
            return;
        }
    };
    // No key is named, so only what is sealed is in trouble.
    let users = file.users().to_vec();
    let is_sealed = |user: &User| user.nt_hash.as_ref().is_some_and(StoredNtHash::is_sealed);
    let sealed = users.iter().any(is_sealed);
    assert_eq!(file.seal_trouble(None).is_some(), sealed);
    for user in &users {
        for name in std::iter::once(&user.name).chain(&user.aliases) {
            let found = file.find(name).map(|found| &found.name);
            assert_eq!(found, Some(&user.name), "{name:?}");
        }
        let shown = format!("{user:?}");
        assert!(!hashes.iter().any(|hash| shown.contains(hash)), "{shown}");
    }
    anew(&users);
    changed(&mut file, &users);
}

/// An empty file to which everybody is added has the same users.
fn anew(users: &[User]) {
    let mut file = load(b"").expect("an empty file");
    for user in users {
        file.add(user).expect("a user that was read");
    }
    assert_eq!(file.users(), users);
}

/// One more, the first one changed, the first one gone. A file with inline users refuses all that
/// and stays as it is.
fn changed(file: &mut UsersFile, users: &[User]) {
    let new = User::new("somebody-else");
    let taken = file.find(&new.name).is_some();
    match file.add(&new) {
        Ok(()) => {
            assert!(!taken);
            assert_eq!(file.users().split_last(), Some((&new, users)));
            file.remove("SOMEBODY-ELSE").expect("it was added");
        }
        Err(_) => assert_eq!(file.users(), users),
    }
    assert_eq!(file.users(), users);
    let Some((first, others)) = users.split_first() else {
        return;
    };
    let mut other = first.clone();
    other.disabled = !first.disabled;
    other.site = Some("s\u{fc}d \"1\"".to_owned());
    if file.update(&other).is_ok() {
        assert_eq!(file.users().split_first(), Some((&other, others)));
        let removed = file.remove(&other.name).expect("it is there");
        assert_eq!(removed, other);
        assert_eq!(file.users(), others);
    } else {
        assert_eq!(file.users(), users);
    }
}

/// The hashes that stand where they belong, and nowhere else.
fn hashes(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let Ok(table) = text.parse::<toml::Table>() else {
        return Vec::new();
    };
    let users = table.get("user").and_then(toml::Value::as_array);
    let mut hashes: Vec<String> = users
        .into_iter()
        .flatten()
        .flat_map(|user| ["password", "nt_hash"].map(|key| user.get(key)))
        .filter_map(|hash| hash?.as_str())
        .filter(|hash| hash.len() > 12 && text.matches(hash).count() == 1)
        .map(str::to_owned)
        .collect();
    hashes.dedup();
    hashes
}

thread_local! {
    static FILE: RefCell<NamedTempFile> =
        RefCell::new(NamedTempFile::new().expect("a temporary file"));
}

/// Through a real file, as only that can be loaded.
fn load(text: &[u8]) -> Result<UsersFile, postern_auth::UsersError> {
    FILE.with_borrow_mut(|file| {
        let written = file.as_file().set_len(0).and_then(|()| {
            file.rewind()?;
            file.write_all(text)
        });
        written.expect("a temporary file can be written");
        UsersFile::load(file.path())
    })
}
