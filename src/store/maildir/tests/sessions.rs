//! Snapshots, reading and deleting.

use super::*;

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
