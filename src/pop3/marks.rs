//! Which messages are marked as deleted: a bit each, and no memory before the first mark.

/// The marks of one session.
#[derive(Default)]
pub(super) struct Marks {
    words: Vec<u64>,
    count: usize,
}

impl Marks {
    pub(super) fn contains(&self, index: usize) -> bool {
        self.words
            .get(index / 64)
            .is_some_and(|word| word & bit(index) != 0)
    }

    /// Marks a message; the listing has bounded the index.
    pub(super) fn insert(&mut self, index: usize) {
        let slot = index / 64;
        if self.words.len() <= slot {
            self.words.resize(slot + 1, 0);
        }
        if let Some(word) = self.words.get_mut(slot)
            && *word & bit(index) == 0
        {
            *word |= bit(index);
            self.count += 1;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.words.len() * 64).filter(|index| self.contains(*index))
    }
}

fn bit(index: usize) -> u64 {
    1 << (index % 64)
}
