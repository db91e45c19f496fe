//! NTLMv1 (\[MS-NLMP\] §3.3.1), for the few networks that must still use it.
//!
//! It is broken: whoever hears one response can find the NT hash. DES is used here and nowhere else.

use des::Des;
use des::cipher::{Block, BlockCipherEncrypt, KeyInit};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::keys::Key;

/// `DESL`: the challenge under three keys, which the hash and five zeros are cut into.
pub(crate) fn response(nt_hash: &Key, challenge: &[u8; 8]) -> [u8; 24] {
    let mut padded = Zeroizing::new([0; 21]);
    for (place, octet) in padded.iter_mut().zip(nt_hash.expose()) {
        *place = *octet;
    }
    let mut response = [0; 24];
    let (keys, _) = padded.as_chunks::<7>();
    let (blocks, _) = response.as_chunks_mut::<8>();
    for (key, block) in keys.iter().zip(blocks) {
        *block = des(key, challenge);
    }
    response
}

/// What is answered instead of the challenge, with extended session security.
pub(crate) fn session_challenge(server: &[u8; 8], client: &[u8; 8]) -> [u8; 8] {
    let digest = Md5::new().chain_update(server).chain_update(client);
    let [a, b, c, d, e, f, g, h, ..]: [u8; 16] = digest.finalize().into();
    [a, b, c, d, e, f, g, h]
}

/// `DES` with a key of seven octets, spread over eight (§6).
fn des(key: &[u8; 7], data: &[u8; 8]) -> [u8; 8] {
    let mut wide = [0; 8];
    wide[1..].copy_from_slice(key);
    let bits = u64::from_be_bytes(wide);
    let mut spread = Zeroizing::new([0; 8]);
    for (octet, place) in (0..8).zip(spread.iter_mut()) {
        // Seven bits, and behind them the parity bit, which DES ignores.
        let [.., low] = (bits >> (49 - 7 * octet)).to_be_bytes();
        *place = low << 1;
    }
    let mut block = Block::<Des>::from(*data);
    Des::new(&(*spread).into()).encrypt_block(&mut block);
    block.into()
}
