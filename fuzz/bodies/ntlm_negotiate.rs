//! NEGOTIATE and the CHALLENGE that answers it: the flags are those of [MS-NLMP] §3.2.5.1.1, the
//! names are ours, and nothing of what the client sent comes back but flags.
//!
//! Input: an octet that says whether the server has a domain, and the message.

use postern_auth::NtlmNames;
use postern_auth::readers::ntlm_challenge;

use super::ntlm::{self, flag, pair, u32_at, utf16};

const SERVER_CHALLENGE: [u8; 8] = [1, 35, 69, 103, 137, 171, 205, 239];
const TIMESTAMP: u64 = 0x01c3_34b7_36d3_9000;

/// What is given back when the client asks for it.
const ON_REQUEST: u32 =
    flag::SIGN | flag::SEAL | flag::EXTENDED_SESSION_SECURITY | flag::VERSION | flag::KEY_EXCHANGE;

/// Answers the message, and takes the answer apart.
pub fn run(input: &[u8]) {
    let Some((choice, negotiate)) = input.split_first() else {
        return;
    };
    let names = names(choice & 1 != 0);
    let challenge = ntlm_challenge(negotiate, &names, SERVER_CHALLENGE, TIMESTAMP);
    let flags = flags(negotiate, names.domain.is_some());
    assert_eq!(challenge.is_ok(), flags.is_some(), "{challenge:?}");
    if let (Ok(challenge), Some(flags)) = (challenge, flags) {
        answered(&challenge, &names, flags);
    }
}

fn names(has_domain: bool) -> NtlmNames {
    NtlmNames {
        domain: has_domain.then(|| "TÖY".to_owned()),
        computer: "HOUSE".to_owned(),
        dns_domain: has_domain.then(|| "toy.test".to_owned()),
        dns_computer: "house.toy.test".to_owned(),
    }
}

/// The flags of the answer; none where there is no answer.
fn flags(negotiate: &[u8], has_domain: bool) -> Option<u32> {
    let whole = (16..=2048).contains(&negotiate.len());
    if !whole || !negotiate.starts_with(b"NTLMSSP\0\x01\0\0\0") {
        return None;
    }
    let asked = u32_at(negotiate, 12)?;
    let text = match asked & (flag::UNICODE | flag::OEM) {
        0 => return None,
        flag::OEM => flag::OEM,
        _ => flag::UNICODE,
    };
    if asked & flag::DATAGRAM != 0 {
        return None;
    }
    let layer = asked & (flag::SIGN | flag::SEAL) != 0;
    let lengths = if layer {
        flag::KEY_56 | flag::KEY_128
    } else {
        0
    };
    let lm = if asked & flag::EXTENDED_SESSION_SECURITY == 0 {
        flag::LM_KEY
    } else {
        0
    };
    let target = if has_domain {
        flag::TARGET_IS_DOMAIN
    } else {
        flag::TARGET_IS_SERVER
    };
    let always = flag::REQUEST_TARGET | flag::NTLM | flag::ALWAYS_SIGN | flag::TARGET_INFO;
    Some(asked & (ON_REQUEST | lengths | lm) | text | target | always)
}

fn answered(challenge: &[u8], names: &NtlmNames, flags: u32) {
    assert_eq!(challenge[..12], *b"NTLMSSP\0\x02\0\0\0");
    assert_eq!(u32_at(challenge, 20), Some(flags));
    assert_eq!(challenge[24..32], SERVER_CHALLENGE);
    assert_eq!(challenge[32..40], [0; 8]);
    let (_, target) = ntlm::field(challenge, 12, 56).expect("a target");
    let name = names.domain.as_ref().unwrap_or(&names.computer);
    let shown = if flags & flag::UNICODE == 0 {
        name.replace('Ö', "?").into_bytes()
    } else {
        utf16(name)
    };
    assert_eq!(target, shown);
    let (_, info) = ntlm::field(challenge, 40, 56).expect("pairs");
    assert_eq!(challenge.len(), 56 + target.len() + info.len());
    let mut pairs = ntlm::pairs(info).expect("pairs that can be read");
    pairs.sort_unstable();
    let texts = [
        (pair::NB_COMPUTER, Some(&names.computer)),
        (pair::NB_DOMAIN, Some(name)),
        (pair::DNS_COMPUTER, Some(&names.dns_computer)),
        (pair::DNS_DOMAIN, names.dns_domain.as_ref()),
        (pair::DNS_TREE, names.dns_domain.as_ref()),
    ];
    let mut expected: Vec<(u16, Vec<u8>)> = texts
        .into_iter()
        .filter_map(|(kind, text)| Some((kind, utf16(text?))))
        .collect();
    expected.push((pair::TIMESTAMP, TIMESTAMP.to_le_bytes().to_vec()));
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(kind, value)| (kind, value.to_vec()))
        .collect();
    assert_eq!(pairs, expected);
}
