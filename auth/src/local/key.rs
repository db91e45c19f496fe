//! The key under which the users file keeps NT hashes: AES-256-GCM, one random nonce for each hash.
//!
//! The name of the account is sealed along, so that a hash that is moved to another user opens
//! nothing. The key stands in a file of its own, which should not be where copies of the users
//! file go. It is never printed.
#![expect(clippy::disallowed_types, reason = "this file is the key's")]

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::file::{Owner, give, sync_folder};
use super::stored::{SEALED_OCTETS, StoredNtHash};
use crate::scram::{new_secret, parse_secret, secret_text};
use crate::{NtHash, Secret};

/// The longest key file that is looked at, in octets.
const MAX_FILE: usize = 128;

/// The key of a users file: 32 octets, in its file as one line of base64.
#[derive(Clone, Debug)]
pub struct UsersKey(Secret);

/// A key file that cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system refused.
    #[error("{}: the key cannot be {what}: {source}{}", path.display(), remedy(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: "read", "written", ….
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read the key or replace it.
    #[error("{}: has mode {mode:03o}, so that others may read or write the key; run: chmod 600 {}",
            path.display(), path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something else stands in it.
    #[error("{}: is not a key; it is one line that `postern user key new` wrote", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system's source of random numbers failed.
    #[error("the system gave no random numbers; try again")]
    NoRandom,
}

fn remedy(source: &io::Error) -> &'static str {
    let kind = source.kind();
    if kind == io::ErrorKind::NotFound {
        "; `postern user key new FILE` makes one"
    } else if kind == io::ErrorKind::PermissionDenied {
        "; give it to the user under whom the server runs (chown), or hand it over as the systemd \
         credential postern-users.key"
    } else if kind == io::ErrorKind::AlreadyExists {
        "; a key that is in use is never written over"
    } else {
        ""
    }
}

impl UsersKey {
    /// Reads a key file. Its group may read it, as that of a systemd credential does.
    ///
    /// # Errors
    /// When it is not there, not a regular file, readable by all, or no key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let fault = |source: io::Error| io_error(path, "read", source);
        let damaged = || KeyError::Damaged { path: path.into() };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = rustix::fs::open(path, flags, Mode::empty());
        let file = file.map_err(|errno| fault(errno.into()))?;
        let stat = rustix::fs::fstat(&file).map_err(|errno| fault(errno.into()))?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(damaged());
        }
        if stat.st_mode & 0o027 != 0 {
            let mode = stat.st_mode & 0o777;
            let path = path.into();
            return Err(KeyError::Mode { path, mode });
        }
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE));
        let read = File::from(file)
            .take(MAX_FILE as u64)
            .read_to_string(&mut text);
        read.map_err(fault)?;
        parse_secret(text.trim_end()).map(Self).ok_or_else(damaged)
    }

    /// Makes a new key in a new file that only its owner can read: `owner`, or whoever makes it.
    ///
    /// # Errors
    /// When there is a file of this name already, or it cannot be made or given to `owner`.
    pub fn create(path: &Path, owner: Option<Owner>) -> Result<Self, KeyError> {
        let fault = |source: io::Error| io_error(path, "written", source);
        let key = new_secret().ok_or(KeyError::NoRandom)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR);
        let file = file.map_err(|errno| fault(errno.into()))?;
        let written = give(&file, owner).map_err(io::Error::from).and_then(|()| {
            let mut file = File::from(file);
            let line = Zeroizing::new(format!("{}\n", secret_text(&key)));
            file.write_all(line.as_bytes())?;
            file.sync_all()
        });
        if let Err(source) = written {
            // Half a key is none, and would stand in the way of the next attempt.
            let _ = std::fs::remove_file(path);
            return Err(fault(source));
        }
        // As durable as can be had: the key itself is whole.
        let _ = sync_folder(path);
        Ok(Self(key))
    }

    /// Seals the NT hash of an account, by its canonical name; none when the system has no random
    /// numbers.
    pub fn seal(&self, account: &str, hash: &NtHash) -> Option<StoredNtHash> {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).ok()?;
        let mut octets = Zeroizing::new(*hash.key().expose());
        let sealing = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .cipher()?
            .seal_in_place_separate_tag(sealing, Aad::from(about(account)), octets.as_mut())
            .ok()?;
        let sealed = [nonce.as_slice(), octets.as_slice(), tag.as_ref()].concat();
        sealed.try_into().ok().map(StoredNtHash::Sealed)
    }

    /// Opens what [`Self::seal`] sealed; none when it was another key or another account.
    fn open(&self, account: &str, sealed: &[u8; SEALED_OCTETS]) -> Option<NtHash> {
        let (nonce, rest) = sealed.split_first_chunk::<12>()?;
        let mut octets = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .cipher()?
            .open_in_place(nonce, Aad::from(about(account)), &mut octets)
            .ok()?;
        let octets: &[u8; 16] = (&*opened).try_into().ok()?;
        Some(NtHash::from_octets(*octets))
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, self.0.expose()).ok()?;
        Some(LessSafeKey::new(key))
    }
}

impl StoredNtHash {
    /// The hash of an account, by its canonical name; none when it is sealed and this is not its
    /// key, or not its account.
    pub fn open(&self, account: &str, key: Option<&UsersKey>) -> Option<NtHash> {
        match self {
            Self::Clear(hash) => Some(hash.clone()),
            Self::Sealed(sealed) => key?.open(account, sealed),
        }
    }
}

/// What is sealed along: whose it is, and what.
fn about(account: &str) -> String {
    format!("postern nt_hash 1 {account}")
}

fn io_error(path: &Path, what: &'static str, source: io::Error) -> KeyError {
    KeyError::Io {
        path: path.into(),
        what,
        source,
    }
}
