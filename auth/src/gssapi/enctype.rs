//! The names of Kerberos' encryption types (IANA "Kerberos Encryption Type Numbers").

use std::fmt;

/// An encryption type by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Enctype(pub i32);

impl Enctype {
    /// Whether keys of this type protect nothing any more: DES and its exports, triple DES, RC4 (RFC 6649,
    /// RFC 8429).
    pub fn is_weak(self) -> bool {
        matches!(self.0, 1..=16 | 23 | 24)
    }
}

impl fmt::Display for Enctype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "des-cbc-crc",
            3 => "des-cbc-md5",
            16 => "des3-cbc-sha1",
            17 => "aes128-cts-hmac-sha1-96",
            18 => "aes256-cts-hmac-sha1-96",
            19 => "aes128-cts-hmac-sha256-128",
            20 => "aes256-cts-hmac-sha384-192",
            23 => "arcfour-hmac (RC4)",
            24 => "arcfour-hmac-exp (RC4)",
            25 => "camellia128-cts-cmac",
            26 => "camellia256-cts-cmac",
            other => return write!(f, "encryption type {other}"),
        })
    }
}
