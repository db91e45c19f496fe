//! A client made after [MS-NLMP] §3.3.2 alone, which can be told to do each thing wrong: for what no
//! library can be made to send. It shares no code with the server.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::{Digest as _, Md4};
use md5::Md5;
use rc4::{Rc4, StreamCipher as _};

use crate::message::{Field, Message, flag, pair, pair_octets, utf16};

/// Units of FILETIME in a second.
pub(crate) const SECOND: i64 = 10_000_000;

/// How the AUTHENTICATE is made; [`Hand::new`] is what Windows sends, without signing and sealing.
#[derive(Clone)]
pub(crate) struct Hand {
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) password: String,
    /// The domain in the key, when it is not the one in the message.
    pub(crate) hashed_domain: Option<String>,
    /// The flags of NEGOTIATE; those of AUTHENTICATE are what the server granted.
    pub(crate) flags: u32,
    /// How many seconds the client's clock is ahead. The timestamp of the server is kept.
    pub(crate) ahead: i64,
    /// Pairs put in or in the place of the server's; an empty list of octets is an empty pair.
    pub(crate) pairs: Vec<(u16, Vec<u8>)>,
    /// Pairs of the server that are left out.
    pub(crate) without: Vec<u16>,
    /// Whether MsvAvFlags promises an integrity code, and there is one.
    pub(crate) code: bool,
    /// What follows the end of the pairs.
    pub(crate) tail: Vec<u8>,
    /// What stands in the field of the encrypted key; none is what belongs there.
    pub(crate) key: Option<Vec<u8>>,
    /// Whether the header has room for a version and a code.
    pub(crate) header: usize,
}

