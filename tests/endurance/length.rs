//! How long a test is to run, and which dice it throws.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::lab::dice::Dice;

/// The number for the short form, or the one for the long form.
pub(crate) fn rounds(short: usize, full: usize) -> usize {
    match std::env::var("POSTERN_ENDURANCE").as_deref() {
        Ok("full") => full,
        Ok(other) => panic!("POSTERN_ENDURANCE={other}: say full, or nothing"),
        Err(_) => short,
    }
}

/// Dice with a new seed, or with that of `POSTERN_SEED`. The seed is printed.
#[expect(clippy::print_stderr, reason = "a failed test shows its seed")]
pub(crate) fn dice() -> Dice {
    let seed = match std::env::var("POSTERN_SEED") {
        Ok(text) => text
            .parse::<u64>()
            .expect("POSTERN_SEED is a number")
            .max(1),
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |since| u64::from(since.subsec_nanos()) | 1),
    };
    eprintln!("POSTERN_SEED={seed}");
    Dice(seed)
}
