//! [MS-NLMP] written a second time, to compare with: messages as they lie on the wire, and the
//! arithmetic of NTLMv2. Nothing of the server's code is used.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use rc4::{Rc4, StreamCipher as _};

/// Bits of NegotiateFlags (§2.2.2.5).
pub(crate) mod flag {
    pub(crate) const UNICODE: u32 = 0x1;
    pub(crate) const OEM: u32 = 0x2;
    pub(crate) const REQUEST_TARGET: u32 = 0x4;
    pub(crate) const SIGN: u32 = 0x10;
    pub(crate) const SEAL: u32 = 0x20;
    pub(crate) const DATAGRAM: u32 = 0x40;
    pub(crate) const LM_KEY: u32 = 0x80;
    pub(crate) const NTLM: u32 = 0x200;
    pub(crate) const ALWAYS_SIGN: u32 = 0x8000;
    pub(crate) const TARGET_IS_DOMAIN: u32 = 0x1_0000;
    pub(crate) const TARGET_IS_SERVER: u32 = 0x2_0000;
    pub(crate) const EXTENDED_SESSION_SECURITY: u32 = 0x8_0000;
    pub(crate) const TARGET_INFO: u32 = 0x80_0000;
    pub(crate) const VERSION: u32 = 0x200_0000;
    pub(crate) const KEY_128: u32 = 0x2000_0000;
    pub(crate) const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub(crate) const KEY_56: u32 = 0x8000_0000;
}

/// Ids of AV pairs (§2.2.2.1).
pub(crate) mod pair {
    pub(crate) const END: u16 = 0;
    pub(crate) const NB_COMPUTER: u16 = 1;
    pub(crate) const NB_DOMAIN: u16 = 2;
    pub(crate) const DNS_COMPUTER: u16 = 3;
    pub(crate) const DNS_DOMAIN: u16 = 4;
    pub(crate) const DNS_TREE: u16 = 5;
    pub(crate) const FLAGS: u16 = 6;
    pub(crate) const TIMESTAMP: u16 = 7;
    pub(crate) const TARGET_NAME: u16 = 9;
    pub(crate) const BINDINGS: u16 = 10;
}

/// Where the fields of AUTHENTICATE are described.
const FIELDS: [usize; 6] = [12, 20, 28, 36, 44, 52];

/// What AUTHENTICATE says, and where its payload begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) lm: &'a [u8],
    pub(crate) nt: &'a [u8],
    pub(crate) key: &'a [u8],
    pub(crate) user: String,
    pub(crate) domain: String,
    pub(crate) workstation: String,
    pub(crate) flags: u32,
    pub(crate) payload: usize,
}

pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    let octets = octets.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(octets.try_into().ok()?))
}

pub(crate) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    let octets = octets.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(octets.try_into().ok()?))
}

/// A field: where it begins, and what stands in it. An empty one stands at the end.
pub(crate) fn field(message: &[u8], at: usize, header: usize) -> Option<(usize, &[u8])> {
    let length = usize::from(u16_at(message, at)?);
    let from = usize::try_from(u32_at(message, at + 4)?).ok()?;
    if length == 0 {
        return Some((message.len(), &[]));
    }
    let octets = message.get(from..from.checked_add(length)?)?;
    (from >= header).then_some((from, octets))
}

/// AUTHENTICATE (§2.2.1.3), when it can be judged at all.
pub(crate) fn answer(message: &[u8], unicode: bool) -> Option<Answer<'_>> {
    if message.len() > 16 * 1024 || !message.starts_with(b"NTLMSSP\0\x03\0\0\0") {
        return None;
    }
    let flags = u32_at(message, 60)?;
    let fields: Option<Vec<_>> = FIELDS.iter().map(|at| field(message, *at, 64)).collect();
    let [lm, nt, domain, user, workstation, key] = fields?.try_into().ok()?;
    let starts = [lm.0, nt.0, domain.0, user.0, workstation.0, key.0];
    let answer = Answer {
        lm: lm.1,
        nt: nt.1,
        key: key.1,
        user: text(user.1, unicode)?,
        domain: text(domain.1, unicode)?,
        workstation: text(workstation.1, unicode)?,
        flags,
        payload: starts.into_iter().min()?,
    };
    let readable = match nt.1.len() {
        0 | 24 => true,
        48.. => nt.1[16..18] == [1, 1] && pairs(&nt.1[44..]).is_some(),
        _ => false,
    };
    readable.then_some(answer)
}

