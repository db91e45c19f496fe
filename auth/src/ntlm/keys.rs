//! The arithmetic of NTLMv2 (\[MS-NLMP\] §3.3.2, §3.4.5): hashes, proofs and keys.
//!
//! MD4, MD5 and RC4 are what the protocol is made of. Nothing else here may use them.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use rc4::{Rc4, StreamCipher};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::text::{upper, utf16};

/// Sixteen octets that open something: never printed, wiped on drop, compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key([u8; 16]);

impl Key {
    pub(crate) fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    pub(crate) fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether the octets are these, in a time that tells nothing.
    pub(crate) fn is(&self, octets: &[u8; 16]) -> bool {
        self.0.ct_eq(octets).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// `NTOWFv1`, the "NT hash": MD4 of the password in UTF-16LE. It is as good as the password.
pub(crate) fn nt_hash(password: &str) -> Key {
    let octets = Zeroizing::new(utf16(password));
    Key(Md4::digest(&*octets).into())
}

/// `NTOWFv2`: the hash for one user and domain. The user's case does not matter, the domain's does.
pub(crate) fn response_key(nt_hash: &Key, user: &str, domain: &str) -> Key {
    hmac_md5(nt_hash, &[&utf16(&upper(user)), &utf16(domain)])
}

/// `NTProofStr`: what only somebody with the hash can compute for this challenge.
pub(crate) fn proof(response_key: &Key, server_challenge: &[u8; 8], temp: &[u8]) -> Key {
    hmac_md5(response_key, &[server_challenge, temp])
}

/// `SessionBaseKey`.
pub(crate) fn session_base_key(response_key: &Key, proof: &[u8; 16]) -> Key {
    hmac_md5(response_key, &[proof])
}

/// `ExportedSessionKey` out of the client's encrypted one.
pub(crate) fn exchanged_key(session_base_key: &Key, encrypted: &[u8; 16]) -> Option<Key> {
    let mut octets = *encrypted;
    let mut cipher = Rc4::new_from_slice(session_base_key.expose()).ok()?;
    cipher.apply_keystream(&mut octets);
    Some(Key(octets))
}

/// The integrity code over the three messages; that of AUTHENTICATE has zeros in its place.
pub(crate) fn integrity_code(exported: &Key, messages: &[&[u8]]) -> Key {
    hmac_md5(exported, messages)
}

fn hmac_md5(key: &Key, parts: &[&[u8]]) -> Key {
    // A key of any length is right for HMAC; the empty answer could never be matched.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key.expose()) else {
        return Key([0; 16]);
    };
    for part in parts {
        mac.update(part);
    }
    Key(mac.finalize().into_bytes().into())
}
