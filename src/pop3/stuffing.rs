//! A stored message on its way to the wire: line ends become CRLF, a leading dot is doubled, and
//! the end is `.` CRLF (RFC 1939 §3, C0011). Works on blocks cut anywhere, in constant memory.
//!
//! An LF without a CR before it becomes CRLF. A CR elsewhere, NUL and 8-bit octets go out as they
//! are stored: mail is not altered beyond what the protocol needs.

use memchr::memchr_iter;

use super::turn::Extent;

/// Turns blocks of one stored message into wire form.
#[derive(Debug)]
pub struct Stuffer {
    /// How many lines of the body are still wanted; none counts for the whole message.
    lines: Option<u64>,
    in_header: bool,
    /// The last two octets so far. A message begins as if a line had just ended.
    last: [u8; 2],
}

impl Stuffer {
    /// For a message of which this much is wanted.
    pub fn new(extent: Extent) -> Self {
        Self {
            lines: match extent {
                Extent::Whole => None,
                Extent::Top(lines) => Some(lines),
            },
            in_header: true,
            last: *b"\n\n",
        }
    }

    /// Whether nothing more of the message is wanted (TOP).
    pub fn is_complete(&self) -> bool {
        !self.in_header && self.lines == Some(0)
    }

    /// Appends the wire form of the next stored octets to `wire`: at most twice as many, and one.
    /// What is in wire form already is copied in one piece, however many lines it has.
    pub fn push(&mut self, block: &[u8], wire: &mut Vec<u8>) {
        if self.is_complete() {
            return;
        }
        let piece = |from: usize, to: usize| block.get(from..to).unwrap_or_default();
        let is_dot = |at: usize| block.get(at) == Some(&b'.');
        if self.is_at_line_start() && is_dot(0) {
            wire.push(b'.');
        }
        // Up to where the block was copied. This loop is most of what a message costs here, so it
        // does nothing for a line that can be done for a block.
        let mut copied = 0;
        for end in memchr_iter(b'\n', block) {
            let [before, last] = self.before(block, end);
            if last != b'\r' {
                wire.extend_from_slice(piece(copied, end));
                wire.push(b'\r');
                copied = end;
            }
            let start = end + 1;
            if self.lines.is_some() && self.ends_with(before, last) {
                wire.extend_from_slice(piece(copied, start));
                self.last = [last, b'\n'];
                return;
            }
            if is_dot(start) {
                wire.extend_from_slice(piece(copied, start));
                wire.push(b'.');
                copied = start;
            }
        }
        wire.extend_from_slice(piece(copied, block.len()));
        self.last = self.before(block, block.len());
    }

    /// The two octets before a place in the block.
    fn before(&self, block: &[u8], at: usize) -> [u8; 2] {
        let [second, first] = self.last;
        match block.get(..at) {
            Some([.., second, first]) => [*second, *first],
            Some([next]) => [first, *next],
            Some([]) | None => [second, first],
        }
    }

    /// Counts a line of which `before` and `last` are the octets before its LF; says whether it is
    /// the last one that is wanted.
    fn ends_with(&mut self, before: u8, last: u8) -> bool {
        if self.in_header {
            let is_empty = last == b'\n' || (last == b'\r' && before == b'\n');
            self.in_header = !is_empty;
        } else if let Some(lines) = &mut self.lines {
            *lines = lines.saturating_sub(1);
        }
        self.is_complete()
    }

    fn is_at_line_start(&self) -> bool {
        self.last.ends_with(b"\n")
    }

    /// Appends the end: a line end where the message has none, then `.` CRLF, which follows a CRLF
    /// in every case.
    pub fn finish(self, wire: &mut Vec<u8>) {
        if !self.is_at_line_start() {
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b".\r\n");
    }
}

/// Whether a header is ASCII (RFC 6856 §2.1), as far as the first block of the message holds it. It
/// ends where TOP ends it: at the first empty line, however that line ends.
pub fn has_ascii_header(block: &[u8]) -> bool {
    block
        .split_inclusive(|octet| *octet == b'\n')
        .take_while(|line| !matches!(*line, b"\n" | b"\r\n"))
        .all(<[u8]>::is_ascii)
}
