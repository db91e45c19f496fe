//! Users files with mistakes in them, changes that keep comments, and what both leave on disk.
#![expect(clippy::disallowed_methods, reason = "these tests write users files")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Puts a users file there, readable for its owner only.
pub(crate) fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    mode(path, 0o600);
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
