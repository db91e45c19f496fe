//! An NT hash as it stands in the users file: in the clear, or sealed under a [`UsersKey`].
//!
//! [`UsersKey`]: super::UsersKey

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::NtHash;

/// What a sealed hash begins with: the cipher, and the version of what is sealed along.
const SEALED: &str = "AES-256-GCM$1$";

/// Nonce, hash and tag.
pub(super) const SEALED_OCTETS: usize = 12 + 16 + 16;

/// The NT hash of a user, as stored. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredNtHash {
    /// As it is: whoever reads the file can log in by NTLM.
    Clear(NtHash),
    /// Sealed: of no use without the key, and with the key for this one user alone.
    Sealed([u8; SEALED_OCTETS]),
}

/// A text that is no stored NT hash. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is neither 32 hexadecimal digits nor a hash that Postern sealed; \
     `postern user passwd --ntlm` writes a new one"
)]
pub struct DamagedNtHash;

impl StoredNtHash {
    /// The text of the users file.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Clear(hash) => {
                let octets = hash.key().expose();
                octets.iter().map(|octet| format!("{octet:02x}")).collect()
            }
            Self::Sealed(sealed) => format!("{SEALED}{}", BASE64_STANDARD.encode(sealed)),
        }
    }

    /// Whether a key is needed to use it.
    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }
}

impl FromStr for StoredNtHash {
    type Err = DamagedNtHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(sealed) = text.strip_prefix(SEALED) {
            let octets = BASE64_STANDARD.decode(sealed).map_err(|_| DamagedNtHash)?;
            let octets = octets.try_into().map_err(|_| DamagedNtHash)?;
            return Ok(Self::Sealed(octets));
        }
        NtHash::from_hex(text).map(Self::Clear).ok_or(DamagedNtHash)
    }
}

impl fmt::Debug for StoredNtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_sealed() {
            "StoredNtHash(sealed)"
        } else {
            "StoredNtHash(redacted)"
        })
    }
}
