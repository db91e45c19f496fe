//! Stored password hashes: what may stand in the users file, and checking a password against it.
//!
//! A hash is looked at when it is loaded: one that no password could ever match, or one that asks
//! for absurd amounts of memory or time, is refused there and not at a login. Work is done on the
//! caller's thread; the login path does it in the [`crate::Pool`].

mod argon2id;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use sha_crypt::ShaCrypt;
use yescrypt::Yescrypt;

use crate::Secret;
use crate::pool::Pace;

/// The longest password that is looked at, in octets (RFC 4616 §2 asks for 255).
pub(crate) const MAX_PASSWORD: usize = 1024;
/// The most memory that one check may take: 256 MiB.
const MAX_MEMORY_KIB: u64 = 256 * 1024;
/// The most memory traffic of an Argon2id check: memory times passes, in KiB.
const MAX_ARGON2_WORK: u64 = 2 * 1024 * 1024;
/// The most rounds of `$5$` and `$6$`: about half a second.
const MAX_SHA_ROUNDS: u32 = 2_000_000;
/// The highest bcrypt cost: about five seconds.
const MAX_BCRYPT_COST: u32 = 16;
/// A hash that asks for no more is checked within a few milliseconds: memory times passes of
/// Argon2id, in KiB.
const QUICK_ARGON2_WORK: u64 = 4 * 1024;
/// The same: rounds of `$5$` and `$6$`. Where none are written, it is half of them.
const QUICK_SHA_ROUNDS: u32 = 10_000;
/// The same: the cost of bcrypt.
const QUICK_BCRYPT_COST: u32 = 5;
/// A hash with the parameters of a new one, for a directory that has none to copy. Nobody knows a
/// password for it, and its outcome is not looked at.
const STAND_IN: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
    c3RhbmQtaW4tc2FsdC4uLg$jjYbNMlYZz3XQ6NBeyYq0NwChbzEzjxQIUrtdPZYqrk";

/// A stored hash that was found fit for use. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Arc<str>,
    scheme: Scheme,
    pace: Pace,
}

/// How a hash was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    /// `$argon2id$`: what is made here; and `$argon2i$`.
    Argon2id,
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// `$5$`.
    Sha256,
    /// `$6$`.
    Sha512,
    /// `$y$`.
    Yescrypt,
}

/// Why a text cannot be used as a password hash. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// None of the known schemes.
    #[error(
        "is not a hash of a known scheme; make one with `postern user passwd` ($argon2id$), \
             or import $6$, $5$, $y$ or bcrypt"
    )]
    Unknown,
    /// The scheme is known, the rest cannot be read.
    #[error("is damaged; set the password again with `postern user passwd`")]
    Damaged,
    /// It would take too much memory or time to check.
    #[error(
        "asks for more than 256 MiB or for seconds of work at every login; set the password \
             again with `postern user passwd`"
    )]
    TooCostly,
    /// Nothing was given as the new password.
    #[error("the password is empty; type at least one character")]
    Empty,
    /// The new password has more than 1024 octets or a NUL in it.
    #[error("the password is longer than 1024 octets or has a NUL in it; choose another")]
    Unusable,
    /// The system's source of random numbers failed.
    #[error("the system gave no random numbers; try again")]
    NoRandom,
}

impl PasswordHash {
    /// The text as it stands in the users file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `password` is the one that the hash was made of. Takes milliseconds to seconds, and
    /// the same whatever the outcome. A password that is empty, longer than 1024 octets or has a
    /// NUL in it never is: bcrypt and crypt(3) would stop at the NUL.
    pub fn verify(&self, password: &Secret) -> bool {
        let octets = password.expose();
        if octets.is_empty() || octets.len() > MAX_PASSWORD || octets.contains(&0) {
            return false;
        }
        match self.scheme {
            Scheme::Argon2id => argon2id::verify(&self.text, octets),
            Scheme::Bcrypt => bcrypt::verify(octets, &self.text).unwrap_or(false),
            Scheme::Sha256 | Scheme::Sha512 => ShaCrypt::default()
                .verify_password(octets, &*self.text)
                .is_ok(),
            Scheme::Yescrypt => Yescrypt::default()
                .verify_password(octets, &*self.text)
                .is_ok(),
        }
    }

    /// A hash that costs what a new one costs, for a name that has none.
    pub(crate) fn stand_in() -> Self {
        Self {
            text: STAND_IN.into(),
            scheme: Scheme::Argon2id,
            pace: Pace::Any,
        }
    }

    /// How long a check takes: by the parameters, not by a look at the clock, which other load
    /// would turn.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }

    /// What a check costs, as far as two hashes can be told apart by it.
    /// The name of its scheme, for people.
    pub fn scheme_name(&self) -> &'static str {
        match self.scheme {
            Scheme::Argon2id => "Argon2",
            Scheme::Bcrypt => "bcrypt",
            Scheme::Sha256 => "SHA-256 crypt",
            Scheme::Sha512 => "SHA-512 crypt",
            Scheme::Yescrypt => "yescrypt",
        }
    }

    pub(crate) fn cost(&self) -> (Scheme, &str) {
        let end = match self.scheme {
            // $argon2id$v=19$m=…$salt, $2b$12$salt, $y$j9T$salt: the parameters are fixed fields.
            Scheme::Argon2id => self.text.match_indices('$').nth(3),
            Scheme::Bcrypt | Scheme::Yescrypt => self.text.match_indices('$').nth(2),
            Scheme::Sha256 | Scheme::Sha512 if self.text.contains("$rounds=") => {
                self.text.match_indices('$').nth(2)
            }
            Scheme::Sha256 | Scheme::Sha512 => self.text.match_indices('$').nth(1),
        };
        (
            self.scheme,
            end.and_then(|(at, _)| self.text.get(..at))
                .unwrap_or_default(),
        )
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({:?}, redacted)", self.scheme)
    }
}

