//! AV pairs (\[MS-NLMP\] §2.2.2.1): what server and client tell about themselves.

use super::Malformed;
use super::octets::Octets;

/// The kinds of pairs that are written or looked at.
pub(crate) mod id {
    pub(crate) const EOL: u16 = 0;
    pub(crate) const NB_COMPUTER_NAME: u16 = 1;
    pub(crate) const NB_DOMAIN_NAME: u16 = 2;
    pub(crate) const DNS_COMPUTER_NAME: u16 = 3;
    pub(crate) const DNS_DOMAIN_NAME: u16 = 4;
    pub(crate) const DNS_TREE_NAME: u16 = 5;
    pub(crate) const FLAGS: u16 = 6;
    pub(crate) const TIMESTAMP: u16 = 7;
    pub(crate) const TARGET_NAME: u16 = 9;
    pub(crate) const CHANNEL_BINDINGS: u16 = 10;
}

/// The most pairs in one list; eleven kinds are defined.
const MAX_PAIRS: usize = 32;

/// A list that was read, in its order.
#[derive(Debug)]
pub(crate) struct AvPairs<'a>(Vec<(u16, &'a [u8])>);

impl<'a> AvPairs<'a> {
    /// Reads up to the end mark, which must be there; what follows it is not looked at. A kind that
    /// stands twice would let two readers see different things, and is refused.
    pub(crate) fn parse(octets: &'a [u8]) -> Result<Self, Malformed> {
        let mut pairs: Vec<(u16, &[u8])> = Vec::new();
        let mut rest = octets;
        loop {
            let header = Octets(rest);
            let (kind, length) = (header.u16(0)?, usize::from(header.u16(2)?));
            if kind == id::EOL {
                return Ok(Self(pairs));
            }
            let value = rest.get(4..4 + length).ok_or(Malformed::Truncated)?;
            if pairs.len() == MAX_PAIRS || pairs.iter().any(|(known, _)| *known == kind) {
                return Err(Malformed::Pairs);
            }
            pairs.push((kind, value));
            rest = rest.get(4 + length..).unwrap_or_default();
        }
    }

    /// All of them, in their order.
    pub(crate) fn into_list(self) -> Vec<(u16, &'a [u8])> {
        self.0
    }

    /// The value of one kind, which need not be there.
    pub(crate) fn get(&self, kind: u16) -> Option<&'a [u8]> {
        let found = self.0.iter().find(|(known, _)| *known == kind);
        found.map(|(_, value)| *value)
    }

    /// A value of a fixed length; another length is an error.
    pub(crate) fn array<const N: usize>(&self, kind: u16) -> Result<Option<[u8; N]>, Malformed> {
        let value = self.get(kind).map(TryInto::try_into).transpose();
        value.map_err(|_| Malformed::Pairs)
    }
}

/// Appends one pair. A value that a pair cannot hold is left out: names come from the
/// configuration, where they are bounded.
pub(crate) fn push(list: &mut Vec<u8>, kind: u16, value: &[u8]) {
    if let Ok(length) = u16::try_from(value.len()) {
        list.extend_from_slice(&kind.to_le_bytes());
        list.extend_from_slice(&length.to_le_bytes());
        list.extend_from_slice(value);
    }
}
