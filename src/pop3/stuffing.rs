//! A stored message on its way to the wire: line ends become CRLF, a leading dot is doubled, and
//! the end is `.` CRLF (RFC 1939 §3, C0011). Works on blocks cut anywhere, in constant memory.
//!
//! An LF without a CR before it becomes CRLF. A CR elsewhere, NUL and 8-bit octets go out as they
//! are stored: mail is not altered beyond what the protocol needs.

use memchr::memchr;

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
    pub fn push(&mut self, mut block: &[u8], wire: &mut Vec<u8>) {
        while !block.is_empty() && !self.is_complete() {
            if self.line_octets == 0 && block.first() == Some(&b'.') {
                wire.push(b'.');
            }
            let Some(end) = memchr(b'\n', block) else {
                wire.extend_from_slice(block);
                self.line_octets += block.len();
                self.after_cr = block.last() == Some(&b'\r');
                return;
            };
            let (line, rest) = block.split_at(end);
            wire.extend_from_slice(line);
            self.line_octets += line.len();
            if let Some(last) = line.last() {
                self.after_cr = *last == b'\r';
            }
            self.end_line(wire);
            block = rest.get(1..).unwrap_or_default();
        }
    }

    fn end_line(&mut self, wire: &mut Vec<u8>) {
        wire.extend_from_slice(if self.after_cr { b"\n" } else { b"\r\n" });
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
