//! The text of the index, without a file.

use std::io::{BufReader, Cursor, Read};

use proptest::prelude::*;

use super::super::uidlist::{Damage, End, Entry, Header, HeaderError, Lines, MAX_LINE, More};

#[test]
fn reads_headers_of_both_versions() {
    let header = Header::parse(b"3 G3085f01b N25022  V1275660208 Xnew").unwrap();
    assert_eq!(
        (header.version, header.validity, header.next),
        (3, 1_275_660_208, 25_022)
    );
    assert_eq!(header.other, b" G3085f01b Xnew");
    let courier = Header::parse(b"1 1275660208 25022").unwrap();
    assert_eq!(
        (courier.version, courier.validity, courier.next),
        (1, 1_275_660_208, 25_022)
    );
}

#[test]
fn refuses_broken_headers() {
    let damaged = |line: &str, damage| {
        let wanted = Err(HeaderError::Damaged(damage));
        assert_eq!(Header::parse(line.as_bytes()), wanted, "{line}");
    };
    for line in [
        "", "x", "2 1 1", "1 5", "1 5 6 7", "0 V1 N1", "3 V1 N1x", "3 V0 N1", "100 V1",
    ] {
        damaged(line, Damage::Header);
    }
    damaged("3 V1 V1 N2", Damage::Header);
    damaged("3 V4294967296 N2", Damage::Header);
    damaged("3 N1", Damage::Incomplete);
    damaged("3 V1", Damage::Incomplete);
    assert_eq!(Header::parse(b"4 V1 N1"), Err(HeaderError::Version(4)));
}

#[test]
fn reads_entries() {
    let entry = Entry::parse(b"25006  W2310 Pa:b=  O7 :1276.M5P9.host,S=7:2,S", 3).unwrap();
    assert_eq!(
        (entry.uid, entry.base),
        (25_006, &b"1276.M5P9.host,S=7"[..])
    );
    assert_eq!(entry.value(b'P'), Some(&b"a:b="[..]));
    assert_eq!(entry.value(b'O'), Some(&b"7"[..]));
    assert_eq!(entry.value(b'Z'), None);
    assert_eq!(Entry::parse(b"7 1276.host", 1).unwrap().base, b"1276.host");
    assert_eq!(Entry::parse(b"4294967294 :x", 3).unwrap().uid, u32::MAX - 1);
}

#[test]
fn refuses_broken_entries() {
    for line in [
        "",
        "7",
        "7 ",
        "7 :",
        "7 :a/b",
        "7 ::x",
        "7 W1",
        "x :a",
        "0 :a",
        "-1 :a",
        "7:a",
        "4294967295 :a",
        "99999999999999999999 :a",
        "7 :a\0b",
    ] {
        assert_eq!(Entry::parse(line.as_bytes(), 3), None, "{line:?}");
    }
    assert_eq!(
        Entry::parse(format!("7 :{}", "a".repeat(256)).as_bytes(), 3),
        None
    );
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let long = std::io::repeat(b'a')
        .take(100_000_000)
        .chain(Cursor::new(b"\nnext\ntor"));
    let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, long));
    let (end, line) = lines.next().unwrap().unwrap();
    assert_eq!(end, End::TooLong);
    assert!(line.len() <= MAX_LINE);
    assert_eq!(lines.next().unwrap(), Some((End::Whole, &b"next"[..])));
    assert_eq!(lines.next().unwrap(), Some((End::Torn, &b"tor"[..])));
    assert_eq!(lines.next().unwrap(), None);
}

prop_compose! {
    fn any_key()(key in "[A-Z]", value in "[!-~]{0,40}") -> String { format!("{key}{value}") }
}

proptest! {
    #[test]
    fn headers_survive(validity in 1_u32.., next in 1_u32.., other in prop::collection::vec("[A-MO-UW-Z][!-~]{0,32}", 0..4)) {
        let other = other.iter().flat_map(|key| format!(" {key}").into_bytes()).collect();
        let header = Header { version: 3, validity, next, other };
        let mut line = Vec::new();
        header.print(&mut line);
        prop_assert_eq!(line.pop(), Some(b'\n'));
        prop_assert_eq!(Header::parse(&line), Ok(header));
    }

    #[test]
    fn entries_survive(
        uid in 1..u32::MAX,
        keys in prop::collection::vec(any_key(), 0..5),
        base in "[!-.0-9;-~\u{e0}-\u{ff}][ -.0-9;-~]{0,99}",
    ) {
        let keys = keys.join(" ");
        let entry = Entry { uid, keys: keys.as_bytes(), base: base.as_bytes() };
        let mut line = Vec::new();
        entry.print(More::default(), &mut line);
        prop_assert_eq!(line.pop(), Some(b'\n'));
        prop_assert_eq!(Entry::parse(&line, 3), Some(entry));
        line.clear();
        entry.print(More { size: Some((b'w', 7)), cross_out: true }, &mut line);
        line.pop();
        let again = Entry::parse(&line, 3).unwrap();
        prop_assert_eq!(again.value(b'w'), Some(&b"7"[..]));
        prop_assert!(again.is_crossed_out());
    }

    #[test]
    fn nothing_in_a_line_makes_it_fall(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Header::parse(&line);
        if let Some(entry) = Entry::parse(&line, 3) {
            prop_assert!(!entry.base.is_empty() && !entry.base.contains(&b'/'));
        }
        let _ = Entry::parse(&line, 1);
    }

    #[test]
    fn chunks_do_not_matter(text in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b' ')], 0..300), size in 1_usize..20) {
        let mut lines = Lines::new(BufReader::with_capacity(size, &text[..]));
        let mut back = Vec::new();
        while let Some((end, line)) = lines.next().unwrap() {
            back.extend_from_slice(line);
            if end == End::Whole { back.push(b'\n'); }
        }
        prop_assert_eq!(back, text);
    }
}
