//! NTLM messages as octets that a test can read and change ([MS-NLMP] §2.2.1): what an attacker sees.
//!
//! No key is known here, and nothing is corrected: a length that is changed stays wrong.

use std::ops::Range;

/// Bits of NegotiateFlags.
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
    pub(crate) const TARGET_TYPE_DOMAIN: u32 = 0x1_0000;
    pub(crate) const TARGET_TYPE_SERVER: u32 = 0x2_0000;
    pub(crate) const EXTENDED_SESSION_SECURITY: u32 = 0x8_0000;
    pub(crate) const TARGET_INFO: u32 = 0x80_0000;
    pub(crate) const VERSION: u32 = 0x200_0000;
    pub(crate) const KEY_128: u32 = 0x2000_0000;
    pub(crate) const KEY_EXCHANGE: u32 = 0x4000_0000;
    pub(crate) const KEY_56: u32 = 0x8000_0000;
}

/// Ids of AV pairs.
pub(crate) mod pair {
    pub(crate) const END: u16 = 0;
    pub(crate) const NB_COMPUTER: u16 = 1;
    pub(crate) const NB_DOMAIN: u16 = 2;
    pub(crate) const DNS_COMPUTER: u16 = 3;
    pub(crate) const DNS_DOMAIN: u16 = 4;
    pub(crate) const FLAGS: u16 = 6;
    pub(crate) const TIMESTAMP: u16 = 7;
    pub(crate) const TARGET_NAME: u16 = 9;
    pub(crate) const BINDINGS: u16 = 10;
}

/// Where the fields of AUTHENTICATE are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Lm = 12,
    Nt = 20,
    Domain = 28,
    User = 36,
    Workstation = 44,
    Key = 52,
}

/// The fields of AUTHENTICATE.
pub(crate) const FIELDS: [Field; 6] = [
    Field::Lm,
    Field::Nt,
    Field::Domain,
    Field::User,
    Field::Workstation,
    Field::Key,
];

/// Where AUTHENTICATE has its integrity code, when there is one.
pub(crate) const CODE: Range<usize> = 72..88;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message(pub(crate) Vec<u8>);

impl Message {
    pub(crate) fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.0[at..at + 2].try_into().expect("two octets"))
    }

    pub(crate) fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at..at + 4].try_into().expect("four octets"))
    }

    pub(crate) fn set_u16(&mut self, at: usize, value: u16) {
        self.0[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn set_u32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// What stands in the field.
    pub(crate) fn place(&self, field: Field) -> Range<usize> {
        self.place_at(field as usize)
    }

    fn place_at(&self, described: usize) -> Range<usize> {
        let from = self.u32(described + 4) as usize;
        from..from + usize::from(self.u16(described))
    }

    pub(crate) fn field(&self, field: Field) -> &[u8] {
        &self.0[self.place(field)]
    }

    /// Puts other octets into a field: behind everything else, so that nothing else moves.
    pub(crate) fn replace(&mut self, field: Field, octets: &[u8]) {
        self.describe(field, octets.len(), self.0.len());
        self.0.extend_from_slice(octets);
    }

    /// Says another length and place of a field, whatever is there.
    pub(crate) fn describe(&mut self, field: Field, length: usize, at: usize) {
        let length = u16::try_from(length).expect("a short field");
        self.set_u16(field as usize, length);
        self.set_u16(field as usize + 2, length);
        self.set_offset(field, at);
    }

    /// Says another place of a field.
    pub(crate) fn set_offset(&mut self, field: Field, at: usize) {
        let at = u32::try_from(at).expect("an offset of 32 bits");
        self.set_u32(field as usize + 4, at);
    }

    /// Changes one octet.
    pub(crate) fn flip(&mut self, at: usize) {
        self.0[at] ^= 1;
    }

    /// The flags of a CHALLENGE.
    pub(crate) fn challenge_flags(&self) -> u32 {
        self.u32(20)
    }

    /// The server's eight octets in a CHALLENGE.
    pub(crate) fn server_challenge(&self) -> [u8; 8] {
        self.0[24..32].try_into().expect("eight octets")
    }

    /// The name of the target in a CHALLENGE, as it is encoded.
    pub(crate) fn target(&self) -> &[u8] {
        &self.0[self.place_at(12)]
    }

    /// The AV pairs of a CHALLENGE.
    pub(crate) fn target_info(&self) -> Vec<(u16, Vec<u8>)> {
        pairs(&self.0[self.place_at(40)])
    }
}

/// Reads a list of AV pairs, without its end.
pub(crate) fn pairs(mut octets: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut list = Vec::new();
    loop {
        let kind = u16::from_le_bytes([octets[0], octets[1]]);
        let length = usize::from(u16::from_le_bytes([octets[2], octets[3]]));
        if kind == pair::END {
            return list;
        }
        list.push((kind, octets[4..4 + length].to_vec()));
        octets = &octets[4 + length..];
    }
}

/// A list of AV pairs with its end.
pub(crate) fn pair_octets(pairs: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let end = (pair::END, Vec::new());
    let one = |(kind, value): &(u16, Vec<u8>)| {
        let length = u16::try_from(value.len()).expect("a short pair");
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
    };
    pairs.iter().chain([&end]).flat_map(one).collect()
}

/// The value of a pair.
pub(crate) fn value(pairs: &[(u16, Vec<u8>)], kind: u16) -> Option<&[u8]> {
    let found = pairs.iter().find(|(other, _)| *other == kind);
    found.map(|(_, value)| value.as_slice())
}

/// UTF-16LE, as the names are written.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A name read back.
pub(crate) fn text(octets: &[u8]) -> String {
    let units = octets
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    char::decode_utf16(units)
        .map(|unit| unit.expect("UTF-16"))
        .collect()
}