impl FromStr for PasswordHash {
    type Err = HashError;

    /// Looks at the scheme, the parameters and the lengths; no password is checked.
    fn from_str(text: &str) -> Result<Self, HashError> {
        if text.len() > 512 || !text.is_ascii() {
            return Err(HashError::Unknown);
        }
        let id = text
            .strip_prefix('$')
            .and_then(|rest| rest.split('$').next());
        let scheme = match id {
            Some("argon2id" | "argon2i") => {
                check_argon2id(text).map(|pace| (Scheme::Argon2id, pace))
            }
            Some("2a" | "2b" | "2y") => check_bcrypt(text).map(|pace| (Scheme::Bcrypt, pace)),
            Some("5") => check_sha_crypt(text, 43).map(|pace| (Scheme::Sha256, pace)),
            Some("6") => check_sha_crypt(text, 86).map(|pace| (Scheme::Sha512, pace)),
            Some("y") => check_yescrypt(text).map(|()| (Scheme::Yescrypt, Pace::Any)),
            _ => Err(HashError::Unknown),
        };
        let (scheme, pace) = scheme?;
        Ok(Self {
            text: text.into(),
            scheme,
            pace,
        })
    }
}

/// Makes an Argon2id hash with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).
/// Takes some tens of milliseconds.
///
/// # Errors
/// When the password is empty, longer than 1024 octets or has a NUL in it, or the system has no
/// random numbers.
pub fn hash_password(password: &Secret) -> Result<PasswordHash, HashError> {
    let octets = password.expose();
    if octets.is_empty() {
        return Err(HashError::Empty);
    }
    if octets.len() > MAX_PASSWORD || octets.contains(&0) {
        return Err(HashError::Unusable);
    }
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(|_| HashError::NoRandom)?;
    let params = Params::new(19_456, 2, 1, None).map_err(|_| HashError::Damaged)?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(octets, &salt)
        .map_err(|_| HashError::Damaged)?;
    hash.to_string().parse()
}

fn check_argon2id(text: &str) -> Result<Pace, HashError> {
    let hash = phc::PasswordHash::new(text).map_err(|_| HashError::Damaged)?;
    let params = Params::try_from(&hash).map_err(|_| HashError::Damaged)?;
    let version = hash.version.map(Version::try_from);
    let output = hash.hash.as_ref().map_or(0, phc::Output::len);
    if hash.salt.is_none() || output < 16 || matches!(version, Some(Err(_))) {
        return Err(HashError::Damaged);
    }
    let memory = u64::from(params.m_cost());
    let work = memory.saturating_mul(u64::from(params.t_cost()));
    let heavy = memory > MAX_MEMORY_KIB || work > MAX_ARGON2_WORK || params.p_cost() > 64;
    if heavy {
        Err(HashError::TooCostly)
    } else {
        Ok(pace(work <= QUICK_ARGON2_WORK))
    }
}

fn check_bcrypt(text: &str) -> Result<Pace, HashError> {
    let parts = bcrypt::HashParts::from_str(text).map_err(|_| HashError::Damaged)?;
    if parts.get_cost() > MAX_BCRYPT_COST {
        Err(HashError::TooCostly)
    } else {
        Ok(pace(parts.get_cost() <= QUICK_BCRYPT_COST))
    }
}

/// `$6$salt$digest` or `$6$rounds=N$salt$digest`.
fn check_sha_crypt(text: &str, digest_length: usize) -> Result<Pace, HashError> {
    let mut fields = text.split('$').skip(2);
    let mut salt = fields.next().ok_or(HashError::Damaged)?;
    let mut is_quick = true;
    if let Some(rounds) = salt.strip_prefix("rounds=") {
        let rounds: u32 = rounds.parse().map_err(|_| HashError::Damaged)?;
        is_quick = rounds <= QUICK_SHA_ROUNDS;
        // crypt(3) raises and lowers what is out of bounds and says so in the hash.
        sha_crypt::Params::new(rounds).map_err(|_| HashError::Damaged)?;
        if rounds > MAX_SHA_ROUNDS {
            return Err(HashError::TooCostly);
        }
        salt = fields.next().ok_or(HashError::Damaged)?;
    }
    let digest = fields.next().ok_or(HashError::Damaged)?;
    let sound = salt.len() <= 16 && digest.len() == digest_length && is_crypt64(digest);
    if sound && fields.next().is_none() {
        Ok(pace(is_quick))
    } else {
        Err(HashError::Damaged)
    }
}

/// `$y$parameters$salt$digest`.
fn check_yescrypt(text: &str) -> Result<(), HashError> {
    let fields: Vec<&str> = text.split('$').skip(2).collect();
    let &[parameters, salt, digest] = fields.as_slice() else {
        return Err(HashError::Damaged);
    };
    let params: yescrypt::Params = parameters.parse().map_err(|_| HashError::Damaged)?;
    if !is_crypt64(salt) || digest.len() != 43 || !is_crypt64(digest) {
        return Err(HashError::Damaged);
    }
    // A block is 128 octets times r; N of them are held. Up to four characters hold the flavour,
    // N and r only: the extra time and lanes that crypt(3) never asks for need more.
    let memory = params.n().saturating_mul(u64::from(params.r())) / 8;
    if memory > MAX_MEMORY_KIB || parameters.len() > 4 {
        return Err(HashError::TooCostly);
    }
    Ok(())
}

fn pace(is_quick: bool) -> Pace {
    if is_quick { Pace::Quick } else { Pace::Any }
}

fn is_crypt64(text: &str) -> bool {
    text.bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'.' || octet == b'/')
}

#[cfg(test)]
mod tests;
