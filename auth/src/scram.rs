//! SCRAM keys: what is stored of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677), in the form
//! of RFC 5803, and keys made up for who has none.
//!
//! Made-up keys look like stored ones and stay the same for the same name, so that a stranger who
//! asks for salts learns nothing. No password fits them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::password::MAX_PASSWORD;
use crate::{HashError, Secret};

/// What the text begins with.
const SCHEME: &str = "SCRAM-SHA-256";
/// RFC 7677 §4: "at least 4096".
const LEAST_ITERATIONS: u32 = 4096;
/// About a second of work, where the server itself has to check a password against the keys.
pub(crate) const MOST_ITERATIONS: u32 = 2_000_000;
/// Iterations of new keys: what OWASP recommends for PBKDF2 with SHA-256. The client does the
/// work: half a second or less on a desk or in a pocket.
const ITERATIONS: u32 = 600_000;
/// Octets of the salt of new keys.
const SALT: usize = 16;
/// Octets that a salt may have.
const SALTS: std::ops::RangeInclusive<usize> = 8..=64;
/// Octets of the secret that makes keys up.
const SECRET: usize = 32;

/// What is stored of a password for SCRAM-SHA-256. It is not shown by `Debug`: with the keys one
/// can search for the password, and pass for the server.
#[derive(Clone)]
pub struct ScramKeys {
    form: Form,
    salt: Vec<u8>,
    stored_key: Secret,
    server_key: Secret,
}

/// What a client sees of the keys before it has proven anything, but for the salt itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Form {
    pub(crate) iterations: u32,
    pub(crate) salt: usize,
}

impl Default for Form {
    /// That of new keys.
    fn default() -> Self {
        Self {
            iterations: ITERATIONS,
            salt: SALT,
        }
    }
}

/// Why a text cannot be used as SCRAM keys. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// Not the form of RFC 5803, or not of this mechanism.
    #[error(
        "is not SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey; set the password again with \
         `postern user passwd`"
    )]
    Form,
    /// Too few or too many iterations.
    #[error(
        "asks for fewer than 4096 or more than 2000000 iterations; set the password again with \
         `postern user passwd`"
    )]
    Iterations,
    /// The salt is too short or too long.
    #[error(
        "has a salt of fewer than 8 or more than 64 octets; set the password again with `postern user passwd`"
    )]
    Salt,
}

impl ScramKeys {
    /// Makes the keys of a new password, with a salt of their own. Takes some tenths of a second.
    ///
    /// # Errors
    /// When the password is empty, longer than 1024 octets or has a NUL in it, or the system has
    /// no random numbers.
    pub fn new(password: &Secret) -> Result<Self, HashError> {
        let octets = password.expose();
        if octets.is_empty() {
            return Err(HashError::Empty);
        }
        if octets.len() > MAX_PASSWORD || octets.contains(&0) {
            return Err(HashError::Unusable);
        }
        let mut salt = vec![0_u8; SALT];
        getrandom::fill(&mut salt).map_err(|_| HashError::NoRandom)?;
        Self::derive(password, salt, ITERATIONS).ok_or(HashError::Damaged)
    }

    /// RFC 5802 §3.
    pub(crate) fn derive(password: &Secret, salt: Vec<u8>, iterations: u32) -> Option<Self> {
        let keys = client_keys(password, &salt, iterations)?;
        Some(Self {
            form: Form {
                iterations,
                salt: salt.len(),
            },
            salt,
            stored_key: Secret::new(Sha256::digest(keys.client.expose()).to_vec()),
            server_key: keys.server,
        })
    }

    /// Keys that nobody has a password for, always the same for the same name.
    pub(crate) fn made_up(secret: &Secret, name: &str, form: Form) -> Option<Self> {
        let part = |what: &[u8]| hmac(secret.expose(), &[what, b"\0", name.as_bytes()]);
        let salt = [part(b"salt")?.expose(), part(b"more salt")?.expose()].concat();
        Some(Self {
            form,
            salt: salt.into_iter().take(form.salt).collect(),
            stored_key: part(b"stored key")?,
            server_key: part(b"server key")?,
        })
    }

