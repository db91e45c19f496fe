//! A client for the tests, which can do right and wrong.

use super::av_pair::{AvPairs, id};
use super::flags::Flags;
pub(crate) use super::initiator::NEGOTIATE;
use super::initiator::{message, temp};
use super::keys::{integrity_code, nt_hash, proof, response_key, session_base_key};
use super::legacy;
use super::octets::Octets;
use super::text::utf16;

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
        let mut message = message(flags, [&lm, &nt, domain, user, workstation, &[]]).unwrap();
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
        let (flags, target) = (2_u32.to_le_bytes(), self.target.map(utf16));
        let mut more: Vec<(u16, &[u8])> = Vec::new();
        if self.mic {
            more.push((id::FLAGS, &flags));
        }
        if let Some(binding) = &self.binding {
            more.push((id::CHANNEL_BINDINGS, binding));
        }
        if let Some(target) = &target {
            more.push((id::TARGET_NAME, target));
        }
        temp(target_info, time, [0xaa; 8], &more)
    }
}
