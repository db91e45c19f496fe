//! The plain data that STAT, LIST and UIDL are answered from.

use std::collections::BTreeMap;
use std::fmt;

/// Sizes and unique ids of a snapshot, in the order of delivery: 16 octets a message.
#[derive(Debug, Default)]
pub struct Listing {
    entries: Vec<Entry>,
    imported: BTreeMap<usize, Box<str>>,
    total: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    size: u64,
    uid: u32,
}

/// A unique id as UIDL shows it: a decimal number, or an id that came with the message from
/// another server (C0009).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uid<'a> {
    /// Our own: decimal, rising, never given out twice (C0007, C0008).
    Number(u32),
    /// Imported: 1 to 70 octets in 0x21 to 0x7E.
    Imported(&'a str),
}

impl fmt::Display for Uid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(uid) => write!(f, "{uid}"),
            Self::Imported(uid) => f.write_str(uid),
        }
    }
}

impl Listing {
    /// An empty listing with room for so many messages.
    pub fn with_capacity(count: usize) -> Self {
        Self {
            entries: Vec::with_capacity(count),
            ..Self::default()
        }
    }

    /// Appends a message; `imported` replaces the decimal id in UIDL.
    pub fn push(&mut self, size: u64, uid: u32, imported: Option<&str>) {
        if let Some(id) = imported {
            self.imported.insert(self.entries.len(), id.into());
        }
        self.entries.push(Entry { size, uid });
        self.total = self.total.saturating_add(size);
    }

    /// The memory that the entries take.
    #[cfg(test)]
    pub(crate) fn octets(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The octets of all messages together.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The octets of one message, every line end counted as two.
    pub fn size(&self, index: usize) -> Option<u64> {
        self.entries.get(index).map(|entry| entry.size)
    }

    /// The unique id of one message.
    pub fn uid(&self, index: usize) -> Option<Uid<'_>> {
        let entry = self.entries.get(index)?;
        Some(match self.imported.get(&index) {
            Some(id) => Uid::Imported(id),
            None => Uid::Number(entry.uid),
        })
    }
}