fn text(octets: &[u8], unicode: bool) -> Option<String> {
    let text = if unicode {
        let units: Vec<u16> = (0..octets.len() / 2)
            .filter_map(|unit| u16_at(octets, 2 * unit))
            .collect();
        let whole = octets.len().is_multiple_of(2);
        String::from_utf16(&units).ok().filter(|_| whole)?
    } else {
        let text = String::from_utf8(octets.to_vec()).ok()?;
        Some(text).filter(|text| text.is_ascii())?
    };
    let sound = octets.len() <= 512 && !text.chars().any(char::is_control);
    sound.then_some(text)
}

impl Answer<'_> {
    /// Where the integrity code may stand: behind the version, where there is room for both; or in
    /// its place.
    pub(crate) fn code_at(&self) -> Option<usize> {
        let without_version = self.flags & flag::VERSION == 0;
        match self.payload {
            88.. => Some(72),
            80.. if without_version => Some(64),
            _ => None,
        }
    }
}

/// A list of AV pairs up to its end, none of which stands twice.
pub(crate) fn pairs(octets: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let (mut list, mut at) = (Vec::new(), 0);
    loop {
        let kind = u16_at(octets, at)?;
        let length = usize::from(u16_at(octets, at + 2)?);
        if kind == pair::END {
            break;
        }
        list.push((kind, octets.get(at + 4..at + 4 + length)?));
        at += 4 + length;
    }
    let mut kinds: Vec<u16> = list.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    (kinds.len() == list.len() && list.len() <= 32).then_some(list)
}

/// The octets of a list of pairs, with its end.
pub(crate) fn pair_octets<V: AsRef<[u8]>>(pairs: &[(u16, V)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (kind, value) in pairs {
        let value = value.as_ref();
        let length = u16::try_from(value.len()).expect("a value out of a message");
        octets.extend(kind.to_le_bytes());
        octets.extend(length.to_le_bytes());
        octets.extend(value);
    }
    octets.extend([0; 4]);
    octets
}

/// The value of a pair.
pub(crate) fn value<'a>(pairs: &[(u16, &'a [u8])], kind: u16) -> Option<&'a [u8]> {
    let found = pairs.iter().find(|(other, _)| *other == kind);
    found.map(|(_, value)| *value)
}

/// AUTHENTICATE with a header of 88 octets and these parts: LM, NT, domain, user, workstation, key.
pub(crate) fn write(parts: [&[u8]; 6], flags: u32) -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut payload: Vec<u8> = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).expect("a part of a message");
        let offset = u32::try_from(88 + payload.len()).expect("a short message");
        message.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        message.extend(offset.to_le_bytes());
        payload.extend(part);
    }
    message.extend(flags.to_le_bytes());
    message.extend([10, 0, 0, 0, 0, 0, 0, 15]);
    message.extend([0; 16]);
    message.extend(payload);
    message
}

pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Windows' upper case: one unit for one unit, and only where the way back leads to the same letter.
pub(crate) fn upper(text: &str) -> String {
    let one = |letter: char| {
        let upper: Vec<char> = letter.to_uppercase().collect();
        match upper[..] {
            [upper] if upper > '\u{ffff}' => letter,
            [upper] if upper.to_lowercase().eq([letter]) || letter == 'ς' => upper,
            _ => letter,
        }
    };
    text.chars().map(one).collect()
}

/// `NTOWFv2` (§3.3.2).
pub(crate) fn response_key(nt_hash: &[u8], user: &str, domain: &str) -> [u8; 16] {
    hmac_md5(nt_hash, &[&utf16(&upper(user)), &utf16(domain)])
}

/// The exported session key out of what the client sent (§3.4.5.1).
pub(crate) fn exchanged(base: &[u8; 16], encrypted: &[u8; 16]) -> [u8; 16] {
    let mut key = *encrypted;
    let mut cipher = Rc4::new_from_slice(base).expect("16 octets");
    cipher.apply_keystream(&mut key);
    key
}

pub(crate) fn hmac_md5(key: &[u8], messages: &[&[u8]]) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("any key");
    messages.iter().for_each(|message| mac.update(message));
    mac.finalize().into_bytes().into()
}

/// What a client binds itself to (§3.1.5.1.2, RFC 2744 §3.11): the hash of a
/// `gss_channel_bindings_struct` with this hash of the certificate.
pub(crate) fn binding(end_point: &[u8]) -> [u8; 16] {
    let data = [b"tls-server-end-point:", end_point].concat();
    let length = u32::try_from(data.len()).expect("a short hash");
    Md5::digest([&[0; 16][..], &length.to_le_bytes(), &data].concat()).into()
}
