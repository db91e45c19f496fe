//! The file names of a snapshot, packed: each stores only what differs from the beginning of the
//! one before, and every sixteenth stands whole, so that any of them is found in a few steps.
//!
//! In POP3's order neighbours were delivered one after the other and begin with the same digits.

use super::folder::Place;

/// How many names hang on one that stands whole.
const RUN: usize = 16;

/// The most octets that a name may share with the one before; the eighth bit tells the folder.
const MOST_SHARED: usize = 0x7f;

/// The bit that says `new`.
const NEW: u8 = 0x80;

/// Packed names, found by their number.
#[derive(Debug, Default)]
pub(crate) struct Names {
    octets: Vec<u8>,
    runs: Vec<u32>,
    count: usize,
    last: Vec<u8>,
}

impl Names {
    /// Appends a name of at most 255 octets. Fails when 4 GiB are full.
    pub(crate) fn push(&mut self, place: Place, name: &[u8]) -> Option<()> {
        if self.count.is_multiple_of(RUN) {
            self.runs.push(u32::try_from(self.octets.len()).ok()?);
            self.last.clear();
        }
        let same = name
            .iter()
            .zip(&self.last)
            .take_while(|(a, b)| a == b)
            .count();
        let shared = same.min(MOST_SHARED);
        let rest = name.get(shared..)?;
        let folder = if place == Place::New { NEW } else { 0 };
        self.octets.push(u8::try_from(shared).ok()? | folder);
        self.octets.push(u8::try_from(rest.len()).ok()?);
        self.octets.extend_from_slice(rest);
        self.last.clear();
        self.last.extend_from_slice(name);
        self.count += 1;
        Some(())
    }

    /// Gives back what will not be needed any more.
    pub(crate) fn shrink(&mut self) {
        self.octets.shrink_to_fit();
        self.runs.shrink_to_fit();
        self.last = Vec::new();
    }

    /// The memory that they take.
    #[cfg(test)]
    pub(crate) fn octets(&self) -> usize {
        self.octets.capacity() + self.runs.capacity() * size_of::<u32>()
    }

    /// The name of this number, and its folder.
    pub(crate) fn get(&self, index: usize) -> Option<(Place, Vec<u8>)> {
        if index >= self.count {
            return None;
        }
        let start = usize::try_from(*self.runs.get(index / RUN)?).ok()?;
        let mut rest = self.octets.get(start..)?;
        let mut name = Vec::new();
        let mut place = Place::Cur;
        for _ in 0..=index % RUN {
            let [head, length, tail @ ..] = rest else {
                return None;
            };
            let (own, after) = tail.split_at_checked(usize::from(*length))?;
            name.truncate(usize::from(head & !NEW));
            name.extend_from_slice(own);
            place = if head & NEW == 0 {
                Place::Cur
            } else {
                Place::New
            };
            rest = after;
        }
        Some((place, name))
    }
}
