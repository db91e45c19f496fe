//! The index on disk: giving out uids, keeping them, losing them.

use std::collections::BTreeSet;

use super::super::folder::Folder;
use super::super::lock::{LOCK, Lock};
use super::*;
use crate::store::maildir::SystemClock;

/// A hand-written index of another server: five messages, one of them without a file, and `N`
/// behind the last entry.
const OTHERS: &str = "3 V1700000000 N400 G3085f01b7f11094c501100008c4a11c1 Xkeep\n\
    101 :1001.alpha\n\
    205 W777 PAAQkADAwAGFj/2003+id= Q9 :1002.bravo\n\
    310 S5 :1003.charlie\n\
    415 W9 :1004.gone\n\
    499 O1 :1005.delta\n";

fn with_others(index: impl AsRef<[u8]>) -> Site {
    let site = Site::new();
    for name in ["1001.alpha", "1002.bravo", "1003.charlie", "1005.delta"] {
        site.put(&format!("cur/{name}:2,S"), b"x\n");
    }
    site.write_index(index);
    site
}

#[test]
fn another_servers_index_is_kept_to_the_letter() {
    let site = with_others(OTHERS);
    let maildrop = site.open();
    assert_eq!(
        uids(&maildrop),
        ["499", "101", "AAQkADAwAGFj/2003+id=", "310"]
    );
    assert_eq!(
        sizes(&maildrop),
        [3, 3, 777, 3],
        "W of the index is believed, S is no wire size"
    );
    let text = site.index();
    assert!(text.starts_with("3 V1700000000 N500 G3085f01b7f11094c501100008c4a11c1 Xkeep\n"));
    assert!(text.contains("\n205 W777 PAAQkADAwAGFj/2003+id= Q9 :1002.bravo\n"));
    assert!(text.contains("\n310 W3 S5 :1003.charlie\n"), "{text}");
    assert!(
        text.contains("\n415 W9 :1004.gone\n"),
        "too few dead lines to tidy up"
    );
    site.put("new/1006.echo", b"y");
    assert_eq!(uids(&site.open())[4], "500");
    assert_eq!(site.index(), text + "500 W1 :1006.echo\n", "appended");
}

#[test]
fn uids_are_never_reused() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.put("cur/2.b", b"b");
    let maildrop = site.open();
    maildrop.remove(&mut [1].into_iter()).unwrap();
    site.put("new/3.c", b"c");
    assert_eq!(
        uids(&site.open()),
        [START.to_string(), (START + 2).to_string()]
    );
    site.open().remove(&mut [0, 1].into_iter()).unwrap();
    assert!(uids(&site.open()).is_empty());
    site.put("new/4.d", b"d");
    assert_eq!(uids(&site.open()), [(START + 3).to_string()]);
    fs::remove_file(site.index_path()).unwrap();
    site.clock.set(START + 86_400);
    assert_eq!(
        uids(&site.open()),
        [(START + 86_400).to_string()],
        "the index was lost"
    );
}

/// Within the same second, even.
#[test]
fn uids_are_not_reused_when_the_index_is_lost_at_once() {
    let site = Site::new();
    let mut seen = BTreeSet::new();
    for round in 0..20 {
        for number in 0..110 {
            site.put(&format!("new/{round}.{number}"), b"x");
        }
        let got = uids(&site.open());
        assert!(
            got.iter().all(|uid| seen.insert(uid.clone())),
            "round {round}"
        );
        if round % 2 == 0 {
            fs::remove_file(site.index_path()).unwrap();
        } else {
            site.write_index("garbage\n");
        }
    }
}

#[test]
fn dead_lines_are_tidied_up_and_the_next_uid_stays() {
    let site = Site::new();
    for number in 100..200 {
        site.put(&format!("cur/{number}.x"), b"x");
    }
    let maildrop = site.open();
    maildrop.remove(&mut (60..100)).unwrap();
    site.put("new/999.y", b"y");
    let last = (START + 100).to_string();
    assert_eq!(uids(&site.open()).last(), Some(&last));
    let text = site.index();
    assert_eq!(text.lines().count(), 1 + 60 + 1);
    assert!(
        text.starts_with(&format!("3 V{START} N{}\n", START + 101)),
        "{text}"
    );
}

