//! Users files with mistakes in them, changes that keep comments, and what both leave on disk.
#![expect(clippy::disallowed_methods, reason = "these tests write users files")]

mod editing;
mod keys;
mod reading;
mod saving;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;

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
