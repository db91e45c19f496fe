//! Passwords as directories store them, for those that let us read them: `{SSHA}` and its
//! relations (draft-stroeder-hashed-userpassword-values), and `{CRYPT}`, `{ARGON2}` and `{BCRYPT}`
//! before a hash that local users have too.
//!
//! Checking takes milliseconds to seconds and is done in the pool.

use aws_lc_rs::digest::{self, Algorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use crate::Secret;
use crate::password::{MAX_PASSWORD, PasswordHash};

/// An entry has one password, or a few while it is being changed.
const MOST: usize = 8;
/// The longest salt behind a digest.
const MAX_SALT: usize = 64;

/// A stored value that was found fit for use. It is not shown by `Debug`.
#[derive(Clone)]
pub(super) enum Stored {
    /// A digest, and the salt that it was made with.
    Salted {
        algorithm: &'static Algorithm,
        digest: Vec<u8>,
        salt: Vec<u8>,
    },
    /// A hash of the kinds that local users have.
    Hash(PasswordHash),
}

impl Stored {
    /// The values of `userPassword` that are of use; clear text never is.
    pub(super) fn read(values: &[Vec<u8>]) -> Vec<Self> {
        let texts = values
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok());
        texts.take(MOST).filter_map(Self::parse).collect()
    }

    /// Some value that costs what a new hash does, for accounts that have none.
    pub(super) fn stand_in() -> Self {
        Self::Hash(PasswordHash::stand_in())
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, value) = text.strip_prefix('{')?.split_once('}')?;
        let (algorithm, salted) = match scheme.to_ascii_uppercase().as_str() {
            "CRYPT" | "ARGON2" | "BCRYPT" | "BLF-CRYPT" => {
                return value.parse().ok().map(Self::Hash);
            }
            "SHA" => (&digest::SHA1_FOR_LEGACY_USE_ONLY, false),
            "SSHA" => (&digest::SHA1_FOR_LEGACY_USE_ONLY, true),
            "SHA256" => (&digest::SHA256, false),
            "SSHA256" => (&digest::SHA256, true),
            "SHA384" => (&digest::SHA384, false),
            "SSHA384" => (&digest::SHA384, true),
            "SHA512" => (&digest::SHA512, false),
            "SSHA512" => (&digest::SHA512, true),
            _ => return None,
        };
        if value.len() > 512 {
            return None;
        }
        let mut digest = STANDARD.decode(value).ok()?;
        let length = algorithm.output_len();
        let salt = (digest.len() >= length).then(|| digest.split_off(length))?;
        let sound = if salted {
            (1..=MAX_SALT).contains(&salt.len())
        } else {
            salt.is_empty()
        };
        sound.then_some(Self::Salted {
            algorithm,
            digest,
            salt,
        })
    }

    /// Whether it was made of this password.
    pub(super) fn verify(&self, password: &Secret) -> bool {
        let octets = password.expose();
        if octets.is_empty() || octets.len() > MAX_PASSWORD || octets.contains(&0) {
            return false;
        }
        match self {
            Self::Hash(hash) => hash.verify(password),
            Self::Salted {
                algorithm,
                digest,
                salt,
            } => {
                let mut context = digest::Context::new(algorithm);
                context.update(octets);
                context.update(salt);
                context.finish().as_ref().ct_eq(digest).into()
            }
        }
    }
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stored(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(value: &str, password: &str) -> bool {
        let stored = Stored::read(&[value.as_bytes().to_vec()]);
        stored.len() == 1 && stored[0].verify(&Secret::new(password.into()))
    }

    /// Made by Python's hashlib and by crypt(3).
    #[test]
    fn values_of_every_scheme_are_known() {
        for value in [
            "{SHA}0nofEXcSAJSXFLGvmfBIpBb11vQ=",
            "{SSHA}CfaOQjZpqpKmHS95wSA5BjHptQZzYWx0ODg4OA==",
            "{ssha256}zZMvhLwNsxzhcxk1C4ZQZ+peDVGu/H0Xo0fMwgnMdJNzYWx0ODg4OA==",
            "{SSHA384}YO3SUNODXx09pr1ERzXGrHruwJS4i3RmD08MjwHpaMwpcQlJE8Ckb5nyfg2GXkuDc2FsdDg4ODg=",
            "{SHA512}VclyEGoLMmex4fp699WE3c9gUe5RYw2knM6A2VOZI5DNbkxxityFK+t2GKciG346A+6ubG+1LTqIBWZcNX9rHw==",
            "{SSHA512}uQrOiVZxVhrVBtlfIo97ETlKvlLZeW9b8x4yUlaFlWxvK0dJ4brQvw9MZe3NH2S97UJa0RVk2VHmU9Y2BMrjRnNhbHQ4ODg4",
            "{CRYPT}$5$rounds=1000$x$5ncE3xeFO8YNQwpQEydhoeUN1txqxYfpsfRQnCfc8E0",
        ] {
            assert!(is(value, "right"), "{value}");
            assert!(!is(value, "wrong"), "{value}");
            assert!(!is(value, ""), "{value}");
        }
    }

    #[test]
    fn what_is_of_no_use_is_left_out() {
        for value in [
            "right",
            "{CLEARTEXT}right",
            "{SSHA}",
            "{SSHA}!!!!",
            "{SASL}alice@corp",
            "{CRYPT}x",
            "{SSHA}0000",
            "{SHA}cmlnaHRyaWdodHJpZ2h0cmlnaHRyaWdodHJpZ2h0",
        ] {
            assert!(
                Stored::read(&[value.as_bytes().to_vec()]).is_empty(),
                "{value}"
            );
        }
        assert!(Stored::read(&[vec![0xff]]).is_empty());
    }
}