#[test]
fn unknown_keys_survive_a_rewrite() {
    let mut index = String::from("3 V5 N7 Gabc Zz=1\n");
    let site = Site::new();
    for number in 1..=100 {
        index += &format!("{number} W1 Kkeep{number} G{number:x} :{number}.x\n");
    }
    for number in (1..=100).filter(|number| number % 2 == 0) {
        site.put(&format!("cur/{number}.x:2,"), b"x");
    }
    site.write_index(&index);
    site.put("new/500.y", b"y");
    site.open();
    let text = site.index();
    assert!(
        text.starts_with("3 V5 N102 Gabc Zz=1\n2 W1 Kkeep2 G2 :2.x\n"),
        "{text}"
    );
    assert!(
        text.ends_with("100 W1 Kkeep100 G64 :100.x\n101 W1 :500.y\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 52);
}

#[test]
fn courier_indexes_are_read_and_become_version_3() {
    let site = Site::new();
    site.write_index("1 77 40\n3 1.a\n9 2.b\n");
    site.put("cur/1.a:2,S", b"a");
    site.put("cur/2.b:2,S", b"bb");
    assert_eq!(uids(&site.open()), ["3", "9"]);
    assert_eq!(site.index(), "3 V77 N40\n3 W1 :1.a\n9 W2 :2.b\n");
}

#[test]
fn the_later_of_two_entries_for_a_name_wins() {
    let site = Site::new();
    site.write_index("3 V1 N1\n5 W1 :1.a\n6 W1 :2.b\n9 W1 :1.a\n");
    site.put("cur/1.a", b"a");
    site.put("cur/2.b", b"b");
    assert_eq!(uids(&site.open()), ["6", "9"]);
}

#[test]
fn damage_is_put_aside_and_no_old_uid_comes_back() {
    for damaged in [
        "",
        "garbage\n",
        "3 V5\n9 :1.a\n",
        "3 N5\n9 :1.a\n",
        "3 V5 N20\n9 :1.a\n9 :2.b\n",
        "3 V5 N20\n9 :1.a\n8 :2.b\n",
        "3 V5 N20\n9 :../1.a\n",
        "3 V5 N20\n\n9 :1.a\n",
        "3 V5 N20 9 :1.a",
        "3 V5 N20\n9 1.a\n",
    ] {
        let site = Site::new();
        site.put("cur/1.a", b"a");
        site.put("cur/2.b", b"b");
        site.write_index(damaged);
        let wanted = [START.to_string(), (START + 1).to_string()];
        assert_eq!(uids(&site.open()), wanted, "{damaged:?}");
        assert!(
            site.index()
                .starts_with(&format!("3 V{START} N{}\n", START + 2))
        );
        let aside = format!("dovecot-uidlist.damaged-{START}");
        assert_eq!(
            fs::read_to_string(site.maildir.join(aside)).unwrap(),
            damaged
        );
        assert_eq!(uids(&site.open()), wanted, "and that is that");
    }
}

#[test]
fn a_rebuilt_index_begins_above_what_can_still_be_read() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    let high = START + 1_000_000;
    site.write_index(format!("3 V5 N20\n9 :1.a\nbroken\n{high} :2.b\n"));
    assert_eq!(uids(&site.open()), [(high + 1).to_string()]);
}

#[test]
fn a_long_line_is_damage_and_a_newer_format_is_left_alone() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.write_index(format!("3 V5 N20\n9 P{} :1.a\n", "x".repeat(100_000)));
    assert_eq!(uids(&site.open()), [START.to_string()]);
    site.write_index("4 V5 N20\n9 :1.a\n");
    assert!(matches!(site.refused(), StoreError::Unusable { .. }));
    assert_eq!(site.index(), "4 V5 N20\n9 :1.a\n");
}

#[test]
fn uids_run_out_with_words() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.put("cur/2.b", b"b");
    site.write_index("3 V5 N4294967294\n9 W1 :1.a\n");
    assert_eq!(uids(&site.open()), ["9", "4294967294"]);
    site.put("new/3.c", b"c");
    let error = site.refused().to_string();
    assert!(
        error.contains("dovecot-uidlist: the next unique id would be 4294967295"),
        "{error}"
    );
    assert!(!site.maildir.join(LOCK).exists());
}

