//! Sizes: where they come from, and how large they may be.

use super::*;
use crate::store::maildir::Depth;
use crate::store::size::WireSize;

fn wire(blocks: &[&[u8]]) -> u64 {
    let mut size = WireSize::default();
    blocks.iter().for_each(|block| size.add(block));
    size.total()
}

#[test]
fn a_line_end_counts_as_two() {
    assert_eq!(wire(&[]), 0);
    assert_eq!(wire(&[b"a"]), 1);
    assert_eq!(wire(&[b"a\n"]), 3);
    assert_eq!(wire(&[b"a\r\n"]), 3);
    assert_eq!(wire(&[b"\n\n\r\n"]), 6);
    assert_eq!(wire(&[b"a\rb\n\r"]), 6, "a bare CR stays");
    assert_eq!(wire(&[b"a\0\n"]), 4);
    assert_eq!(
        wire(&[b"a\r", b"", b"\n", b"\n"]),
        5,
        "also at the edge of a block"
    );
}

proptest::proptest! {
    #[test]
    fn blocks_do_not_matter(text in proptest::collection::vec(proptest::prop_oneof![
        proptest::strategy::Just(b'\r'), proptest::strategy::Just(b'\n'), proptest::strategy::Just(b'a')
    ], 0..200), size in 1_usize..20) {
        let blocks: Vec<&[u8]> = text.chunks(size).collect();
        let text = String::from_utf8(text.clone()).unwrap();
        let wanted = text.replace("\r\n", "\n").replace('\n', "\r\n").len();
        proptest::prop_assert_eq!(wire(&blocks), u64::try_from(wanted).unwrap());
    }
}

#[test]
fn names_then_index_then_the_file() {
    for (exact, wanted) in [(true, [70, 71, 4]), (false, [50, 51, 3])] {
        let site = Site::with(exact);
        site.write_index("3 V1 N9\n1 W1 S1 :1.a,S=50,W=70\n2 S51 W71 :2.b\n3 :3.c\n");
        for name in ["1.a,S=50,W=70", "2.b", "3.c"] {
            site.put(&format!("cur/{name}:2,S"), b"a\nb");
        }
        assert_eq!(sizes(&site.open()), wanted, "names are believed");
        let key = if exact { "W4" } else { "S3" };
        assert!(site.index().ends_with(&format!("\n3 {key} :3.c\n")));
        let other = Account {
            exact_size: Some(!exact),
            ..site.account.clone()
        };
        let maildrop = site.store.open_account(&other).unwrap();
        assert_ne!(
            sizes(&maildrop),
            wanted,
            "the account's own setting comes first"
        );
    }
}

/// Dovecot refuses the whole login when it finds out. Here LIST is wrong, and nothing else is.
#[test]
fn a_name_with_a_wrong_size_costs_no_login_and_no_octet() {
    let text = b"Subject: a\n\nhello\n";
    for (exact, told) in [(false, 5), (true, 7)] {
        let site = Site::with(exact);
        site.put("cur/1.a,S=5,W=7:2,S", text);
        site.put("cur/2.b,S=999999,W=999999:2,S", text);
        let maildrop = site.open();
        assert_eq!(sizes(&maildrop), [told, 999_999], "LIST believes the name");
        for index in [0, 1] {
            assert_eq!(octets(&maildrop, index).unwrap(), text, "RETR does not");
        }
        let seen = site.store.inspect(&site.account, Depth::Verify).unwrap();
        let found: Vec<String> = seen.findings.iter().map(ToString::to_string).collect();
        for wanted in [
            "cur/1.a,S=5,W=7:2,S: the name says S=5, but it is 18: ",
            "cur/1.a,S=5,W=7:2,S: the name says W=7, but it is 21: ",
            "cur/2.b,S=999999,W=999999:2,S: the name says S=999999, but it is 18: ",
            "cur/2.b,S=999999,W=999999:2,S: the name says W=999999, but it is 21: ",
        ] {
            assert!(
                found.iter().any(|line| line.starts_with(wanted)),
                "{wanted}: {found:#?}"
            );
        }
        assert_eq!(found.len(), 4, "{found:#?}");
    }
}

