//! Passwords that may be sent to a directory.
//!
//! With an empty password a simple bind proves nothing, and many servers say yes to it (RFC 4513
//! §5.1.2). So there is a type of its own for passwords of binds, and an empty one has no value of
//! it. The same holds for one that a server's preparation (RFC 4513 §5.1.3, SASLprep) would leave
//! nothing of.

use std::fmt;

use stringprep::tables::{commonly_mapped_to_nothing, non_ascii_space_character};
use zeroize::Zeroizing;

use crate::Secret;
use crate::password::MAX_PASSWORD;

/// A password that a bind can be made with: UTF-8, neither empty nor blank, without NUL, and of
/// 1024 octets at most.
#[derive(Clone)]
pub(super) struct BindPassword(Zeroizing<String>);

impl BindPassword {
    /// None for a password that no bind may be made with.
    pub(super) fn new(password: &Secret) -> Option<Self> {
        let text = std::str::from_utf8(password.expose()).ok()?;
        let counts = |character: char| {
            !character.is_whitespace()
                && !commonly_mapped_to_nothing(character)
                && !non_ascii_space_character(character)
        };
        let usable = text.len() <= MAX_PASSWORD && !text.contains('\0') && text.contains(counts);
        usable.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BindPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BindPassword(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_any_form_is_no_password() {
        for octets in [
            b"".as_slice(),
            b"\0",
            b"right\0",
            b" ",
            b"\t \r\n",
            "\u{ad}".as_bytes(),
            "\u{200b}\u{2060}\u{feff}".as_bytes(),
            "\u{3000}\u{a0}".as_bytes(),
            b"\xff\xfe",
            b"caf\xe9",
            &[b'a'; 1025],
        ] {
            assert!(
                BindPassword::new(&Secret::new(octets.to_vec())).is_none(),
                "{octets:?}"
            );
        }
    }

    #[test]
    fn whatever_else_is_typed_is_sent_as_it_is() {
        for text in [" a ", "p*t)(\\", "Secret\u{b9}", "\u{1f511}", "\u{ad}x"] {
            let password = BindPassword::new(&Secret::new(text.into())).unwrap();
            assert_eq!(password.expose(), text);
            assert!(!format!("{password:?}").contains(text));
        }
    }
}
