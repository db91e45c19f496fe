//! Checking an Argon2 hash in memory that the thread keeps.
//!
//! A check fills some 20 MiB. Taken from the allocator and given back each time, they leave holes
//! in the arena of every thread that checks passwords, and the process keeps many times as much
//! for ever. So a thread keeps one buffer and uses it again. What a password left in it never
//! outlives the check.

use std::cell::Cell;

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize;

/// The most blocks (1 KiB) that a thread keeps: what a hash asks for that is made here. A check
/// that asks for more has memory of its own and gives it back.
const KEPT: usize = 19_456;

thread_local! {
    static MEMORY: Cell<Vec<Block>> = const { Cell::new(Vec::new()) };
}

/// Whether `text` was made of `password`.
pub(super) fn verify(text: &str, password: &[u8]) -> bool {
    check(text, password).unwrap_or(false)
}

fn check(text: &str, password: &[u8]) -> Option<bool> {
    let hash = PasswordHash::new(text).ok()?;
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let params = Params::try_from(&hash).ok()?;
    let version = hash.version.map(Version::try_from).transpose().ok()?;
    // Argon2i is what some directories make.
    let algorithm = Algorithm::new(hash.algorithm.as_str()).ok()?;
    let argon2 = Argon2::new(algorithm, version.unwrap_or_default(), params);
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len())?;
    let made = with_memory(argon2.params().block_count(), |memory| {
        argon2.hash_password_into_with_memory(password, salt, output, memory)
    });
    made?.ok()?;
    // `Output` compares in constant time.
    Some(Output::new(output).is_ok_and(|output| output == *expected))
}

/// Lends at least so many blocks, with anything in them, and wipes them afterwards. None when the
/// system has no memory left.
fn with_memory<T>(blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> Option<T> {
    let mut memory = if blocks > KEPT {
        Vec::new()
    } else {
        MEMORY.take()
    };
    if memory.len() < blocks {
        memory.try_reserve_exact(blocks - memory.len()).ok()?;
        memory.resize(blocks, Block::new());
    }
    let outcome = work(&mut memory);
    memory.iter_mut().take(blocks).for_each(Block::zeroize);
    if blocks <= KEPT {
        MEMORY.set(memory);
    }
    Some(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the thread keeps: where, how many blocks, and whether they are wiped.
    fn kept() -> (*const Block, usize, bool) {
        let memory = MEMORY.take();
        let wiped = memory
            .iter()
            .all(|block| block.as_ref().iter().all(|word| *word == 0));
        let seen = (memory.as_ptr(), memory.len(), wiped);
        MEMORY.set(memory);
        seen
    }

    #[test]
    fn one_wiped_buffer_serves_every_hash_of_the_usual_size() {
        let usual = super::super::PasswordHash::stand_in();
        assert!(!verify(usual.as_str(), b"wrong"));
        let first = kept();
        assert_eq!((first.1, first.2), (KEPT, true));
        for _ in 0..3 {
            assert!(!verify(usual.as_str(), b"wrong"));
            assert_eq!(kept(), first);
        }
    }

    #[test]
    fn the_memory_of_a_larger_hash_is_not_kept() {
        with_memory(64, |memory| memory.fill(Block::new()));
        let before = kept();
        assert_eq!(with_memory(KEPT + 1, |memory| memory.len()), Some(KEPT + 1));
        assert_eq!(kept(), before);
    }

    #[test]
    fn hashes_of_other_sizes_in_any_order_are_right() {
        let made: Vec<String> = [(64, 1, 1), (256, 2, 2), (19_456, 1, 1), (20_000, 1, 4)]
            .into_iter()
            .map(|(memory, passes, lanes)| {
                use argon2::PasswordHasher;
                let params = Params::new(memory, passes, lanes, None).unwrap();
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let hash = argon2.hash_password_with_salt(b"right", b"some salt");
                hash.unwrap().to_string()
            })
            .collect();
        for text in made.iter().chain(made.iter().rev()) {
            assert!(verify(text, b"right"), "{text}");
            assert!(!verify(text, b"wrong"), "{text}");
        }
    }
}
