//! Whose entry it is: what tells an account from another that has got its name since.

use std::num::NonZeroU64;

use sha2::{Digest, Sha256};

/// The identity that a directory has given to an entry once and for all (`objectGUID`, `entryUUID`), as a
/// digest: every open session keeps one, so it has 16 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryId {
    /// Which attribute says so. After a reload it may be another, whose values mean nothing beside the old.
    attribute: u32,
    /// Never zero, so that no identity takes no room. Two alike by chance are one in 2^64.
    value: NonZeroU64,
}

impl EntryId {
    /// The identity that this attribute gives.
    pub(crate) fn of(attribute: &str, value: &[u8]) -> Self {
        let [name, ..] = words(attribute.to_ascii_lowercase().as_bytes());
        let [high, low] = words(value);
        let value = u64::from(high) << 32 | u64::from(low);
        Self {
            attribute: name,
            value: NonZeroU64::new(value).unwrap_or(NonZeroU64::MIN),
        }
    }

    /// Whether the entries are surely two.
    pub(crate) fn is_another(self, other: Self) -> bool {
        self.attribute == other.attribute && self.value != other.value
    }
}

/// The beginning of a digest.
fn words(octets: &[u8]) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(octets));
    [
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_two_by_the_same_attribute_alone() {
        let first = EntryId::of("entryUUID", b"1");
        assert!(!first.is_another(EntryId::of("EntryUuid", b"1")));
        assert!(first.is_another(EntryId::of("entryUUID", b"2")));
        assert!(!first.is_another(EntryId::of("uidNumber", b"2")));
        assert_eq!(size_of::<Option<EntryId>>(), 16);
    }
}
