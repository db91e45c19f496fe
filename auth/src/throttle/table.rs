//! A bounded table of counts that run out.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Duration;

/// 128 bits of a keyed hash: short, of fixed size, and of no use to who does not know the keys.
pub(super) type Key = (u64, u64);

/// So many places that were left behind are not worth the work of dropping them.
const FEW: usize = 16;

/// Two random keys of this process.
#[derive(Debug, Default)]
pub(super) struct Keys(RandomState, RandomState);

impl Keys {
    pub(super) fn of(&self, value: &impl Hash) -> Key {
        (self.0.hash_one(value), self.1.hash_one(value))
    }
}

/// Counts by key, each with a window that began with its first one. All windows of a table are
/// equally long, so entries run out in the order in which they came.
#[derive(Debug)]
pub(super) struct Table {
    entries: HashMap<Key, Entry>,
    /// Keys in the order of their windows. An entry that was cleared or begun again leaves its
    /// old place behind, told by another number; such places are dropped before they are more than
    /// the others.
    order: VecDeque<(Key, u64)>,
    most: usize,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    count: u32,
    since: Duration,
    number: u64,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            most,
            next: 0,
        }
    }

    /// How many are counted in the window that runs now.
    pub(super) fn count(&self, key: Key, now: Duration, window: Duration) -> u32 {
        self.entries
            .get(&key)
            .filter(|entry| entry.runs(now, window))
            .map_or(0, |entry| entry.count)
    }

    /// Counts one more.
    pub(super) fn add(&mut self, key: Key, now: Duration, window: Duration) {
        if let Some(entry) = self.entries.get_mut(&key)
            && entry.runs(now, window)
        {
            entry.count = entry.count.saturating_add(1);
            return;
        }
        self.entries.remove(&key);
        self.make_room(now, window);
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.entries.insert(
            key,
            Entry {
                count: 1,
                since: now,
                number,
            },
        );
        self.order.push_back((key, number));
    }

    /// Takes one back. The last one stays as an entry of zero until its window ends.
    pub(super) fn give_back(&mut self, key: Key) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.count = entry.count.saturating_sub(1);
        }
    }

    /// Forgets the key.
    pub(super) fn clear(&mut self, key: Key) {
        self.entries.remove(&key);
    }

    /// Drops what has run out, and the oldest while the table is full. Places left behind do not
    /// fill it: one who logs in again and again would push out what is counted against others.
    fn make_room(&mut self, now: Duration, window: Duration) {
        if self.order.len() > 2 * self.entries.len() + FEW {
            let entries = &self.entries;
            let own = |(key, number): &(Key, u64)| {
                entries
                    .get(key)
                    .is_some_and(|entry| entry.number == *number)
            };
            self.order.retain(own);
        }
        while let Some((key, number)) = self.order.front().copied() {
            let own = self
                .entries
                .get(&key)
                .filter(|entry| entry.number == number);
            let stays = own.is_some_and(|entry| entry.runs(now, window));
            if stays && self.entries.len() < self.most {
                break;
            }
            if own.is_some() {
                self.entries.remove(&key);
            }
            self.order.pop_front();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.order.len()
    }
}

impl Entry {
    fn runs(&self, now: Duration, window: Duration) -> bool {
        now.saturating_sub(self.since) < window
    }
}
