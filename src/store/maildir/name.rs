//! A file name in `cur` or `new`, taken apart: `base:2,FLAGS`.
//!
//! Names are octets; nothing is decoded. The base name is what comes before the first `:` and never
//! changes while a message lives (<https://cr.yp.to/proto/maildir.html>).

/// Whether a file of this name can be mail. Names with a leading dot are not, by the Maildir
/// specification; names without a base or with LF or CR cannot stand in the index.
pub fn is_mail(name: &[u8]) -> bool {
    !matches!(name.first(), None | Some(b'.' | b':'))
        && name.len() <= 255
        && memchr::memchr3(b'\n', b'\r', b'/', name).is_none()
        && memchr::memchr(0, name).is_none()
}

/// The part that stays the same while flags change.
pub fn base(name: &[u8]) -> &[u8] {
    let end = memchr::memchr(b':', name).unwrap_or(name.len());
    name.get(..end).unwrap_or(name)
}

/// The flags behind `:2,`, or nothing.
pub fn flags(name: &[u8]) -> &[u8] {
    name.get(base(name).len()..)
        .and_then(|info| info.strip_prefix(b":2,"))
        .unwrap_or_default()
}

/// The number behind `,S=` (octets on disk) or `,W=` (octets on the wire) in a base name.
pub fn number(base: &[u8], key: u8) -> Option<u64> {
    let told = base.get(memchr::memchr(b',', base)? + 1..)?;
    told.split(|&octet| octet == b',')
        .find_map(|part| match part {
            [name, b'=', digits @ ..] if *name == key => decimal(digits),
            _ => None,
        })
}

/// When a message was delivered, as its name tells: seconds, then microseconds (`M` in the second
/// part). A name that does not begin with a number counts as oldest.
pub fn delivered(base: &[u8]) -> (u64, u64) {
    let mut parts = base.split(|&octet| octet == b'.');
    let seconds = parts.next().and_then(decimal).unwrap_or(0);
    let unique = parts.next().unwrap_or_default();
    let micros = memchr::memchr(b'M', unique)
        .and_then(|at| unique.get(at + 1..))
        .map(leading_digits)
        .and_then(decimal)
        .unwrap_or(0);
    (seconds, micros)
}

/// A decimal number of 1 to 19 digits.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, &octet| {
        let digit = octet.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        sum.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

fn leading_digits(octets: &[u8]) -> &[u8] {
    let end = octets.iter().position(|octet| !octet.is_ascii_digit());
    octets
        .get(..end.unwrap_or(octets.len()))
        .unwrap_or_default()
}
