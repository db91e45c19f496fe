//! The values of \[MS-NLMP\] §4.2, messages that real clients sent, and what is refused.

mod agreed;
mod legacy;
mod messages;
mod refused;
mod sealing;
mod values;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::acceptor::{Demands, Transcript};
use super::authenticate::{Authenticate, NtlmV1, NtlmV2, Response};
use super::challenge::Challenge;
use super::flags::Flags;
use super::keys::{Key, nt_hash};
use super::negotiate::Negotiate;
use super::octets::Octets;
use super::text::Encoding;

/// 2003-06-17 10:00 UTC, the time of the messages below.
const TIME: u64 = u64::from_le_bytes([0x00, 0x90, 0xd3, 0x36, 0xb7, 0x34, 0xc3, 0x01]);

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |octet: u8| char::from(octet).to_digit(16).unwrap();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).unwrap())
        .collect()
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

/// A CHALLENGE as somebody else sent it.
fn challenge(raw: &[u8]) -> Challenge {
    let octets = Octets::of_type(raw, 2).unwrap();
    let target_info = octets.field(40, 48).unwrap().octets.to_vec();
    Challenge {
        server_challenge: octets.array(24).unwrap(),
        flags: Flags::from_bits(octets.u32(20).unwrap()),
        timestamp: TIME,
        target_info,
        raw: raw.to_vec(),
    }
}

fn transcript(negotiate: &[u8], server: &[u8], authenticate: &[u8]) -> Transcript {
    let challenge = challenge(server);
    Transcript {
        negotiate: Negotiate::parse(negotiate).unwrap(),
        authenticate: Authenticate::parse(authenticate, challenge.encoding()).unwrap(),
        challenge,
    }
}

fn v1(transcript: &Transcript) -> &NtlmV1 {
    let response = &transcript.authenticate.response;
    let Response::V1(response) = response else {
        panic!("not NTLMv1: {response:?}");
    };
    response
}

fn v2(transcript: &Transcript) -> &NtlmV2 {
    let response = &transcript.authenticate.response;
    let Response::V2(response) = response else {
        panic!("not NTLMv2: {response:?}");
    };
    response
}

fn demands() -> Demands {
    Demands {
        integrity: true,
        window: 36 * 3600,
        targets: vec!["pop/server.domain.example".to_owned()],
    }
}
