//! The client's side of SCRAM (RFC 5802 §3), with a key instead of a password: nothing is derived, so
//! that a login costs microseconds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_auth::ScramKeys;
use sha2::{Digest, Sha256};

/// What the client knows.
const CLIENT_KEY: [u8; 32] = *b"the client's key, and nobody's!!";

/// What the server knows of everybody.
pub(crate) fn keys() -> ScramKeys {
    let stored = STANDARD.encode(Sha256::digest(CLIENT_KEY));
    let (salt, server) = (STANDARD.encode([7; 16]), STANDARD.encode([9; 32]));
    let text = format!("SCRAM-SHA-256$4096:{salt}${stored}:{server}");
    text.parse().expect("keys of the right form")
}

/// What has been said in an exchange so far.
#[derive(Default)]
pub(crate) struct Client {
    first: Vec<u8>,
    challenge: Vec<u8>,
}

impl Client {
    /// Notes what the server says.
    pub(crate) fn hears(&mut self, challenge: &[u8]) {
        self.challenge = challenge.to_vec();
    }

    /// What is really sent: the `%` of the first `,r=%` becomes the nonce of the server, and a `^` at the very
    /// end the proof of the client. Says whether there was a proof.
    pub(crate) fn says(&mut self, text: &[u8]) -> (Vec<u8>, bool) {
        if self.first.is_empty() {
            self.first = text.to_vec();
        }
        let nonce = self.challenge.strip_prefix(b"r=").unwrap_or_default();
        let nonce = nonce
            .split(|octet| *octet == b',')
            .next()
            .unwrap_or_default();
        // Nowhere else, as nonces differ: within base64 one could be read and another not.
        let said = match text.windows(4).position(|octets| octets == b",r=%") {
            Some(at) => [&text[..at + 3], nonce, &text[at + 4..]].concat(),
            None => text.to_vec(),
        };
        let Some(bare) = said.strip_suffix(b",p=^") else {
            return (said, false);
        };
        // The header ends with the second comma.
        let header = self
            .first
            .splitn(3, |octet| *octet == b',')
            .nth(2)
            .unwrap_or_default();
        let message = [header, &self.challenge, bare].join(&b',');
        let signature = hmac(&Sha256::digest(CLIENT_KEY), &message);
        let proof: Vec<u8> = CLIENT_KEY
            .iter()
            .zip(signature)
            .map(|(key, octet)| key ^ octet)
            .collect();
        let proof = STANDARD.encode(proof);
        ([bare, b",p=", proof.as_bytes()].concat(), true)
    }
}

/// HMAC-SHA-256 (RFC 2104) with a key of 32 octets.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut pad = [with; 64];
        pad.iter_mut()
            .zip(key)
            .for_each(|(octet, key)| *octet ^= key);
        pad
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5C))
        .chain_update(inner)
        .finalize()
        .into()
}
