//! Secrets that cannot be printed and wipe themselves.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Octets that nobody may print: `Debug` says so in every build, there is no `Display`, memory is
/// wiped on drop, and comparing takes the same time wherever two secrets differ.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the octets over; the caller keeps no copy.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The one way to the octets, so that a search for this word is the audit.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}