/// A crash between append and fsync leaves any part of the last lines.
#[test]
fn a_torn_append_never_changes_an_earlier_uid() {
    let names = ["1001.alpha", "1002.bravo", "1003.charlie", "1005.delta"];
    let old = ["101", "205", "310", "499"];
    let text = "3 V1 N102\n101 W1 :1001.alpha\n205 W1 :1002.bravo\n310 W1 :1003.charlie\n499 W1 \
                :1005.delta\n";
    let header = text.find('\n').unwrap() + 1;
    for cut in header..=text.len() {
        let site = Site::new();
        for name in names {
            site.put(&format!("cur/{name}:2,"), b"x");
        }
        site.write_index(&text[..cut]);
        let whole = text[..cut].lines().count() - 1 - usize::from(!text[..cut].ends_with('\n'));
        let got = uids(&site.open());
        assert_eq!(got[..whole], old[..whole], "cut at {cut}");
        for (at, uid) in got.iter().enumerate() {
            assert!(
                !old.iter()
                    .enumerate()
                    .any(|(other, id)| other != at && id == uid),
                "{cut}"
            );
        }
        assert_eq!(got.iter().collect::<BTreeSet<_>>().len(), 4);
        assert_eq!(uids(&site.open()), got, "cut at {cut}");
        assert!(site.index().ends_with('\n'));
    }
}

/// `reference`: CVE-2019-7524 was a length in an index.
#[test]
fn no_flipped_bit_gives_an_old_uid_to_another_message() {
    let names = ["1001.alpha", "1002.bravo", "1003.charlie", "1005.delta"];
    let old = ["101", "205", "310", "499"];
    let text = "3 V1 N500 Gab\n101 W1 :1001.alpha\n205 W1 S1 :1002.bravo\n310 W1 :1003.charlie\n\
                499 W1 :1005.delta\n";
    let site = Site::new();
    for name in names {
        site.put(&format!("cur/{name}:2,"), name.as_bytes());
    }
    for at in 0..text.len() {
        for mask in [0x01, 0x04, 0x10, 0x80] {
            let mut broken = text.as_bytes().to_vec();
            broken[at] ^= mask;
            site.write_index(&broken);
            let Ok(maildrop) = site.store.open_account(&site.account) else {
                continue;
            };
            let got = uids(&maildrop);
            assert_eq!(
                got.iter().collect::<BTreeSet<_>>().len(),
                4,
                "{at} {mask:x}"
            );
            for index in 0..4 {
                let text = octets(&maildrop, index).unwrap();
                let own = names
                    .iter()
                    .position(|name| name.as_bytes() == text)
                    .unwrap();
                let foreign = old.iter().position(|uid| *uid == got[index]);
                assert!(
                    foreign.is_none_or(|foreign| foreign == own),
                    "{at} {mask:x}: {got:?}"
                );
            }
            site.clock
                .set(START + u64::try_from(at).unwrap() * 8 + u64::from(mask));
        }
    }
}