impl Hand {
    pub(crate) fn new(user: &str, domain: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            domain: domain.to_owned(),
            password: password.to_owned(),
            hashed_domain: None,
            flags: flag::UNICODE
                | flag::REQUEST_TARGET
                | flag::NTLM
                | flag::ALWAYS_SIGN
                | flag::EXTENDED_SESSION_SECURITY
                | flag::VERSION,
            ahead: 0,
            pairs: Vec::new(),
            without: Vec::new(),
            code: true,
            tail: vec![0; 4],
            key: None,
            header: 88,
        }
    }

    /// NEGOTIATE without names.
    pub(crate) fn negotiate(&self) -> Message {
        let mut octets = b"NTLMSSP\0\x01\0\0\0".to_vec();
        octets.extend_from_slice(&self.flags.to_le_bytes());
        octets.extend_from_slice(&[0; 16]);
        octets.extend_from_slice(&[10, 0, 0x61, 0x4a, 0, 0, 0, 15]);
        Message(octets)
    }

    /// The key of NTLMv2.
    fn response_key(&self) -> [u8; 16] {
        let hash = Md4::digest(utf16(&self.password));
        let domain = self.hashed_domain.as_ref().unwrap_or(&self.domain);
        let name = utf16(&format!("{}{domain}", self.user.to_uppercase()));
        hmac_md5(&hash, &[&name])
    }

    /// AUTHENTICATE for this CHALLENGE.
    pub(crate) fn authenticate(&self, challenge: &Message) -> Message {
        let pairs = self.client_pairs(challenge);
        let timestamp = crate::message::value(&challenge.target_info(), pair::TIMESTAMP)
            .map(|octets| i64::from_le_bytes(octets.try_into().expect("eight octets")))
            .expect("a timestamp in the challenge");
        let time = timestamp + self.ahead * SECOND;
        let mut temp = vec![1, 1, 0, 0, 0, 0, 0, 0];
        temp.extend_from_slice(&time.to_le_bytes());
        temp.extend_from_slice(&[0xaa; 8]);
        temp.extend_from_slice(&[0; 4]);
        temp.extend_from_slice(&pair_octets(&pairs));
        temp.extend_from_slice(&self.tail);
        let key = self.response_key();
        let proof = hmac_md5(&key, &[&challenge.server_challenge(), &temp]);
        let base = hmac_md5(&key, &[&proof]);
        let (exported, encrypted) = self.keys(&base, challenge);
        let nt = [&proof[..], &temp].concat();
        let mut message = self.write(challenge, &[0; 24], &nt, &encrypted);
        if self.code {
            let messages = [&self.negotiate().0, &challenge.0, &message.0];
            let code = hmac_md5(&exported, &messages.map(Vec::as_slice));
            let at = self.header - 16;
            message.0[at..at + 16].copy_from_slice(&code);
        }
        message
    }

    /// AUTHENTICATE with these responses and nothing that is proven.
    pub(crate) fn with_responses(&self, challenge: &Message, lm: &[u8], nt: &[u8]) -> Message {
        self.write(challenge, lm, nt, &[])
    }

    /// The LMv2 response, 24 octets (§3.3.2).
    pub(crate) fn lm_v2(&self, challenge: &Message) -> Vec<u8> {
        let client = [0xaa; 8];
        let proof = hmac_md5(
            &self.response_key(),
            &[&challenge.server_challenge(), &client],
        );
        [&proof[..], &client].concat()
    }

    fn client_pairs(&self, challenge: &Message) -> Vec<(u16, Vec<u8>)> {
        let mut pairs = challenge.target_info();
        pairs.retain(|(kind, _)| !self.without.contains(kind));
        let flags = (pair::FLAGS, vec![2, 0, 0, 0]);
        for one in self.code.then_some(&flags).into_iter().chain(&self.pairs) {
            match pairs.iter_mut().find(|(kind, _)| *kind == one.0) {
                Some(place) => *place = one.clone(),
                None => pairs.push(one.clone()),
            }
        }
        pairs
    }

    /// The exported session key, and the field that carries it (§3.1.5.1.2).
    fn keys(&self, base: &[u8; 16], challenge: &Message) -> ([u8; 16], Vec<u8>) {
        let granted = challenge.challenge_flags();
        let exchange =
            granted & flag::KEY_EXCHANGE != 0 && granted & (flag::SIGN | flag::SEAL) != 0;
        let (exported, field) = if exchange {
            let exported = [0x55; 16];
            let mut encrypted = exported;
            let mut cipher = Rc4::new_from_slice(base).expect("16 octets");
            cipher.apply_keystream(&mut encrypted);
            (exported, encrypted.to_vec())
        } else {
            (*base, Vec::new())
        };
        (exported, self.key.clone().unwrap_or(field))
    }

    fn write(&self, challenge: &Message, lm: &[u8], nt: &[u8], key: &[u8]) -> Message {
        let granted = challenge.challenge_flags();
        let name = |text: &str| {
            if granted & flag::UNICODE == 0 {
                text.as_bytes().to_vec()
            } else {
                utf16(text)
            }
        };
        let mut message = Message(vec![0; self.header]);
        message.0[..12].copy_from_slice(b"NTLMSSP\0\x03\0\0\0");
        message.set_u32(60, granted);
        message.replace(Field::Domain, &name(&self.domain));
        message.replace(Field::User, &name(&self.user));
        message.replace(Field::Workstation, &name("HAND"));
        message.replace(Field::Lm, lm);
        message.replace(Field::Nt, nt);
        message.replace(Field::Key, key);
        message
    }
}

fn hmac_md5(key: &[u8], messages: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("any key");
    messages.iter().for_each(|message| mac.update(message));
    mac.finalize().into_bytes().into()
}

/// What a client binds itself to (§3.1.5.1.2, RFC 2744 §3.11): the hash of these octets.
pub(crate) fn binding(application_data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(application_data.len()).expect("short");
    let mut octets = vec![0; 16];
    octets.extend_from_slice(&length.to_le_bytes());
    octets.extend_from_slice(application_data);
    Md5::digest(octets).to_vec()
}
