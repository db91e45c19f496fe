//! AV pairs: a list is read as far as its end and no further, whole or not at all, and written
//! again it is the same. The input is the list.

use postern_auth::readers::ntlm_pairs as read;

use super::ntlm;

/// Reads the list, writes what was read, and reads that with something behind it.
pub fn run(octets: &[u8]) {
    let pairs = read(octets);
    assert_eq!(pairs.as_ref().ok(), ntlm::pairs(octets).as_ref());
    let Ok(pairs) = pairs else { return };
    let again = ntlm::pair_octets(&pairs);
    let (written, end) = again.split_at(again.len() - 4);
    assert_eq!(end, [0; 4]);
    assert!(octets.starts_with(written), "what was read stands there");
    assert_eq!(octets[written.len()..][..2], [0, 0]);
    assert_eq!(read(&[&again[..], octets].concat()), Ok(pairs));
    for cut in [written.len(), again.len() - 1] {
        assert!(read(&again[..cut]).is_err(), "a list without its end");
    }
}
