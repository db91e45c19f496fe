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
    /// Octets of the present line so far, its CR included.
    line_octets: usize,
    after_cr: bool,
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
            line_octets: 0,
            after_cr: false,
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
        // Up to where the block was copied, and where the present line begins in it.
        let (mut copied, mut start) = (0, 0);
        if self.line_octets == 0 && is_dot(0) {
            wire.push(b'.');
        }
        for end in memchr_iter(b'\n', block) {
            self.go_on(piece(start, end));
            if !self.after_cr {
                wire.extend_from_slice(piece(copied, end));
                wire.push(b'\r');
                copied = end;
            }
            self.end_line();
            start = end + 1;
            if self.is_complete() {
                wire.extend_from_slice(piece(copied, start));
                return;
            }
            if is_dot(start) {
                wire.extend_from_slice(piece(copied, start));
                wire.push(b'.');
                copied = start;
            }
        }
        wire.extend_from_slice(piece(copied, block.len()));
        self.go_on(piece(start, block.len()));
    }

    /// More of the present line.
    fn go_on(&mut self, octets: &[u8]) {
        self.line_octets += octets.len();
        if let Some(last) = octets.last() {
            self.after_cr = *last == b'\r';
        }
    }

    fn end_line(&mut self) {
        let empty = self.line_octets == usize::from(self.after_cr);
        if self.in_header {
            self.in_header = !empty;
        } else if let Some(lines) = &mut self.lines {
            *lines = lines.saturating_sub(1);
        }
        self.line_octets = 0;
        self.after_cr = false;
    }

    /// Appends the end: a line end where the message has none, then `.` CRLF, which follows a CRLF
    /// in every case.
    pub fn finish(self, wire: &mut Vec<u8>) {
        if self.line_octets > 0 {
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
