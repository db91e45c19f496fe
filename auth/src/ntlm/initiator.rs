//! The client's side of NTLMv2 (\[MS-NLMP\] §3.1.5.1), for trying a login: it binds itself to the channel
//! and protects its messages by an integrity code.

use super::Malformed;
use super::av_pair::{AvPairs, id, push};
use super::flags::Flags;
use super::keys::{integrity_code, nt_hash, proof, response_key, session_base_key};
use super::octets::Octets;
use super::text::utf16;
use crate::clock;

/// NEGOTIATE of a client that asks for no layer: UNICODE, extended session security, a version.
pub(crate) const NEGOTIATE: &[u8] =
    b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\x61\x4a\0\0\0\x0f";

/// Where the payload of AUTHENTICATE begins: behind a version and an integrity code.
const HEADER: usize = 88;
/// Where the integrity code stands.
const MIC: std::ops::Range<usize> = 72..HEADER;
/// The machine that the client says it is.
const WORKSTATION: &str = "POSTERN";

/// Who logs in, and to what it is bound.
pub(crate) struct Initiator<'a> {
    pub(crate) domain: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) binding: Option<[u8; 16]>,
}

impl Initiator<'_> {
    /// AUTHENTICATE, for the server's CHALLENGE.
    pub(crate) fn authenticate(&self, challenge: &[u8]) -> Result<Vec<u8>, Malformed> {
        let octets = Octets::of_type(challenge, 2)?;
        let server: [u8; 8] = octets.array(24)?;
        let info = octets.field(40, 48)?.octets;
        let time = AvPairs::parse(info)?.array(id::TIMESTAMP)?;
        let time = time.map_or_else(clock::filetime, u64::from_le_bytes);
        let mut number = [0; 8];
        getrandom::fill(&mut number).map_err(|_| Malformed::Unsupported)?;
        // MsvAvFlags: 2 says that there is an integrity code.
        let flags = 2_u32.to_le_bytes();
        let mut more: Vec<(u16, &[u8])> = vec![(id::FLAGS, &flags)];
        if let Some(binding) = &self.binding {
            more.push((id::CHANNEL_BINDINGS, binding));
        }
        let temp = temp(info, time, number, &more);
        let key = response_key(&nt_hash(self.password), self.user, self.domain);
        let right = proof(&key, &server, &temp);
        let response = [&right.expose()[..], &temp].concat();
        let names = [self.domain, self.user, WORKSTATION].map(utf16);
        let [domain, user, workstation] = &names;
        let parts: [&[u8]; 6] = [&[0; 24], &response, domain, user, workstation, &[]];
        let flags = octets.u32(20)? & !Flags::TARGET_TYPE_SERVER.bits();
        let mut message = message(flags, parts)?;
        let session = session_base_key(&key, right.expose());
        let code = integrity_code(&session, &[NEGOTIATE, challenge, &message]);
        if let Some(place) = message.get_mut(MIC) {
            place.copy_from_slice(code.expose());
        }
        Ok(message)
    }
}

/// `temp` of §3.3.2: the server's pairs as they came, and `more` behind them.
pub(super) fn temp(info: &[u8], time: u64, number: [u8; 8], more: &[(u16, &[u8])]) -> Vec<u8> {
    // Without the end mark, which comes again behind the rest.
    let mut list = info
        .get(..info.len().saturating_sub(4))
        .unwrap_or_default()
        .to_vec();
    for (kind, value) in more {
        push(&mut list, *kind, value);
    }
    push(&mut list, id::EOL, &[]);
    let head = [1, 1, 0, 0, 0, 0, 0, 0];
    let time = time.to_le_bytes();
    [&head[..], &time, &number, &[0; 4], &list, &[0; 4]].concat()
}

/// AUTHENTICATE (§2.2.1.3) with these fields: LM and NT response, domain, user, workstation, session key;
/// with zeros in the place of the integrity code.
pub(super) fn message(flags: u32, parts: [&[u8]; 6]) -> Result<Vec<u8>, Malformed> {
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut payload: Vec<u8> = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).map_err(|_| Malformed::TooLong)?;
        let offset = u32::try_from(HEADER + payload.len()).map_err(|_| Malformed::TooLong)?;
        message.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        message.extend(offset.to_le_bytes());
        payload.extend(part);
    }
    message.extend(flags.to_le_bytes());
    message.extend([10, 0, 0, 0, 0, 0, 0, 15]);
    message.extend([0; 16]);
    message.extend(payload);
    Ok(message)
}