    /// Whether the keys were made of this password. For a server that is given the password
    /// itself, and has nothing else to check it against.
    pub(crate) fn verify(&self, password: &Secret) -> bool {
        let octets = password.expose();
        if octets.is_empty() || octets.len() > MAX_PASSWORD || octets.contains(&0) {
            return false;
        }
        Self::derive(password, self.salt.clone(), self.form.iterations)
            .is_some_and(|made| made.stored_key == self.stored_key)
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(crate) fn stored_key(&self) -> &[u8] {
        self.stored_key.expose()
    }

    pub(crate) fn server_key(&self) -> &[u8] {
        self.server_key.expose()
    }

    /// The text for the users file (RFC 5803 §3).
    pub(crate) fn to_text(&self) -> String {
        let [salt, stored, server] =
            [self.salt(), self.stored_key(), self.server_key()].map(|part| STANDARD.encode(part));
        format!("{SCHEME}${}:{salt}${stored}:{server}", self.form.iterations)
    }
}

impl FromStr for ScramKeys {
    type Err = ScramError;

    fn from_str(text: &str) -> Result<Self, ScramError> {
        if text.len() > 512 {
            return Err(ScramError::Form);
        }
        let pair = |text: &'_ str| -> Option<(String, String)> {
            let (left, right) = text.split_once(':')?;
            Some((left.to_owned(), right.to_owned()))
        };
        let mut fields = text.split('$');
        let mut next = || fields.next().ok_or(ScramError::Form);
        if next()? != SCHEME {
            return Err(ScramError::Form);
        }
        let (iterations, salt) = pair(next()?).ok_or(ScramError::Form)?;
        let (stored, server) = pair(next()?).ok_or(ScramError::Form)?;
        if fields.next().is_some() || !iterations.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(ScramError::Form);
        }
        let iterations = iterations.parse().map_err(|_| ScramError::Iterations)?;
        if !(LEAST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
            return Err(ScramError::Iterations);
        }
        let decode = |part: &str| STANDARD.decode(part).map_err(|_| ScramError::Form);
        let (salt, stored, server) = (decode(&salt)?, decode(&stored)?, decode(&server)?);
        if !SALTS.contains(&salt.len()) {
            return Err(ScramError::Salt);
        }
        if stored.len() != 32 || server.len() != 32 {
            return Err(ScramError::Form);
        }
        Ok(Self {
            form: Form {
                iterations,
                salt: salt.len(),
            },
            salt,
            stored_key: Secret::new(stored),
            server_key: Secret::new(server),
        })
    }
}

impl PartialEq for ScramKeys {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
            && self.salt.ct_eq(&other.salt).into()
            && self.stored_key == other.stored_key
            && self.server_key == other.server_key
    }
}

impl Eq for ScramKeys {}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScramKeys({:?}, redacted)", self.form)
    }
}

/// A new secret to make keys up with; none when the system has no random numbers.
pub(crate) fn new_secret() -> Option<Secret> {
    let mut secret = vec![0; SECRET];
    getrandom::fill(&mut secret).ok()?;
    Some(Secret::new(secret))
}

/// The secret of a users file, as it stands there.
pub(crate) fn secret_text(secret: &Secret) -> String {
    STANDARD.encode(secret.expose())
}

/// The secret that a text of the users file means.
pub(crate) fn parse_secret(text: &str) -> Option<Secret> {
    let octets = STANDARD.decode(text).ok()?;
    (octets.len() == SECRET).then(|| Secret::new(octets))
}

/// RFC 5802 §2.2: Hi(Normalize(password), salt, i). A password that SASLprep refuses (it is older
/// than many characters) is taken as typed, as clients do.
fn salted(password: &Secret, salt: &[u8], iterations: u32) -> Option<Secret> {
    let prepared = std::str::from_utf8(password.expose())
        .ok()
        .and_then(|text| stringprep::saslprep(text).ok())
        .map(|text| Secret::new(text.as_bytes().to_vec()));
    let octets = prepared.as_ref().unwrap_or(password);
    let mut salted = vec![0; 32];
    let iterations = NonZeroU32::new(iterations)?;
    pbkdf2::derive(
        PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        octets.expose(),
        &mut salted,
    );
    Some(Secret::new(salted))
}

/// What a password is made into (RFC 5802 §3): `ClientKey` and `ServerKey`.
pub(crate) struct ClientKeys {
    pub(crate) client: Secret,
    pub(crate) server: Secret,
}

/// The keys of a password under a salt. The work is that of the iterations.
pub(crate) fn client_keys(password: &Secret, salt: &[u8], iterations: u32) -> Option<ClientKeys> {
    let salted = salted(password, salt, iterations)?;
    Some(ClientKeys {
        client: hmac(salted.expose(), &[b"Client Key"])?,
        server: hmac(salted.expose(), &[b"Server Key"])?,
    })
}

pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<Secret> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(Secret::new(mac.finalize().into_bytes().to_vec()))
}

#[cfg(test)]
mod tests;
