//! A keytab: as many keys are read as are in it, none of their octets is ever shown, and written
//! again they are the same. The input is the file.

use std::cell::RefCell;
use std::io::{Seek, Write};

use postern_auth::{Keytab, KeytabError, KeytabKey};
use tempfile::NamedTempFile;

use super::principal::parts;

/// Reads the file, and one that is made of what was read.
pub fn run(octets: &[u8]) {
    let entries = entries(octets);
    let keytab = match read(octets) {
        Ok(keytab) => keytab,
        Err(error) => {
            assert!(matches!(error, KeytabError::Malformed { .. }), "{error}");
            return;
        }
    };
    let entries = entries.expect("a keytab");
    assert_eq!(keytab.keys.len(), entries.len());
    for (key, entry) in keytab.keys.iter().zip(&entries) {
        for part in parts(&key.principal.to_string()) {
            assert!(
                entry
                    .windows(part.len())
                    .any(|octets| octets == part.as_bytes())
            );
        }
    }
    let again = [
        &[5, 2][..],
        &keytab.keys.iter().flat_map(write).collect::<Vec<_>>(),
    ]
    .concat();
    assert_eq!(read(&again).expect("what was written"), keytab);
    if !keytab.keys.is_empty() {
        assert!(read(&again[..again.len() - 1]).is_err(), "it was cut off");
    }
}

/// The entries that are no holes (MIT's format 0x0502); none when the sizes do not fit.
fn entries(octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = octets.strip_prefix(b"\x05\x02")?;
    let mut entries = Vec::new();
    while let Some((size, behind)) = rest.split_first_chunk() {
        let size = i32::from_be_bytes(*size);
        if size == 0 {
            return Some(entries);
        }
        let length = usize::try_from(size.unsigned_abs()).ok()?;
        let (entry, behind) = behind.split_at_checked(length)?;
        rest = behind;
        if size > 0 {
            entries.push(entry);
        }
    }
    rest.is_empty().then_some(entries)
}

/// An entry with a key of four octets.
fn write(key: &KeytabKey) -> Vec<u8> {
    let mut parts = parts(&key.principal.to_string());
    let realm = parts.pop().expect("a realm");
    let counted = |text: &String| {
        let length = u16::try_from(text.len()).expect("a part of a file");
        [&length.to_be_bytes()[..], text.as_bytes()].concat()
    };
    let count = u16::try_from(parts.len()).expect("at most eight");
    let mut entry = count.to_be_bytes().to_vec();
    entry.extend(counted(&realm));
    entry.extend(parts.iter().flat_map(counted));
    entry.extend([0, 0, 0, 1, 9, 9, 9, 9, 0]);
    let enctype = i16::try_from(key.enctype.0).expect("16 bits of it are read");
    entry.extend(enctype.to_be_bytes());
    entry.extend([0, 4, 1, 2, 3, 4]);
    entry.extend(key.kvno.to_be_bytes());
    let size = i32::try_from(entry.len()).expect("a part of a file");
    [&size.to_be_bytes()[..], &entry].concat()
}

thread_local! {
    static FILE: RefCell<NamedTempFile> =
        RefCell::new(NamedTempFile::new().expect("a temporary file"));
}

/// Through a real file, as only that can be read.
fn read(octets: &[u8]) -> Result<Keytab, KeytabError> {
    FILE.with_borrow_mut(|file| {
        let written = file.as_file().set_len(0).and_then(|()| {
            file.rewind()?;
            file.write_all(octets)
        });
        written.expect("a temporary file can be written");
        Keytab::read(file.path())
    })
}
