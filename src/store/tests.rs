//! The maildrops in memory, which stand in for real ones in other rooms' tests.

use super::*;

fn read(maildrop: &dyn Maildrop, index: usize) -> Result<Vec<u8>, StoreError> {
    let (mut all, mut block) = (Vec::new(), [0; 3]);
    let mut message = maildrop.message(index)?;
    while let count @ 1.. = message.read(&mut block)? {
        all.extend_from_slice(&block[..count]);
    }
    Ok(all)
}

#[test]
fn memory_keeps_the_rules_of_a_maildrop() {
    let store = MemoryStore::new();
    assert_eq!(store.deliver("ann", b"one\n"), 1);
    assert_eq!(store.import("ann", b"two\r\n.\r\n", "AAQk="), 2);
    assert_eq!(store.deliver("ann", b"three"), 3);
    let maildrop = store.open_name("ann");
    store.deliver("ann", b"late");
    let listing = maildrop.listing();
    assert_eq!((listing.len(), listing.total()), (3, 5 + 8 + 5));
    assert_eq!(listing.uid(1), Some(Uid::Imported("AAQk=")));
    assert_eq!(read(&*maildrop, 1).unwrap(), b"two\r\n.\r\n");
    store.vanish("ann", 1);
    assert!(matches!(read(&*maildrop, 0), Err(StoreError::Vanished)));
    assert!(matches!(read(&*maildrop, 9), Err(StoreError::Vanished)));
    store.jam("ann", 2);
    let error = maildrop.remove(&mut [0, 1, 2].into_iter()).unwrap_err();
    assert_eq!(error.left, 1);
    assert_eq!(store.uids("ann"), [2, 4]);
    store.vanish("ann", 4);
    assert_eq!(store.deliver("ann", b"next"), 5, "C0008");
    assert!(store.open_name("bob").listing().is_empty());
}