#[test]
fn sessions_that_race_for_the_lock_agree() {
    let site = Site::new();
    for number in 0..200 {
        site.put(&format!("new/{number}.x"), b"x\n");
    }
    let all: Vec<Vec<String>> = std::thread::scope(|scope| {
        let open = || {
            let pattern = site.store.pattern.clone();
            let store = MaildirStore::with_clock(pattern, true, Arc::new(SystemClock));
            uids(&store.open_account(&site.account).unwrap())
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let last = uids(&site.open());
    assert_eq!(last.len(), 200);
    let position = |uid: &String| last.iter().position(|other| other == uid);
    for list in all {
        let places: Vec<usize> = list.iter().map(|uid| position(uid).unwrap()).collect();
        assert!(
            places.is_sorted(),
            "every uid that was told is the final one"
        );
    }
    assert_eq!(site.index().lines().count(), 201, "nothing has two uids");
    assert!(!site.maildir.join(LOCK).exists());
}

#[test]
fn a_lock_is_waited_for_within_limits_and_only_for_a_change() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.open();
    site.put(LOCK, b"");
    assert_eq!(uids(&site.open()).len(), 1, "nothing to write, no lock");
    site.put("new/2.b", b"b");
    let error = site.refused();
    assert!(matches!(&error, StoreError::Locked { path } if path.ends_with(LOCK)));
    let waited = site.clock.unix_time() - Duration::from_secs(START);
    assert!((10..12).contains(&waited.as_secs()), "{waited:?}");
    assert!(site.maildir.join(LOCK).exists(), "it is not ours");
    touch(&site.maildir.join(LOCK), -60);
    assert!(
        matches!(site.refused(), StoreError::Locked { .. }),
        "not stale yet"
    );
    touch(&site.maildir.join(LOCK), -122);
    assert_eq!(uids(&site.open()).len(), 2);
    assert!(!site.maildir.join(LOCK).exists());
}

/// What was read without the lock is not written back over what another process wrote.
#[test]
fn the_index_is_read_again_under_the_lock() {
    for index in [
        "3 V1 N9\n5 W1 :1.a\n",
        "3 V1 N9\n5 W1 :1.a\n6 to",
        "1 1 9\n5 1.a\n",
    ] {
        let site = Site::new();
        for name in ["1.a", "2.b", "3.c"] {
            site.put(&format!("cur/{name}"), b"x");
        }
        site.write_index(index);
        site.put(LOCK, b"");
        let maildir = site.maildir.clone();
        site.clock.meanwhile(move || {
            let theirs = "3 V1 N33 Gtheirs\n5 W1 :1.a\n32 W1 :3.c\n";
            fs::write(maildir.join(LOCK), theirs).unwrap();
            fs::rename(maildir.join(LOCK), maildir.join("dovecot-uidlist")).unwrap();
        });
        assert_eq!(uids(&site.open()), ["5", "32", "33"]);
        assert!(
            site.index()
                .contains("Gtheirs\n5 W1 :1.a\n32 W1 :3.c\n33 W1 :2.b\n")
        );
    }
}

/// As after `kill -9`: the lock lies there, and nobody holds it.
#[test]
fn a_lock_of_ours_whose_process_died_does_not_stop_anybody() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.put(LOCK, b"postern\n");
    assert_eq!(uids(&site.open()).len(), 1);
    assert_eq!(site.clock.unix_time().as_secs(), START, "nobody waited");
    site.put("cur/2.b", b"b");
    let folder = Folder::open(&site.maildir).unwrap().unwrap();
    let alive = Lock::take(&folder, site.clock.as_ref(), Duration::ZERO).unwrap();
    assert!(
        matches!(site.refused(), StoreError::Locked { .. }),
        "a living one does"
    );
    assert!(alive.is_ours());
    drop(alive);
    assert_eq!(uids(&site.open()).len(), 2);
}

/// Else Dovecot would wait for it.
#[test]
fn a_lock_of_ours_that_nobody_holds_is_removed_by_a_session_with_nothing_to_write() {
    let site = Site::new();
    site.put(LOCK, b"postern\n");
    site.open();
    assert!(!site.maildir.join(LOCK).exists(), "without an index");
    site.put("cur/1.a", b"a");
    site.open();
    site.put(LOCK, b"postern\n");
    site.open();
    assert!(!site.maildir.join(LOCK).exists(), "with an index");
    let folder = Folder::open(&site.maildir).unwrap().unwrap();
    let alive = Lock::take(&folder, site.clock.as_ref(), Duration::ZERO).unwrap();
    site.open();
    assert!(alive.is_ours(), "the lock of a living one stays");
}

#[test]
fn whoever_lost_the_lock_changes_nothing() {
    let site = Site::new();
    site.write_index("3 V1 N1\n");
    let folder = Folder::open(&site.maildir).unwrap().unwrap();
    let lock = Lock::take(&folder, site.clock.as_ref(), Duration::ZERO).unwrap();
    assert!(lock.is_ours());
    fs::remove_file(site.maildir.join(LOCK)).unwrap();
    site.put(LOCK, b"another's");
    assert!(!lock.is_ours());
    let draft = lock.draft().unwrap();
    assert!(!lock.publish(&draft, rustix::fs::Mode::RUSR, None).unwrap());
    drop(lock);
    assert_eq!(site.index(), "3 V1 N1\n");
    assert!(
        site.maildir.join(LOCK).exists(),
        "the other one's lock stays"
    );
}
