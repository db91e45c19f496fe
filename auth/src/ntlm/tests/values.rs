//! Arithmetic: \[MS-NLMP\] §4.2.2 to §4.2.4, and other published values.

use des::Des;
use des::cipher::{Block, BlockCipherEncrypt, KeyInit};
use md4::{Digest, Md4};

use super::super::acceptor::binding;
use super::super::keys::{exchanged_key, proof, response_key, session_base_key};
use super::super::text::{upper, utf16};
use super::*;

const SERVER_CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

/// `DES` with a key of seven octets, spread over eight (§6).
pub(super) fn des(key: &[u8], data: &[u8; 8]) -> [u8; 8] {
    let mut wide = [0; 8];
    wide[1..].copy_from_slice(key);
    let bits = u64::from_be_bytes(wide);
    let spread: Vec<u8> = (0..8)
        .map(|octet| u8::try_from((bits >> (49 - 7 * octet)) & 0x7f).unwrap() << 1)
        .collect();
    let mut block = Block::<Des>::from(*data);
    Des::new_from_slice(&spread)
        .unwrap()
        .encrypt_block(&mut block);
    block.into()
}

pub(super) fn lm_hash() -> Vec<u8> {
    let password = *b"PASSWORD\0\0\0\0\0\0";
    let half = |key| des(key, b"KGS!@#$%");
    [half(&password[..7]), half(&password[7..])].concat()
}

#[test]
fn names_and_hashes_are_those_of_4_2_1_and_4_2_2() {
    assert_eq!(utf16("User"), hex("5500730065007200"));
    assert_eq!(utf16(&upper("User")), hex("5500530045005200"));
    assert_eq!(utf16("Domain"), hex("44006f006d00610069006e00"));
    assert_eq!(lm_hash(), hex("e52cac67419a9a224a3b108f3fa6cb6d"));
    let hash = nt_hash("Password");
    assert_eq!(hash.expose(), &array("a4f49c406510bdcab6824ee7c30fd852"));
    let session: [u8; 16] = Md4::digest(hash.expose()).into();
    assert_eq!(session, array("d87262b0cde4b1cb7499becccdf10784"));
}

#[test]
fn ntlmv2_is_that_of_4_2_4() {
    let key = response_key(&nt_hash("Password"), "User", "Domain");
    assert_eq!(key.expose(), &array("0c868a403bfd7a93a3001ef22ef02e3f"));
    let temp = hex(
        "01010000000000000000000000000000aaaaaaaaaaaaaaaa0000000002000c0044006f006d00610069006e00\
         01000c005300650072007600650072000000000000000000",
    );
    let right = proof(&key, &SERVER_CHALLENGE, &temp);
    assert_eq!(right.expose(), &array("68cd0ab851e51c96aabc927bebef6a1c"));
    let lm = proof(&key, &SERVER_CHALLENGE, &[0xaa; 8]);
    assert_eq!(lm.expose(), &array("86c35097ac9cec102554764a57cccc19"));
    let session = session_base_key(&key, right.expose());
    assert_eq!(session.expose(), &array("8de40ccadbc14a82f15cb0ad0de95ca3"));
    let exported = exchanged_key(&session, &array("c5dad2544fc9799094ce1ce90bc9d03e"));
    assert_eq!(exported.unwrap().expose(), &[0x55; 16]);
}

#[test]
fn another_published_example_agrees() {
    let key = response_key(&nt_hash("SecREt01"), "user", "DOMAIN");
    assert_eq!(key.expose(), &array("04b8e0ba74289cc540826bab1dee63ae"));
    let temp = hex(
        "01010000000000000090d336b734c301ffffff00112233440000000002000c0044004f004d00410049004e00\
         01000c005300450052005600450052000400140064006f006d00610069006e002e0063006f006d0003002200\
         7300650072007600650072002e0064006f006d00610069006e002e0063006f006d000000000000000000",
    );
    let right = proof(&key, &SERVER_CHALLENGE, &temp);
    assert_eq!(right.expose(), &array("cbabbca713eb795d04c97abc01ee4983"));
}

#[test]
fn a_binding_is_the_hash_of_the_certificates_hash() {
    let certificate = hex("EA05FEFECC6B0BD571DBBC5BAA3ED45386D0446835F7B74C85621B9983475F95");
    let bound = binding(&certificate).unwrap();
    assert_eq!(bound, array("6586E99D81C2FC984E47172FD4DD0310"));
}

#[test]
fn upper_case_is_that_of_windows() {
    assert_eq!(upper("alice"), "ALICE");
    assert_eq!(upper("straße"), "STRAßE");
    assert_eq!(upper("ÿéœ"), "ŸÉŒ");
    assert_eq!(upper("iıſµ"), "Iıſµ");
    assert_eq!(upper("σς"), "ΣΣ");
    assert_eq!(upper("ﬁ"), "ﬁ");
    assert_eq!(upper("\u{10428}"), "\u{10428}");
}
