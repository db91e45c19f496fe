//! Answers kept for a while, by whom they are about: bounded in number and in age.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock;

/// More answers are not kept; the oldest goes first.
const MOST: usize = 10_000;

/// Answers of one kind, by whom they are about.
pub(super) struct Shelf<V> {
    life: Duration,
    kept: HashMap<Arc<str>, Kept<V>>,
    /// By age.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

struct Kept<V> {
    value: V,
    until: Instant,
    number: u64,
}

impl<V> Shelf<V> {
    /// Nothing yet; zero keeps it so.
    pub(super) fn new(life: Duration) -> Self {
        Self {
            life,
            kept: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            hits: 0,
            misses: 0,
        }
    }

    /// Whether it keeps nothing at all.
    pub(super) fn is_off(&self) -> bool {
        self.life.is_zero()
    }

    /// How many answers there are.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The answer about somebody, if it is young enough.
    pub(super) fn get(&mut self, key: &str) -> Option<&V> {
        if self.life.is_zero() {
            return None;
        }
        let now = clock::instant();
        if self.kept.get(key).is_some_and(|kept| kept.until <= now) {
            self.remove(key);
        }
        let found = self.kept.get(key).map(|kept| &kept.value);
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    /// Keeps an answer; a new one takes the place of the old.
    pub(super) fn put(&mut self, key: &str, value: V) {
        if self.life.is_zero() {
            return;
        }
        self.remove(key);
        while self.kept.len() >= MOST
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.kept.remove(&oldest);
        }
        let (key, number): (Arc<str>, _) = (key.into(), self.next);
        self.next += 1;
        self.order.insert(number, Arc::clone(&key));
        let until = clock::instant() + self.life;
        self.kept.insert(
            key,
            Kept {
                value,
                until,
                number,
            },
        );
    }

    /// Takes the answer about somebody out.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(kept) = self.kept.remove(key) {
            self.order.remove(&kept.number);
        }
    }

    /// Takes out what these words are true of.
    pub(super) fn forget(&mut self, is_it: impl Fn(&V) -> bool) {
        let order = &mut self.order;
        self.kept.retain(|_, kept| {
            let goes = is_it(&kept.value);
            if goes {
                order.remove(&kept.number);
            }
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut shelf = Shelf::new(Duration::from_secs(60));
        for number in 0..MOST + 2 {
            shelf.put(&format!("u{number}"), number);
        }
        assert_eq!((shelf.kept.len(), shelf.order.len()), (MOST, MOST));
        assert_eq!(shelf.get("u1"), None, "the oldest");
        assert_eq!(shelf.get("u2"), Some(&2));
        shelf.put("u2", 7);
        assert_eq!(shelf.get("u2"), Some(&7));
        shelf.forget(|number| *number > 5);
        assert_eq!((shelf.kept.len(), shelf.order.len()), (3, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_its_time() {
        let mut shelf = Shelf::new(Duration::from_secs(60));
        shelf.put("alice", ());
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(shelf.get("alice").is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(shelf.get("alice").is_none());
        assert_eq!((shelf.hits, shelf.misses), (1, 1));
    }
}