#[test]
fn sizes_are_counted_once() {
    let site = Site::new();
    let path = site.put("cur/1.a", b"a\n");
    site.open();
    fs::write(&path, b"much longer\n").unwrap();
    assert_eq!(
        sizes(&site.open()),
        [3],
        "the index is believed, no file is opened"
    );
}

/// What a login costs must not depend on the mail that is there, once the index knows it.
#[test]
fn a_message_is_opened_once_and_never_for_a_login_again() {
    let site = Site::new();
    for name in ["1.a:2,S", "2.b:2,", "3.c,W=9:2,"] {
        site.put(&format!("cur/{name}"), b"a\n");
    }
    let opened = Opened::watch(&site.maildir.join("cur"));
    assert_eq!(sizes(&site.open()), [3, 3, 9]);
    assert_eq!(opened.names(), ["1.a:2,S", "2.b:2,"], "the first login");
    let none: [&str; 0] = [];
    assert_eq!(sizes(&site.open()), [3, 3, 9]);
    assert_eq!(opened.names(), none, "the next one");
    site.put("new/4.d", b"d");
    assert_eq!(sizes(&site.open()), [3, 3, 9, 1]);
    assert_eq!(opened.names(), ["4.d:2,"], "one with new mail");
}

/// Which files of a folder were opened, whoever did it.
struct Opened(std::os::fd::OwnedFd);

impl Opened {
    fn watch(folder: &Path) -> Self {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let watch = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        add_watch(&watch, folder, WatchFlags::OPEN).unwrap();
        Self(watch)
    }

    /// Their names, sorted, since the last question; the folder itself has none.
    fn names(&self) -> Vec<String> {
        let mut block = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = rustix::fs::inotify::Reader::new(&self.0, &mut block);
        let mut names = Vec::new();
        while let Ok(event) = events.next() {
            names.extend(
                event
                    .file_name()
                    .map(|name| name.to_str().unwrap().to_owned()),
            );
        }
        names.sort();
        names
    }
}

#[test]
fn many_messages_are_counted_by_several_readers() {
    let site = Site::new();
    for number in 0..2000 {
        site.put(
            &format!("cur/{}.x", 5000 + number),
            &b"\n".repeat(number % 7),
        );
    }
    let wanted: Vec<u64> = (0..2000).map(|number| 2 * (number % 7)).collect();
    assert_eq!(sizes(&site.open()), wanted);
}

#[test]
fn a_mailbox_may_be_larger_than_4_gib() {
    let site = Site::with(false);
    for (name, size) in [("1.a", 2 << 30), ("2.b", 2 << 30), ("3.c", (1 << 30) + 5)] {
        let path = site.put(&format!("cur/{name}"), b"x");
        resize(&path, size);
    }
    let maildrop = site.open();
    assert_eq!(maildrop.listing().total(), 5 * (1 << 30) + 5);
    assert_eq!(maildrop.listing().size(1), Some(1 << 31));
    assert!(site.index().contains(" S2147483648 :1.a\n"));
}

#[test]
fn a_message_may_be_one_long_line_of_anything() {
    let site = Site::new();
    let mut text = vec![b'a'; 3_000_000];
    text.extend_from_slice(b"\0\0\xff\r\r\n.\n\nno end");
    site.put("cur/1.a", &text);
    site.put("cur/2.b", b"");
    let maildrop = site.open();
    assert_eq!(sizes(&maildrop), [3_000_000 + 15 + 2, 0]);
    assert_eq!(octets(&maildrop, 0).unwrap(), text);
    assert_eq!(octets(&maildrop, 1).unwrap(), b"");
}
