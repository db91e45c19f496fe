//! Unique ids that came with messages from another server (C0009).

use super::*;
use crate::store::maildir::lock::LOCK;

fn site(index: &str, names: &[&str]) -> Site {
    let site = Site::new();
    site.write_index(index);
    for name in names {
        site.put(&format!("cur/{name}"), b"x");
    }
    site
}

#[test]
fn imported_ids_must_be_showable_and_unique() {
    let long = "x".repeat(71);
    let index = format!(
        "3 V1 N600\n1 W1 Psame :1.a\n2 W1 Psame :2.b\n3 W1 P4 :3.c\n4 W1 :4.d\n5 W1 P{long} \
         :5.e\n6 W1 P :6.f\n7 W1 P601 :7.g\n8 W1 P{} :8.h\n",
        &long[1..]
    );
    let names = ["1.a", "2.b", "3.c", "4.d", "5.e", "6.f", "7.g", "8.h"];
    let site = site(&index, &names);
    let wanted = ["same", "2", "3", "4", "5", "6", "601", &long[1..]];
    assert_eq!(uids(&site.open()), wanted);
    site.put("new/9.i", b"x");
    site.put("new/9.j", b"x");
    assert_eq!(
        uids(&site.open())[8..],
        ["602", "603"],
        "above what looks like a number of ours"
    );
}

/// A message that has no number yet is not number 0.
#[test]
fn an_imported_zero_outlives_new_mail() {
    let site = site("3 V1 N6\n1 W1 P0 :1.a\n", &["1.a"]);
    assert_eq!(uids(&site.open()), ["0"]);
    site.put("new/2.b", b"x");
    assert_eq!(uids(&site.open()), ["0", "6"]);
}

/// A client knows a message by the id that it was told first, whatever becomes of the others.
#[test]
fn a_twin_keeps_its_number_when_the_other_is_gone() {
    let index = "3 V1 N6 G00\n1 W1 Psame Gguid :1.a\n2 W1 Psame :2.b\n3 W1 P4 O9 :3.c\n4 W1 :4.d\n\
                 5 W1 Psame :5.e\n";
    let site = site(index, &["1.a", "2.b", "3.c", "4.d", "5.e"]);
    // One with an order of its own comes first.
    let told = ["3", "same", "2", "4", "5"];
    for _ in 0..3 {
        assert_eq!(uids(&site.open()), told);
    }
    // What another program wrote is still there, and the new key stands before it.
    let written = site.index();
    for line in [
        "3 V1 N6 G00\n",
        "\n1 W1 Psame Gguid :1.a\n",
        "\n2 XP W1 Psame :2.b\n",
        "\n3 XP W1 P4 O9 :3.c\n",
        "\n5 XP W1 Psame :5.e\n",
    ] {
        assert!(written.contains(line), "{line} in {written}");
    }
    for (gone, left) in [(1, &["3", "2", "4", "5"][..]), (2, &["3", "2", "5"])] {
        site.open().remove(&mut [gone].into_iter()).unwrap();
        assert_eq!(uids(&site.open()), left);
    }
    assert_eq!(site.index(), written, "written once, and never again");
}

#[test]
fn an_imported_number_is_no_new_message_later() {
    let site = site(
        "3 V1 N6\n1 W1 P100 :1.a\n2 W1 P4294967290 :2.b\n",
        &["1.a", "2.b"],
    );
    assert_eq!(uids(&site.open()), ["100", "4294967290"]);
    assert!(site.index().starts_with("3 V1 N101\n"), "{}", site.index());
    site.open().remove(&mut [0].into_iter()).unwrap();
    site.put("new/3.c", b"x");
    assert_eq!(uids(&site.open()), ["4294967290", "101"]);
}

/// As with new mail, nothing is told that is not on the disk.
#[test]
fn twins_wait_for_the_lock_as_new_mail_does() {
    let index = "3 V1 N3\n1 W1 Psame :1.a\n2 W1 Psame :2.b\n";
    let site = site(index, &["1.a", "2.b"]);
    let lock = site.put(LOCK, b"");
    assert!(matches!(site.refused(), StoreError::Locked { .. }));
    fs::remove_file(lock).unwrap();
    assert_eq!(uids(&site.open()), ["same", "2"]);
}
