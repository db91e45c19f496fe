//! The text of `dovecot-uidlist`: cut into lines in constant memory, and every header and entry
//! that is read prints and reads to the same. The input is the file.

use std::io::BufReader;

use postern::store::maildir::uidlist::{
    End, Entry, Header, Lines, MAX_LINE, More, UID_LIMIT, torn_uid,
};

/// Reads the file in blocks of several sizes, and every line of it.
pub fn run(file: &[u8]) {
    let expected = by_hand(file);
    for size in [1, 7, 64 * 1024] {
        let lines = lines(file, size);
        assert_eq!(lines.len(), expected.len(), "in blocks of {size}");
        for ((end, line), (wanted, whole)) in lines.iter().zip(&expected) {
            assert_eq!(end, wanted, "in blocks of {size}");
            assert!(
                whole.len() > MAX_LINE || line == whole,
                "in blocks of {size}"
            );
        }
    }
    for (_, line) in &expected {
        header(line);
        for version in [1, 3] {
            entry(line, version);
        }
        if let Some(uid) = torn_uid(line) {
            let printed = format!("{uid} ");
            let digits = line.iter().position(|octet| *octet != b'0');
            assert!(digits.is_some_and(|at| line[at..].starts_with(printed.as_bytes())));
        }
    }
}

fn lines(file: &[u8], size: usize) -> Vec<(End, Vec<u8>)> {
    let mut lines = Lines::new(BufReader::with_capacity(size, file));
    let mut all = Vec::new();
    while let Some((end, line)) = lines.next().expect("memory can be read") {
        assert!(line.len() <= MAX_LINE);
        all.push((end, line.to_vec()));
    }
    all
}

fn by_hand(file: &[u8]) -> Vec<(End, Vec<u8>)> {
    let cut = |piece: &[u8]| match piece.strip_suffix(b"\n") {
        None => (End::Torn, piece.to_vec()),
        Some(line) if line.len() > MAX_LINE => (End::TooLong, line.to_vec()),
        Some(line) => (End::Whole, line.to_vec()),
    };
    file.split_inclusive(|octet| *octet == b'\n')
        .map(cut)
        .collect()
}

fn header(line: &[u8]) {
    let Ok(header) = Header::parse(line) else {
        return;
    };
    assert!(header.validity > 0 && header.next > 0);
    let mut printed = Vec::new();
    header.print(&mut printed);
    assert_eq!(printed.pop(), Some(b'\n'));
    assert!(!printed.contains(&b'\n'));
    let again = Header::parse(&printed).expect("what was printed is a header");
    assert_eq!(
        (header.version == 1 || header.version == 3, again.version),
        (true, 3)
    );
    let told = |header: &Header| (header.validity, header.next, header.other.clone());
    assert_eq!(told(&again), told(&header));
}

fn entry(line: &[u8], version: u8) {
    let Some(entry) = Entry::parse(line, version) else {
        return;
    };
    assert!((1..UID_LIMIT).contains(&entry.uid));
    assert!((1..=255).contains(&entry.base.len()));
    assert!(!entry.base.iter().any(|octet| b"/:\0\r\n".contains(octet)));
    for (size, cross_out) in [
        (None, false),
        (Some((b'W', 7)), false),
        (Some((b'S', u64::MAX)), true),
    ] {
        let mut printed = Vec::new();
        entry.print(More { size, cross_out }, &mut printed);
        assert_eq!(printed.pop(), Some(b'\n'));
        assert!(!printed.contains(&b'\n'));
        let again = Entry::parse(&printed, 3).expect("what was printed is an entry");
        assert_eq!((again.uid, again.base), (entry.uid, entry.base));
        assert!(again.keys.ends_with(entry.keys));
        let more = again.keys != entry.keys;
        if size.is_none() || line.len() > MAX_LINE - 40 {
            assert!(!more || printed.len() <= MAX_LINE);
        } else {
            assert!(more);
        }
        assert_eq!(
            again.is_crossed_out(),
            entry.is_crossed_out() || more && cross_out
        );
        for key in (b'A'..=b'Z').filter(|key| *key != b'X') {
            let own = size.filter(|(own, _)| more && *own == key);
            let own = own.map(|(_, size)| size.to_string().into_bytes());
            let old = entry.value(key).map(<[u8]>::to_vec);
            assert_eq!(again.value(key).map(<[u8]>::to_vec), old.or(own));
        }
    }
}
