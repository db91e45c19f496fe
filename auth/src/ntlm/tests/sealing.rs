//! The values of \[MS-NLMP\] §4.2 that belong to signing and sealing, which POP3 has not. They are made
//! here of the keys that the server makes: a wrong key would spoil them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};
use rc4::{Rc4, StreamCipher as _};

use super::super::keys::exchanged_key;
use super::values::{des, lm_hash};
use super::*;

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut digest = Md5::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().into()
}

fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn rc4(key: &[u8; 16]) -> impl FnMut(&[u8]) -> Vec<u8> {
    let mut cipher = Rc4::new_from_slice(key).unwrap();
    move |octets| {
        let mut octets = octets.to_vec();
        cipher.apply_keystream(&mut octets);
        octets
    }
}

fn constant(which: &str, what: &str) -> Vec<u8> {
    format!("session key to {which} {what} key magic constant\0").into_bytes()
}

const TO_SERVER: &str = "client-to-server";
const TO_CLIENT: &str = "server-to-client";

/// A message with sequence number 0 under extended session security: what is sent of it, and its
/// checksum.
fn sealed(seal: &[u8; 16], sign: &[u8; 16], exchanged: bool) -> (Vec<u8>, Vec<u8>) {
    let plain = super::super::text::utf16("Plaintext");
    let mut cipher = rc4(seal);
    let sent = cipher(&plain);
    let checksum = &hmac_md5(sign, &[&[0; 4], &plain])[..8];
    let checksum = if exchanged {
        cipher(checksum)
    } else {
        checksum.to_vec()
    };
    (sent, checksum)
}

/// §4.2.2: the key exchange key in its three forms, and the message with a CRC.
#[test]
fn ntlmv1_makes_the_keys_of_4_2_2() {
    let hash = nt_hash("Password");
    let session: [u8; 16] = Md4::digest(hash.expose()).into();
    assert_eq!(session, array("d87262b0cde4b1cb7499becccdf10784"));
    // §3.4.5.1 with LM_KEY.
    let lm: [u8; 24] = array("98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13");
    let data = lm[..8].try_into().unwrap();
    let second = [&lm_hash()[7..8], &[0xbd; 6]].concat();
    let with_lm = [des(&lm_hash()[..7], data), des(&second, data)].concat();
    assert_eq!(with_lm, hex("b09e379f7fbecb1eaf0afdcb0383c8a0"));
    let mut non_nt = [0; 16];
    non_nt[..8].copy_from_slice(&lm_hash()[..8]);
    for (key, encrypted) in [
        (session, "518822b1b3f350c8958682ecbb3e3cb7"),
        (non_nt, "7452ca55c225a1ca04b48fae32cf56fc"),
        (
            with_lm.try_into().unwrap(),
            "4cd7bb57d697ef9b549f02b8f9b37864",
        ),
    ] {
        let exchanged = exchanged_key(&Key::new(key), &array(encrypted)).unwrap();
        assert_eq!(exchanged.expose(), &[0x55; 16], "{encrypted}");
    }
    let mut cipher = rc4(&[0x55; 16]);
    let sent = cipher(&super::super::text::utf16("Plaintext"));
    assert_eq!(sent, hex("56fe04d861f9319af0d7238a2e3b4d457fb8"));
    assert_eq!(cipher(&[0; 4]), hex("45c844e5"));
    // The CRC of the text, and the sequence number.
    assert_eq!(cipher(&hex("7d84aa93")), hex("09dcd1df"));
    assert_eq!(cipher(&[0; 4]), hex("2e459d36"));
}

/// §4.2.3: extended session security, a key of 56 bits that is not exchanged.
#[test]
fn ntlmv1_with_a_client_challenge_seals_as_4_2_3() {
    let session: [u8; 16] = array("d87262b0cde4b1cb7499becccdf10784");
    let server = hex("0123456789abcdef");
    let key = hmac_md5(&session, &[&server, &[0xaa; 8]]);
    assert_eq!(key, array("eb93429a8bd952f8b89c55b87f475edc"));
    let seal = md5(&[&key[..7], &constant(TO_SERVER, "sealing")]);
    assert_eq!(seal, array("04dd7f014d8504d265a25cc86a3a7c06"));
    let sign = md5(&[&key, &constant(TO_SERVER, "signing")]);
    assert_eq!(sign, array("60e799be5c72fc92922ae8ebe961fb8d"));
    let (sent, checksum) = sealed(&seal, &sign, false);
    assert_eq!(sent, hex("a02372f6530273f3aa1eb90190ce5200c99d"));
    assert_eq!(checksum, hex("ff2aeb52f681793a"));
}

/// §4.2.4: the exchanged key of 128 bits.
#[test]
fn ntlmv2_seals_as_4_2_4() {
    let session = Key::new(array("8de40ccadbc14a82f15cb0ad0de95ca3"));
    let encrypted = array("c5dad2544fc9799094ce1ce90bc9d03e");
    let exported = exchanged_key(&session, &encrypted).unwrap();
    let derived = |way: &str, what: &str| md5(&[exported.expose(), &constant(way, what)]);
    let seal = derived(TO_SERVER, "sealing");
    assert_eq!(seal, array("59f600973cc4960a25480a7c196e4c58"));
    let sign = derived(TO_SERVER, "signing");
    assert_eq!(sign, array("4788dc861b4782f35d43fd98fe1a2d39"));
    let server = [derived(TO_CLIENT, "sealing"), derived(TO_CLIENT, "signing")];
    assert_eq!(server[0], array("9355f3a957c1583d25c4c2f11e40390e"));
    assert_eq!(server[1], array("d04d6f10741041d1d246d64188d7a8ad"));
    let (sent, checksum) = sealed(&seal, &sign, true);
    assert_eq!(sent, hex("54e50165bf1936dc996020c1811b0f06fb5f"));
    assert_eq!(checksum, hex("7fb38ec5c55d4976"));
}
