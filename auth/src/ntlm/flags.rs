//! NegotiateFlags (\[MS-NLMP\] §2.2.2.5), and what a server answers to them.

use std::ops::BitOr;

/// A set of flags. Bits without a name here are carried and never acted upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    pub(crate) const UNICODE: Self = Self(0x0000_0001);
    pub(crate) const OEM: Self = Self(0x0000_0002);
    pub(crate) const REQUEST_TARGET: Self = Self(0x0000_0004);
    pub(crate) const SIGN: Self = Self(0x0000_0010);
    pub(crate) const SEAL: Self = Self(0x0000_0020);
    pub(crate) const DATAGRAM: Self = Self(0x0000_0040);
    pub(crate) const LM_KEY: Self = Self(0x0000_0080);
    pub(crate) const NTLM: Self = Self(0x0000_0200);
    pub(crate) const ALWAYS_SIGN: Self = Self(0x0000_8000);
    pub(crate) const TARGET_TYPE_DOMAIN: Self = Self(0x0001_0000);
    pub(crate) const TARGET_TYPE_SERVER: Self = Self(0x0002_0000);
    pub(crate) const EXTENDED_SESSION_SECURITY: Self = Self(0x0008_0000);
    pub(crate) const TARGET_INFO: Self = Self(0x0080_0000);
    pub(crate) const VERSION: Self = Self(0x0200_0000);
    pub(crate) const KEY_128: Self = Self(0x2000_0000);
    pub(crate) const KEY_EXCHANGE: Self = Self(0x4000_0000);
    pub(crate) const KEY_56: Self = Self(0x8000_0000);

    pub(crate) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of the flags of `other` is set.
    pub(crate) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What is given back when the client asks for it. POP3 has no layer for signing and sealing, but
/// a client that asks for them counts on the answer when it makes its keys.
const ON_REQUEST: Flags = Flags(
    Flags::SIGN.0
        | Flags::SEAL.0
        | Flags::LM_KEY.0
        | Flags::EXTENDED_SESSION_SECURITY.0
        | Flags::VERSION.0
        | Flags::KEY_128.0
        | Flags::KEY_EXCHANGE.0
        | Flags::KEY_56.0,
);

/// The flags of the CHALLENGE (§3.2.5.1.1), or none when the client's cannot be served: neither
/// UNICODE nor OEM, or connectionless.
pub(crate) fn answer(asked: Flags, target_type: Flags) -> Option<Flags> {
    let text = if asked.contains(Flags::UNICODE) {
        Flags::UNICODE
    } else if asked.contains(Flags::OEM) {
        Flags::OEM
    } else {
        return None;
    };
    if asked.contains(Flags::DATAGRAM) {
        return None;
    }
    let mut granted = asked.and(ON_REQUEST);
    if granted.contains(Flags::EXTENDED_SESSION_SECURITY) {
        granted = granted.without(Flags::LM_KEY);
    }
    if !granted.intersects(Flags::SIGN | Flags::SEAL) {
        granted = granted.without(Flags::KEY_56 | Flags::KEY_128);
    }
    let always = Flags::REQUEST_TARGET | Flags::NTLM | Flags::ALWAYS_SIGN | Flags::TARGET_INFO;
    Some(text | granted | always | target_type)
}
