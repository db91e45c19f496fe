//! Names of files in a Maildir: taken apart without loss, and never more than the index can hold.
//! The input is the name.

use postern::store::maildir::name::{base, decimal, delivered, flags, is_mail, number};
use postern::store::maildir::uidlist::{Entry, More};

/// Takes the name apart, and puts it into an index and out again.
pub fn run(name: &[u8]) {
    let stem = base(name);
    assert!(name.starts_with(stem) && !stem.contains(&b':'));
    let info = &name[stem.len()..];
    assert!(matches!(info.first(), None | Some(b':')));
    let flags = flags(name);
    assert!(info.ends_with(flags));
    assert_eq!(
        !flags.is_empty(),
        info.len() > 3 && info.starts_with(b":2,")
    );
    assert_eq!(base(stem), stem, "a base name is its own");
    for key in [b'S', b'W'] {
        if let Some(octets) = number(stem, key) {
            let digits = octets.to_string();
            let found = stem
                .split(|octet| *octet == b',')
                .skip(1)
                .filter_map(|part| part.strip_prefix(&[key, b'='][..]))
                .any(|value| value.ends_with(digits.as_bytes()) && is_number(value, octets));
            assert!(found, "{name:?} says {octets}");
        }
    }
    let (seconds, _) = delivered(stem);
    let first = stem
        .split(|octet| *octet == b'.')
        .next()
        .unwrap_or_default();
    assert!(seconds == 0 || is_number(first, seconds));
    assert_eq!(decimal(name), by_hand(name));
    if is_mail(name) {
        indexed(stem);
    }
}

/// Whatever is mail can stand in the index, in both versions.
fn indexed(stem: &[u8]) {
    let entry = Entry {
        uid: 7,
        keys: b"W12",
        base: stem,
    };
    let mut line = Vec::new();
    entry.print(More::default(), &mut line);
    assert_eq!(line.pop(), Some(b'\n'));
    assert_eq!(Entry::parse(&line, 3), Some(entry));
    let courier = [b"7 ", stem].concat();
    assert_eq!(
        Entry::parse(&courier, 1).map(|entry| entry.base),
        Some(stem)
    );
}

fn is_number(digits: &[u8], wanted: u64) -> bool {
    by_hand(digits) == Some(wanted)
}

/// 1 to 19 digits.
fn by_hand(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let fits = (1..=19).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}
