//! What a keytab holds: principals, key versions and encryption types, and never a key.
//!
//! MIT's library opens the file itself for each login. This reader answers what the library does
//! not: whether there is a key that can be used, and what to tell an administrator when a client
//! comes with another. The format is MIT's version 2 (0x0502), which all tools write.
#![expect(clippy::disallowed_types, reason = "this file reads the keytab")]

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::enctype::Enctype;
use super::principal::Principal;

/// The largest keytab that is read, in octets.
const MAX_FILE: u64 = 1024 * 1024;
/// The most keys that are looked at.
const MAX_KEYS: usize = 4096;

/// One key, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeytabKey {
    /// Whose key it is.
    pub principal: Principal,
    /// The key version number.
    pub kvno: u32,
    /// What it is for.
    pub enctype: Enctype,
}

impl fmt::Display for KeytabKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kvno {} {}", self.principal, self.kvno, self.enctype)
    }
}

/// The keys of one file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keytab {
    /// The keys.
    pub keys: Vec<KeytabKey>,
}

/// Why a keytab cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeytabError {
    /// It is not there.
    #[error("there is no keytab {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The server's user may not read it, or the disk fails.
    #[error("the keytab {} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is no keytab, or one that was cut off.
    #[error("{} is not a keytab, or was cut off", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

impl Keytab {
    /// Reads a keytab.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is no keytab of at most 1 MiB.
    pub fn read(path: &Path) -> Result<Self, KeytabError> {
        let unreadable = |error: io::Error| {
            let path = path.into();
            if error.kind() == io::ErrorKind::NotFound {
                KeytabError::Missing { path }
            } else {
                KeytabError::Unreadable { path, error }
            }
        };
        let malformed = || KeytabError::Malformed { path: path.into() };
        let file = File::open(path).map_err(unreadable)?;
        let about = file.metadata().map_err(unreadable)?;
        if !about.is_file() || about.len() > MAX_FILE {
            return Err(malformed());
        }
        // With its full room from the beginning: a buffer that grew would leave keys behind.
        let room = usize::try_from(about.len())
            .map_err(|_| malformed())?
            .saturating_add(1);
        let mut octets = Zeroizing::new(Vec::with_capacity(room));
        file.take(about.len())
            .read_to_end(&mut octets)
            .map_err(unreadable)?;
        Self::parse(&octets).ok_or_else(malformed)
    }

    /// Takes the octets of a keytab apart.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let mut rest = Octets(octets.strip_prefix(&[5, 2])?);
        let mut keys = Vec::new();
        while !rest.0.is_empty() {
            let size = i32::from_be_bytes(rest.array()?);
            let entry = rest.take(usize::try_from(size.unsigned_abs()).ok()?)?;
            // A negative size is a hole that a removed key left; nothing follows a zero.
            match size {
                0 => break,
                ..0 => {}
                1.. if keys.len() >= MAX_KEYS => return None,
                1.. => keys.push(key(Octets(entry))?),
            }
        }
        Some(Self { keys })
    }
}

fn key(mut entry: Octets<'_>) -> Option<KeytabKey> {
    let count = usize::from(u16::from_be_bytes(entry.array()?));
    let realm = entry.text()?;
    let components: Option<Vec<String>> = (0..count.min(16)).map(|_| entry.text()).collect();
    let principal = Principal::new(components?, realm)?;
    let _name_type: [u8; 4] = entry.array()?;
    let _written_at: [u8; 4] = entry.array()?;
    let [short_kvno] = entry.array()?;
    let enctype = Enctype(i32::from(i16::from_be_bytes(entry.array()?)));
    let length = usize::from(u16::from_be_bytes(entry.array()?));
    entry.take(length)?;
    // The version had one octet once; the whole one stands at the end, unless it is zero.
    let kvno = entry.array().map_or(0, u32::from_be_bytes);
    let kvno = if kvno == 0 {
        u32::from(short_kvno)
    } else {
        kvno
    };
    Some(KeytabKey {
        principal,
        kvno,
        enctype,
    })
}

struct Octets<'a>(&'a [u8]);

impl<'a> Octets<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One entry: `pop/mail@R`, kvno 3 (in one octet) or `long`, AES256, a key of four octets.
    fn entry(long: Option<u32>) -> Vec<u8> {
        let mut entry = vec![
            0, 2, 0, 1, b'R', 0, 3, b'p', b'o', b'p', 0, 4, b'm', b'a', b'i', b'l',
        ];
        entry.extend([0, 0, 0, 1, 9, 9, 9, 9, 3, 0, 18, 0, 4, 1, 2, 3, 4]);
        entry.extend(long.into_iter().flat_map(u32::to_be_bytes));
        entry
    }

    fn file(pieces: &[(i32, &[u8])]) -> Vec<u8> {
        let mut file = vec![5, 2];
        for (size, octets) in pieces {
            file.extend(size.to_be_bytes());
            file.extend(*octets);
        }
        file
    }

    fn sized(entry: &[u8]) -> (i32, &[u8]) {
        (i32::try_from(entry.len()).unwrap(), entry)
    }

    #[test]
    fn keys_are_listed_and_holes_are_not() {
        let (short, long) = (entry(None), entry(Some(300)));
        let keytab = Keytab::parse(&file(&[sized(&short), (-3, &[7; 3]), sized(&long)])).unwrap();
        let lines: Vec<_> = keytab.keys.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "pop/mail@R kvno 3 aes256-cts-hmac-sha1-96",
                "pop/mail@R kvno 300 aes256-cts-hmac-sha1-96"
            ]
        );
    }

    #[test]
    fn a_part_of_a_keytab_is_none() {
        let whole = file(&[sized(&entry(Some(3)))]);
        for cut in 3..whole.len() {
            assert_eq!(Keytab::parse(&whole[..cut]), None, "{cut} octets");
        }
        assert_eq!(Keytab::parse(b"\x05\x01"), None, "the old format");
        assert_eq!(Keytab::parse(b"[libdefaults]"), None);
        assert_eq!(Keytab::parse(&file(&[(i32::MIN, &[])])), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Keytab::parse(&octets);
            let _ = Keytab::parse(&[&[5, 2], octets.as_slice()].concat());
        }
    }
}
