//! What a client certificate says of its holder, for EXTERNAL (RFC 4422 appendix A).
//!
//! That the certificate is genuine was found out in the handshake. Here it is only read: its
//! names, its fingerprint, and whether its time has come and is not over. A resumed TLS session may
//! be older than that.

use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::{FromDer as _, Oid, TaggedExplicit, Utf8String, oid};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{ASN1Time, X509Certificate};

/// The user principal name of Active Directory, as an otherName.
const UPN: Oid<'static> = oid!(1.3.6.1.4.1.311.20.2.3);
/// The most names of a certificate that are looked at.
const MAX_NAMES: usize = 16;

/// A way from a certificate to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateName {
    /// The SHA-256 digest of the certificate stands in the account's `certificates`.
    Fingerprint,
    /// The user principal name (otherName 1.3.6.1.4.1.311.20.2.3) is a name of the account.
    Upn,
    /// The mail address (rfc822Name) is a name of the account.
    Email,
}

/// The SHA-256 digest of a certificate, in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits, with or without colons between them.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?.replace(':', "");
        if digits.len() != 64 || !digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            return None;
        }
        let mut octets = [0; 32];
        for (octet, at) in octets.iter_mut().zip((0..64).step_by(2)) {
            *octet = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(octets))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// What was read of a certificate.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) upn: Vec<String>,
    pub(crate) email: Vec<String>,
}

/// Why a certificate is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Not an X.509 certificate.
    Unreadable,
    /// Its time has not come, or is over.
    NotValidNow,
}

/// The names of a certificate that is valid at `now`, in seconds since 1970.
pub(crate) fn read(der: &[u8], now: i64) -> Result<Names, Unfit> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Unfit::Unreadable)?;
    if !rest.is_empty() {
        return Err(Unfit::Unreadable);
    }
    let now = ASN1Time::from_timestamp(now).map_err(|_| Unfit::NotValidNow)?;
    if !certificate.validity().is_valid_at(now) {
        return Err(Unfit::NotValidNow);
    }
    let mut names = Names::default();
    let extension = certificate.subject_alternative_name();
    let Some(extension) = extension.map_err(|_| Unfit::Unreadable)? else {
        return Ok(names);
    };
    for name in extension.value.general_names.iter().take(MAX_NAMES) {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "other kinds of names are nobody's login"
        )]
        match name {
            GeneralName::RFC822Name(address) if is_address(address) => {
                names.email.push((*address).to_owned());
            }
            GeneralName::OtherName(kind, value) if *kind == UPN => {
                names
                    .upn
                    .extend(utf8(value).filter(|name| is_address(name)));
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Both kinds of names have a domain; a bare word is not taken for a login.
fn is_address(name: &str) -> bool {
    matches!(name.rsplit_once('@'), Some((user, domain)) if !user.is_empty() && !domain.is_empty())
        && !name.contains(['\\', '/'])
}

/// The value of an otherName, when it is a UTF8String.
fn utf8(value: &[u8]) -> Option<String> {
    type Value<'a> = TaggedExplicit<Utf8String<'a>, x509_parser::asn1_rs::Error, 0>;
    let (_, value) = Value::from_der(value).ok()?;
    Some(value.into_inner().string())
}

#[cfg(test)]
pub(crate) mod tests;
