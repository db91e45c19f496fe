//! Snapshots, reading and deleting.

use super::*;
use crate::store::Listing;

#[test]
fn new_mail_gets_rising_uids_in_the_order_of_delivery() {
    let site = Site::new();
    site.put("new/300.M9P1.host", b"c\n");
    site.put("new/300.M10P1.host", b"d\r\n\n");
    site.put("cur/200.M1P1.host:2,S", b"b\n");
    site.put("new/100.x.host,W=77", b"a");
    let maildrop = site.open();
    let first = START;
    let wanted: Vec<String> = (first..first + 4).map(|uid| uid.to_string()).collect();
    assert_eq!(uids(&maildrop), wanted);
    assert_eq!(sizes(&maildrop), [77, 3, 3, 5]);
    assert_eq!(octets(&maildrop, 3).unwrap(), b"d\r\n\n");
    assert_eq!(
        site.index(),
        format!(
            "3 V{first} N{}\n{} :100.x.host,W=77\n{} W3 :200.M1P1.host\n{} W3 :300.M9P1.host\n{} \
             W5 :300.M10P1.host\n",
            first + 4,
            first,
            first + 1,
            first + 2,
            first + 3
        )
    );
    assert!(site.names("new").is_empty());
    assert_eq!(
        site.names("cur"),
        [
            "100.x.host,W=77:2,",
            "200.M1P1.host:2,S",
            "300.M10P1.host:2,",
            "300.M9P1.host:2,"
        ]
    );
    site.clock.set(START + 500);
    site.put("new/50.late.host", b"e");
    assert_eq!(uids(&site.open()).last().unwrap(), &(first + 4).to_string());
    assert!(site.index().ends_with(" W1 :50.late.host\n"));
    assert_eq!(uids(&maildrop), wanted, "C0004: the snapshot stays");
}

#[test]
fn deletes_what_is_marked_and_nothing_else() {
    let site = Site::new();
    for name in ["1.a", "2.b", "3.c", "4.d"] {
        site.put(&format!("cur/{name}:2,"), name.as_bytes());
    }
    let maildrop = site.open();
    fs::remove_file(site.maildir.join("cur/1.a:2,")).unwrap();
    fs::rename(
        site.maildir.join("cur/2.b:2,"),
        site.maildir.join("cur/2.b:2,FS"),
    )
    .unwrap();
    assert!(matches!(octets(&maildrop, 0), Err(StoreError::Vanished)));
    assert_eq!(octets(&maildrop, 1).unwrap(), b"2.b");
    maildrop.remove(&mut [0, 1, 3].into_iter()).unwrap();
    assert_eq!(site.names("cur"), ["3.c:2,"]);
    assert_eq!(maildrop.listing().len(), 4, "C0004: numbers stay");
    assert_eq!(octets(&maildrop, 2).unwrap(), b"3.c");
    site.put("new/5.e", b"e");
    assert_eq!(
        uids(&site.open()),
        [(START + 2).to_string(), (START + 4).to_string()]
    );
}

#[test]
fn flags_and_folders_may_change_meanwhile() {
    let site = Site::new();
    site.put("cur/1.a:2,", b"a");
    site.put("cur/2.b:2,", b"b");
    site.put("cur/3.c:2,", b"c");
    let maildrop = site.open();
    let cur = site.maildir.join("cur");
    fs::rename(cur.join("1.a:2,"), cur.join("1.a:2,S")).unwrap();
    fs::rename(cur.join("2.b:2,"), site.maildir.join("new/2.b")).unwrap();
    assert_eq!(octets(&maildrop, 0).unwrap(), b"a");
    assert_eq!(octets(&maildrop, 1).unwrap(), b"b");
    fs::rename(cur.join("1.a:2,S"), cur.join("1.a:2,FS")).unwrap();
    assert_eq!(octets(&maildrop, 0).unwrap(), b"a", "and again");
    fs::rename(cur.join("1.a:2,FS"), cur.join("1.a:2,")).unwrap();
    maildrop.remove(&mut [0, 1].into_iter()).unwrap();
    assert_eq!(site.names("cur"), ["3.c:2,"]);
    assert!(site.names("new").is_empty());
}

#[test]
fn ten_thousand_renamed_messages_cost_one_listing() {
    let site = Site::with(false);
    for number in 10_000..20_000 {
        site.put(&format!("cur/{number}.x:2,"), b"x");
    }
    let maildrop = site.open();
    for number in 10_000..20_000 {
        let old = site.maildir.join(format!("cur/{number}.x:2,"));
        fs::rename(&old, old.with_file_name(format!("{number}.x:2,S"))).unwrap();
    }
    site.settle();
    octets(&maildrop, 0).unwrap();
    let places = maildrop.listings.load(Ordering::Relaxed);
    for index in 0..10_000 {
        assert_eq!(octets(&maildrop, index).unwrap(), b"x");
    }
    assert_eq!(maildrop.listings.load(Ordering::Relaxed), places);
    maildrop.remove(&mut (0..9_999)).unwrap();
    assert_eq!(site.names("cur"), ["19999.x:2,S"]);
    assert_eq!(maildrop.listings.load(Ordering::Relaxed), places + 1);
}

