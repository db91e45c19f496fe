//! The file with the password of the service account: read whole, and refused when others may
//! read it.
#![expect(
    clippy::disallowed_types,
    reason = "the service account's password stands in a file"
)]

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::Secret;
use crate::password::MAX_PASSWORD;

/// Why a file cannot be used as a password.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is somebody else's to read.
    #[error("may be read by everybody; run chmod o-rwx on it")]
    Open,
    /// It is too long for a password.
    #[error("is longer than a password of 1024 octets; it holds one line, the password")]
    TooLong,
}

/// The password in a file, without the end of its line.
///
/// # Errors
/// When the file cannot be read, everybody may read it, or it is longer than a password.
pub fn read_secret(path: &Path) -> Result<Secret, SecretFileError> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o007 != 0 {
        return Err(SecretFileError::Open);
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(MAX_PASSWORD + 3));
    file.take(MAX_PASSWORD as u64 + 3)
        .read_to_end(&mut octets)?;
    let line = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_PASSWORD {
        return Err(SecretFileError::TooLong);
    }
    Ok(Secret::new(line.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test writes the file")]
    fn a_password_is_one_line_of_a_file_that_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let write = |text: &[u8], mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            read_secret(&path)
        };
        for text in [b"p w ".as_slice(), b"p w \n", b"p w \r\n"] {
            assert_eq!(write(text, 0o640).unwrap().expose(), b"p w ");
        }
        assert!(matches!(write(b"p", 0o644), Err(SecretFileError::Open)));
        assert!(matches!(
            write(&[b'p'; 1025], 0o600),
            Err(SecretFileError::TooLong)
        ));
        assert!(write(&[b'p'; 1024], 0o600).is_ok());
        let gone = folder.path().join("gone");
        assert!(matches!(
            read_secret(&gone),
            Err(SecretFileError::Unreadable(_))
        ));
    }
}
