//! The line cutter: however a stream is cut, the same lines come out of it, in bounded memory.
//!
//! Input: an octet for the limit, an octet for the size of the chunks, the stream.

use postern::pop3::line::{Lines, Taken};

/// The lines with their lengths on the wire, and how it ended.
type Cut = (Vec<(Vec<u8>, usize)>, End);

#[derive(Debug, PartialEq, Eq)]
enum End {
    /// So many octets wait for their line end.
    Waiting(usize),
    TooLong,
}

/// Cuts the stream in three ways, and once more by hand.
pub fn run(input: &[u8]) {
    let [limit, size, stream @ ..] = input else {
        return;
    };
    let short = usize::from(*limit) % 64 + 6;
    // As in a session: what has come of a line decides how long it may become.
    let limit = |line: &[u8]| {
        if line.starts_with(b"AUTH ") {
            4 * short
        } else {
            short
        }
    };
    let expected = by_hand(stream, limit);
    for size in [1, usize::from(*size) % 31 + 1, stream.len().max(1)] {
        assert_eq!(cut(stream, size, limit), expected, "in chunks of {size}");
    }
}

fn cut(stream: &[u8], size: usize, limit: impl Fn(&[u8]) -> usize) -> Cut {
    let mut lines = Lines::default();
    let mut taken = Vec::new();
    for chunk in stream.chunks(size) {
        lines.push(chunk);
        loop {
            match lines.take(&limit) {
                Taken::Line(line) => {
                    assert_eq!(format!("{line:?}"), "Secret(redacted)");
                    taken.push((line.expose().to_vec(), lines.taken()));
                }
                Taken::Partial => break,
                Taken::TooLong => return (taken, End::TooLong),
            }
        }
        assert!(
            lines.waiting() < limit(b"AUTH "),
            "more is kept than a line"
        );
        assert_eq!(lines.has_more(), lines.waiting() > 0);
    }
    let waiting = lines.waiting();
    lines.clear();
    assert_eq!((lines.waiting(), lines.has_more()), (0, false));
    (taken, End::Waiting(waiting))
}

/// The same, seen from above.
fn by_hand(mut rest: &[u8], limit: impl Fn(&[u8]) -> usize) -> Cut {
    let mut taken = Vec::new();
    while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
        let line = &rest[..end];
        if line.len() + 1 > limit(line) {
            return (taken, End::TooLong);
        }
        taken.push((line.strip_suffix(b"\r").unwrap_or(line).to_vec(), end + 1));
        rest = &rest[end + 1..];
    }
    if rest.len() >= limit(rest) {
        (taken, End::TooLong)
    } else {
        (taken, End::Waiting(rest.len()))
    }
}