#[test]
fn a_message_that_is_gone_is_not_sought_again_and_again() {
    let site = Site::new();
    let path = site.put("cur/1.a", b"a");
    let maildrop = site.open();
    fs::remove_file(path).unwrap();
    let seek = |listings| {
        assert!(matches!(octets(&maildrop, 0), Err(StoreError::Vanished)));
        assert_eq!(maildrop.listings.load(Ordering::Relaxed), listings);
    };
    seek(1);
    seek(2); // Too soon after a change to be sure that there was no other.
    site.settle();
    seek(3);
    seek(3);
    site.put("cur/1.a:2,S", b"a");
    assert_eq!(octets(&maildrop, 0).unwrap(), b"a");
}

#[test]
fn an_open_message_stays_readable() {
    let site = Site::new();
    let path = site.put("cur/1.a", &[b'x'; 200_000]);
    let maildrop = site.open();
    let mut message = maildrop.message(0).unwrap();
    let mut block = vec![0; 64 * 1024];
    assert_eq!(message.read(&mut block).unwrap(), block.len());
    fs::remove_file(&path).unwrap();
    assert!(matches!(octets(&maildrop, 0), Err(StoreError::Vanished)));
    let mut all = block.len();
    while let Some(count) = message
        .read_now(&mut block)
        .unwrap()
        .filter(|count| *count > 0)
    {
        all += count;
    }
    assert_eq!(all, 200_000);
    assert_eq!(message.read(&mut block).unwrap(), 0);
}

#[test]
fn a_message_that_is_cut_off_while_it_is_read_is_an_error() {
    let site = Site::new();
    let path = site.put("cur/1.a", &[b'x'; 100_000]);
    let maildrop = site.open();
    let mut message = maildrop.message(0).unwrap();
    let mut block = vec![0; 64 * 1024];
    message.read(&mut block).unwrap();
    resize(&path, 10);
    assert!(matches!(
        message.read(&mut block),
        Err(StoreError::Failed { .. })
    ));
    assert!(matches!(
        message.read_now(&mut block),
        Err(StoreError::Failed { .. })
    ));
}

