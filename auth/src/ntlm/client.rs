//! A client for the tests, which can do right and wrong.

use super::av_pair::{AvPairs, id, push};
use super::flags::Flags;
use super::keys::{integrity_code, nt_hash, proof, response_key, session_base_key};
use super::legacy;
use super::octets::Octets;
use super::text::utf16;

/// NEGOTIATE of a client that asks for no layer: UNICODE, extended session security, a version.
pub(crate) const NEGOTIATE: &[u8] =
    b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\x61\x4a\0\0\0\x0f";

/// What it answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Anonymous,
    LmOnly,
    V1,
    V2,
}

#[derive(Clone, Copy)]
pub(crate) struct Client<'a> {
    pub(crate) domain: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) form: Form,
    pub(crate) mic: bool,
    pub(crate) binding: Option<[u8; 16]>,
    pub(crate) target: Option<&'a str>,
    /// How far its clock is off, in seconds.
    pub(crate) skew: i64,
}

/// Without an integrity code and a binding, as curl is.
pub(crate) const CLIENT: Client<'_> = Client {
    domain: "",
    user: "alice",
    password: "right",
    form: Form::V2,
    mic: false,
    binding: None,
    target: None,
    skew: 0,
};

impl Client<'_> {
    /// AUTHENTICATE, with room for a version and an integrity code before its payload.
    pub(crate) fn answer(&self, challenge: &[u8]) -> Vec<u8> {
        let octets = Octets::of_type(challenge, 2).unwrap();
        let server: [u8; 8] = octets.array(24).unwrap();
        let key = response_key(&nt_hash(self.password), self.user, self.domain);
        let temp = self.temp(octets.field(40, 48).unwrap().octets);
        let right = proof(&key, &server, &temp);
        let (lm, nt) = match self.form {
            Form::Anonymous => (vec![0], Vec::new()),
            Form::LmOnly => (vec![7; 24], Vec::new()),
            Form::V1 => {
                let challenge = legacy::session_challenge(&server, &[9; 8]);
                let response = legacy::response(&nt_hash(self.password), &challenge);
                ([[9; 8], [0; 8], [0; 8]].concat(), response.to_vec())
            }
            Form::V2 => (vec![0; 24], [&right.expose()[..], &temp].concat()),
        };
        let flags = octets.u32(20).unwrap() & !Flags::TARGET_TYPE_SERVER.bits();
        let names = [self.domain, self.user, "DESK7"].map(utf16);
        let [domain, user, workstation] = &names;
        let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
        let mut payload: Vec<u8> = Vec::new();
        for part in [&lm, &nt, domain, user, workstation, &Vec::new()] {
            let length = u16::try_from(part.len()).unwrap().to_le_bytes();
            message.extend([length, length].concat());
            message.extend(u32::try_from(88 + payload.len()).unwrap().to_le_bytes());
            payload.extend(part);
        }
        message.extend(flags.to_le_bytes());
        message.extend([10, 0, 0, 0, 0, 0, 0, 15]);
        message.extend([0; 16]);
        message.extend(payload);
        if self.mic {
            let session = session_base_key(&key, right.expose());
            let code = integrity_code(&session, &[NEGOTIATE, challenge, &message]);
            message[72..88].copy_from_slice(code.expose());
        }
        message
    }

    fn temp(&self, target_info: &[u8]) -> Vec<u8> {
        let pairs = AvPairs::parse(target_info).unwrap();
        let time = pairs.array(id::TIMESTAMP).unwrap().map(u64::from_le_bytes);
        let time = time.unwrap().saturating_add_signed(self.skew * 10_000_000);
        let mut list = target_info[..target_info.len() - 4].to_vec();
        if self.mic {
            push(&mut list, id::FLAGS, &2_u32.to_le_bytes());
        }
        if let Some(binding) = self.binding {
            push(&mut list, id::CHANNEL_BINDINGS, &binding);
        }
        if let Some(target) = self.target {
            push(&mut list, id::TARGET_NAME, &utf16(target));
        }
        push(&mut list, id::EOL, &[]);
        let head = [1, 1, 0, 0, 0, 0, 0, 0];
        [
            &head[..],
            &time.to_le_bytes(),
            &[0xaa; 8],
            &[0; 4],
            &list,
            &[0; 4],
        ]
        .concat()
    }
}
