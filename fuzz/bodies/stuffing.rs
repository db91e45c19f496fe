//! A message on its way to the wire: whatever it is cut into, a client gets it back whole, or as
//! much of it as TOP asks for.
//!
//! Input: an octet for the extent, an octet for the size of the blocks, the message.

use postern::pop3::Extent;
use postern::pop3::stuffing::{Stuffer, has_ascii_header};
use postern::store::MemoryStore;

use client::{normal, unstuffed};

#[path = "../../src/pop3/tests/client.rs"]
mod client;

/// Sends the message in three ways, and once more by hand.
pub fn run(input: &[u8]) {
    let [extent, size, message @ ..] = input else {
        return;
    };
    let extent = match extent % 8 {
        7 => Extent::Whole,
        lines => Extent::Top(u64::from(lines)),
    };
    let expected = wire(message, extent);
    for size in [1, usize::from(*size) % 31 + 1, message.len().max(1)] {
        let sent = stuffed(message, size, extent);
        assert_eq!(sent, expected, "in blocks of {size}, {extent:?}");
    }
    if extent == Extent::Whole {
        assert_eq!(unstuffed(&expected), normal(message));
    }
    let store = MemoryStore::new();
    store.deliver("alice", message);
    let size = store.open_name("alice").listing().size(0);
    let ended = message.is_empty() || message.ends_with(b"\n");
    let added = if ended { 0 } else { 2 };
    assert_eq!(size, u64::try_from(normal(message).len() - added).ok());
    assert_eq!(
        has_ascii_header(message),
        is_ascii(message),
        "the header ends where TOP ends it"
    );
}

fn stuffed(message: &[u8], size: usize, extent: Extent) -> Vec<u8> {
    let mut stuffer = Stuffer::new(extent);
    let mut sent = Vec::new();
    for block in message.chunks(size) {
        let before = sent.len();
        stuffer.push(block, &mut sent);
        assert!(sent.len() - before <= 2 * block.len() + 1);
    }
    stuffer.finish(&mut sent);
    sent
}

/// What RETR or TOP sends behind its status line, seen from above.
pub(crate) fn wire(message: &[u8], extent: Extent) -> Vec<u8> {
    let (header, body) = header(message);
    let mut stored = header.to_vec();
    match extent {
        Extent::Whole => stored.extend_from_slice(body),
        Extent::Top(lines) => {
            let lines = usize::try_from(lines).unwrap_or(usize::MAX);
            for line in body.split_inclusive(|octet| *octet == b'\n').take(lines) {
                stored.extend_from_slice(line);
            }
        }
    }
    let mut wire = Vec::new();
    for line in normal(&stored).split_inclusive(|octet| *octet == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// Whether the header is ASCII.
pub(crate) fn is_ascii(message: &[u8]) -> bool {
    header(message).0.is_ascii()
}

/// The header with the blank line, and the rest. Without a blank line all of it is header.
fn header(message: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        end += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            break;
        }
    }
    message.split_at(end)
}