/// V0006: the others are deleted, and the session hears of the one that is not.
#[test]
fn removal_goes_on_after_a_failure() {
    let site = Site::new();
    for name in ["1.a", "2.b", "3.c", "4.d"] {
        let path = site.put(&format!("cur/{name}"), b"x");
        if name != "2.b" {
            std::os::unix::fs::chown(&path, Some(65_534), None).ok();
        }
    }
    let maildrop = site.open();
    let cur = site.maildir.join("cur");
    let root = rustix::process::geteuid().is_root();
    // Under the sticky bit, everybody removes only what is his own.
    fs::set_permissions(
        &cur,
        fs::Permissions::from_mode(if root { 0o1777 } else { 0o555 }),
    )
    .unwrap();
    let marked = &mut [0, 1, 3].into_iter();
    let error = site
        .as_somebody_else(|| maildrop.remove(marked))
        .unwrap_err();
    if root {
        assert_eq!(error.left, 1);
        assert_eq!(site.names("cur"), ["2.b", "3.c"]);
    } else {
        assert_eq!(error.left, 3);
    }
    assert!(
        error
            .to_string()
            .contains("could not be deleted; the first: "),
        "{error}"
    );
    assert!(error.to_string().contains("ann/cur"), "{error}");
    fs::set_permissions(&cur, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn two_files_with_one_base_name_become_two_messages() {
    let site = Site::new();
    let later = site.put("cur/1.a:2,S", b"second");
    let first = site.put("cur/1.a:2,", b"first");
    touch(&first, -50);
    touch(&later, -40);
    site.put("new/2.b", b"new");
    touch(&site.put("cur/2.b:2,F", b"old"), -60);
    let maildrop = site.open();
    let mut all: Vec<_> = (0..4)
        .map(|index| octets(&maildrop, index).unwrap())
        .collect();
    assert_eq!(
        all[..2],
        [&b"first"[..], b"old"],
        "the earlier ones keep their names"
    );
    assert!(all.contains(&b"second".to_vec()) && all.contains(&b"new".to_vec()));
    maildrop.remove(&mut [0].into_iter()).unwrap();
    all.remove(0);
    let again = site.open();
    let rest: Vec<_> = (0..3).map(|index| octets(&again, index).unwrap()).collect();
    assert_eq!(rest, all);
    assert_eq!(uids(&again), uids(&maildrop)[1..]);
}

#[test]
fn one_file_under_two_names_is_one_message() {
    let site = Site::new();
    let path = site.put("cur/1.a:2,", b"x");
    fs::hard_link(&path, site.maildir.join("cur/1.a:2,S")).unwrap();
    assert_eq!(uids(&site.open()).len(), 1);
    assert_eq!(
        site.names("cur").len(),
        2,
        "somebody may just be renaming it"
    );
}

#[test]
fn nothing_is_listed_twice_while_nothing_changes() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.open();
    assert!(
        !Arc::ptr_eq(site.open().listing(), site.open().listing()),
        "too fresh to be kept"
    );
    site.settle();
    let kept = site.open();
    assert!(Arc::ptr_eq(site.open().listing(), kept.listing()));
    assert_eq!(octets(&site.open(), 0).unwrap(), b"a");
    let estimate = Account {
        exact_size: Some(false),
        ..site.account.clone()
    };
    let other = site.store.open_account(&estimate).unwrap();
    assert!(!Arc::ptr_eq(other.listing(), kept.listing()));
}

/// A file system stamps changes by a clock that ticks, so two changes may leave the same stamp.
#[test]
fn a_change_in_the_same_tick_as_a_listing_is_seen() {
    let site = Site::new();
    let (here, away) = (site.put("cur/1.a", b"a"), site.maildir.join("tmp/1.a"));
    site.open();
    for round in 0..200 {
        fs::rename(&here, &away).unwrap();
        site.clock.set(SystemClock.unix_time().as_secs());
        assert_eq!(site.open().listing().len(), 0, "round {round}");
        fs::rename(&away, &here).unwrap();
        assert_eq!(site.open().listing().len(), 1, "round {round}");
    }
    // Where stamps are finer than the two changes are apart, the listing would have been seen to
    // be old; it must not have been kept all the same.
    let stamp = Stamp::of(&Folder::open(&site.maildir).unwrap().unwrap()).unwrap();
    assert!(site.store.cache.find(&stamp, true).is_none());
    site.settle();
    site.open();
    assert!(site.store.cache.find(&stamp, true).is_some());
}

#[test]
fn every_change_is_seen_at_once() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    let count = |wanted: usize, after: &str| {
        assert_eq!(site.open().listing().len(), wanted, "after {after}");
        site.settle();
        site.open();
    };
    count(1, "the first");
    site.put("new/2.b", b"b");
    count(2, "a delivery to new");
    site.put("cur/3.c", b"c");
    count(3, "a file in cur");
    fs::rename(
        site.maildir.join("cur/3.c"),
        site.maildir.join("cur/3.c:2,S"),
    )
    .unwrap();
    count(3, "a change of flags");
    fs::remove_file(site.maildir.join("cur/1.a")).unwrap();
    count(2, "a deletion");
    site.open().remove(&mut [0].into_iter()).unwrap();
    count(1, "our own deletion");
    let text = site.index().replace(" :3.c", " Pimported :3.c");
    site.write_index(text);
    assert_eq!(uids(&site.open()), ["imported"], "after an import");
}

proptest::proptest! {
    #[test]
    fn packed_names_come_out_as_they_went_in(
        names in proptest::collection::vec((proptest::bool::ANY, "1[0-2]{0,6}a{0,130}b{0,3}"), 0..40)
    ) {
        use crate::store::maildir::{folder::Place, names::Names};
        let place = |new| if new { Place::New } else { Place::Cur };
        let mut packed = Names::default();
        for (new, name) in &names {
            packed.push(place(*new), name.as_bytes()).unwrap();
        }
        packed.shrink();
        for (index, (new, name)) in names.iter().enumerate() {
            let wanted = Some((place(*new), name.clone().into_bytes()));
            proptest::prop_assert_eq!(packed.get(index), wanted);
        }
        proptest::prop_assert_eq!(packed.get(names.len()), None);
    }
}

/// However many sessions there are: the snapshot is one.
#[test]
fn sessions_of_one_mailbox_share_its_memory() {
    let site = Site::new();
    site.put("cur/1.a", b"a");
    site.open();
    site.settle();
    let sessions: Vec<OpenMaildrop> = (0..10).map(|_| site.open()).collect();
    let first = sessions[0].listing();
    for session in &sessions {
        assert!(Arc::ptr_eq(first, session.listing()));
    }
}

#[test]
fn a_hundred_thousand_messages_take_little_memory() {
    use crate::store::maildir::{folder::Place, names::Names};
    let mut names = Names::default();
    for number in 0..100_000 {
        let name = format!(
            "{}.M{:06}P{}.mail01,S=4523,W=4631:2,S",
            1_762_880_000 + number * 97,
            number,
            number % 999
        );
        names.push(Place::Cur, name.as_bytes()).unwrap();
    }
    names.shrink();
    let mut listing = Listing::with_capacity(100_000);
    for uid in 1..=100_000 {
        listing.push(4631, uid, None);
    }
    let octets = names.octets() + listing.octets();
    assert!(octets <= 64 * 100_000, "{octets}");
}
