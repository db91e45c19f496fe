//! Lines out of a stream of octets, in bounded memory.
//!
//! A line ends with LF; a CR before it belongs to the line end. Clients that send LF alone are
//! served too; a CR anywhere else is an ordinary octet that no command contains.

use memchr::memchr;
use postern_auth::Secret;
use zeroize::Zeroize;

/// What a look at the buffer came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// A line without its end. It may hold a password.
    Line(Secret),
    /// No line end yet.
    Partial,
    /// The line is longer than allowed, whether its end has come or not.
    TooLong,
}

/// Octets that came and are not yet a line. Keeps no memory while it is empty.
#[derive(Default)]
pub struct Lines {
    octets: Vec<u8>,
    /// Up to here lines were taken.
    start: usize,
    /// Up to here there is no LF.
    seen: usize,
    /// How long the line taken last was, with its end.
    taken: usize,
}

impl Lines {
    /// Appends what was read. The driver reads only while [`Self::take`] says `Partial`, so at most
    /// one limit and one read are held.
    pub fn push(&mut self, octets: &[u8]) {
        self.octets.drain(..self.start);
        self.start = 0;
        self.octets.extend_from_slice(octets);
    }

    /// Whether there are octets behind the last line taken.
    pub fn has_more(&self) -> bool {
        self.start < self.octets.len()
    }

    /// How many octets wait.
    pub fn waiting(&self) -> usize {
        self.octets.len() - self.start
    }

    /// How many octets the line taken last had on the wire, with its end.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Takes the next line if it is there and, with its line end, at most `limit(line)` octets
    /// long. The limit is asked with what there is of the line, since AUTH has its own.
    pub fn take(&mut self, limit: impl Fn(&[u8]) -> usize) -> Taken {
        let waiting = self.octets.get(self.start..).unwrap_or_default();
        let unseen = waiting.get(self.seen..).unwrap_or_default();
        let Some(offset) = memchr(b'\n', unseen) else {
            self.seen = waiting.len();
            return if waiting.len() >= limit(waiting) {
                Taken::TooLong
            } else {
                Taken::Partial
            };
        };
        let end = self.seen + offset;
        let line = waiting.get(..end).unwrap_or_default();
        if end + 1 > limit(line) {
            return Taken::TooLong;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        self.start += end + 1;
        self.seen = 0;
        if !self.has_more() {
            self.clear();
        }
        self.taken = end + 1;
        Taken::Line(Secret::new(line))
    }

    /// Forgets everything, and wipes it: a password may be among it.
    pub fn clear(&mut self) {
        self.octets.zeroize();
        *self = Self::default();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}
