//! Where a password comes from: a terminal without echo, or one line of standard input.
//! Never the command line.

use std::io::{self, BufRead, IsTerminal, Read};

use postern_auth::Secret;

/// The longest password that is taken, in octets.
const MAX: usize = 1024;

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Nothing was typed.
    #[error("the password is empty: nobody could log in with it")]
    Empty,
    /// The two differ.
    #[error("the two passwords differ: nothing was changed")]
    Differ,
    /// Longer than is taken.
    #[error("the password is longer than 1024 octets")]
    Long,
    /// A control character in it, which no client could send in PASS.
    #[error("the password contains a control character, which clients cannot send")]
    Control,
    /// Nobody to ask.
    #[error(
        "standard input is not a terminal: use --password-stdin and write the password to standard input"
    )]
    NoTerminal,
    /// The terminal or standard input failed.
    #[error("the password could not be read: {0}")]
    Read(#[from] io::Error),
}

/// Asks for a new password, or reads it.
pub(super) fn obtain(name: &str, from_stdin: bool) -> Result<Secret, PasswordError> {
    if from_stdin {
        return read(&mut io::stdin().lock());
    }
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let name = super::table::shown(name);
    let first =
        checked(rpassword::prompt_password(format!("Password for {name}: "))?.into_bytes())?;
    let again = Secret::new(rpassword::prompt_password("Once more: ")?.into_bytes());
    if first == again {
        Ok(first)
    } else {
        Err(PasswordError::Differ)
    }
}

/// Asks for a password that is known elsewhere, or reads it.
pub(super) fn known(name: &str, from_stdin: bool) -> Result<Secret, PasswordError> {
    if from_stdin {
        return read(&mut io::stdin().lock());
    }
    if !io::stdin().is_terminal() {
        return Err(PasswordError::NoTerminal);
    }
    let name = super::table::shown(name);
    checked(rpassword::prompt_password(format!("Password of {name}: "))?.into_bytes())
}

/// Reads one line; its end does not count.
fn read(input: &mut dyn BufRead) -> Result<Secret, PasswordError> {
    // Room for all of it, so that no copy is left behind by growing.
    let mut line = Vec::with_capacity(MAX + 3);
    input.take(MAX as u64 + 2).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    checked(line)
}

fn checked(octets: Vec<u8>) -> Result<Secret, PasswordError> {
    let password = Secret::new(octets);
    let octets = password.expose();
    if octets.is_empty() {
        Err(PasswordError::Empty)
    } else if octets.len() > MAX {
        Err(PasswordError::Long)
    } else if octets.iter().any(u8::is_ascii_control) {
        Err(PasswordError::Control)
    } else {
        Ok(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(mut text: &[u8]) -> Result<Secret, PasswordError> {
        read(&mut text)
    }

    #[test]
    fn one_line_is_the_password() {
        assert_eq!(from(b"a b \r\nrest").unwrap().expose(), b"a b ");
        assert_eq!(from(b"no end").unwrap().expose(), b"no end");
        assert!(matches!(from(b"\n"), Err(PasswordError::Empty)));
        assert!(matches!(from(b"a\0b\n"), Err(PasswordError::Control)));
        assert!(matches!(from(&[b'x'; 2000]), Err(PasswordError::Long)));
        assert_eq!(from(&[b'x'; MAX]).unwrap().expose().len(), MAX);
    }
}
