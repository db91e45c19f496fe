//! The NT hash of a password, as it is kept for local users.
//!
//! Whoever has it can log in by NTLM without the password: it is kept as the password would be,
//! never printed, and only where the administrator asked for it.

use std::fmt;

use zeroize::Zeroizing;

use super::keys::{self, Key};
use crate::Secret;

/// `NTOWFv1` of a password (\[MS-NLMP\] §3.3.1): 16 octets, as good as the password for NTLM.
///
/// `Debug` says redacted in every build, memory is wiped on drop, and comparing takes the same
/// time wherever two differ.
#[derive(Clone)]
pub struct NtHash(Key);

impl NtHash {
    /// The hash of a password; none when it is not UTF-8, as NTLM cannot carry it.
    pub fn of_password(password: &Secret) -> Option<Self> {
        let text = std::str::from_utf8(password.expose()).ok()?;
        Some(Self(keys::nt_hash(text)))
    }

    /// The hash as somebody else stored it.
    pub fn from_octets(octets: [u8; 16]) -> Self {
        Self(Key::new(octets))
    }

    /// The hash out of 32 hexadecimal digits, as Samba's `smbpasswd` has it.
    pub fn from_hex(text: &str) -> Option<Self> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let pairs: &[[u8; 2]; 16] = pairs.try_into().ok().filter(|_| rest.is_empty())?;
        let digit = |octet: u8| char::from(octet).to_digit(16);
        let mut octets = Zeroizing::new([0; 16]);
        for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
            *octet = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
        }
        Some(Self::from_octets(*octets))
    }

    /// The one way to the octets.
    pub(crate) fn key(&self) -> &Key {
        &self.0
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(redacted)")
    }
}

impl PartialEq for NtHash {
    fn eq(&self, other: &Self) -> bool {
        self.key().is(other.key().expose())
    }
}

impl Eq for NtHash {}

#[cfg(test)]
mod tests {
    use super::*;

    /// \[MS-NLMP\] §4.2.2.1.2.
    const OF_PASSWORD: [u8; 16] = [
        0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca, 0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8,
        0x52,
    ];

    fn of(password: &[u8]) -> Option<NtHash> {
        NtHash::of_password(&Secret::new(password.to_vec()))
    }

    #[test]
    fn a_password_has_the_published_hash() {
        let hash = of(b"Password").unwrap();
        assert_eq!(hash, NtHash::from_octets(OF_PASSWORD));
        assert_ne!(hash, of(b"password").unwrap());
    }

    #[test]
    fn a_password_that_ntlm_cannot_carry_has_none() {
        assert!(of(b"caf\xe9").is_none());
        assert!(of("café".as_bytes()).is_some());
    }

    #[test]
    fn a_hash_is_never_printed() {
        let text = format!("{:?}", NtHash::from_octets(OF_PASSWORD));
        assert_eq!(text, "NtHash(redacted)");
    }
}
