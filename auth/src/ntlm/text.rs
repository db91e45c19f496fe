//! Texts of the messages: UTF-16LE or OEM, and Windows' upper case.

use super::Malformed;

/// The longest name in a message, in octets.
const MAX_TEXT: usize = 512;

/// How a client writes its names, as the CHALLENGE said. The flags of AUTHENTICATE are not asked:
/// some clients set both there, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-16LE.
    Unicode,
    /// The client's code page, which nothing names. Only its ASCII part can be understood.
    Oem,
}

impl Encoding {
    /// A name out of AUTHENTICATE. It never contains NUL or another control character, as it goes
    /// into look-ups and into the log.
    pub(crate) fn decode(self, octets: &[u8]) -> Result<String, Malformed> {
        if octets.len() > MAX_TEXT {
            return Err(Malformed::TooLong);
        }
        let text = match self {
            Self::Unicode => {
                let (units, rest) = octets.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err(Malformed::Text);
                }
                let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
                char::decode_utf16(units)
                    .collect::<Result<String, _>>()
                    .map_err(|_| Malformed::Text)?
            }
            Self::Oem if octets.is_ascii() => octets.iter().copied().map(char::from).collect(),
            Self::Oem => return Err(Malformed::Text),
        };
        if text.chars().any(char::is_control) {
            return Err(Malformed::Text);
        }
        Ok(text)
    }

    /// A name for CHALLENGE. In OEM, what is not ASCII becomes `?`: it is for display only.
    pub(crate) fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Unicode => utf16(text),
            Self::Oem => text
                .chars()
                .map(|letter| u8::try_from(letter).ok().filter(u8::is_ascii))
                .map(|octet| octet.unwrap_or(b'?'))
                .collect(),
        }
    }
}

/// UTF-16LE without a byte order mark.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The upper case of Windows: one code unit becomes one code unit, in every locale alike. `ß`
/// stays as it is, and so does every letter beyond the basic plane.
pub(crate) fn upper(text: &str) -> String {
    text.chars().map(upper_letter).collect()
}

/// Windows leaves letters alone whose upper case belongs to another letter (`ı`, `ſ`, `µ`), but
/// not the final sigma.
fn upper_letter(letter: char) -> char {
    let Some(upper) = single(letter.to_uppercase()) else {
        return letter;
    };
    let returns = single(upper.to_lowercase()) == Some(letter) || letter == 'ς';
    if returns && u32::from(upper) < 0x1_0000 {
        upper
    } else {
        letter
    }
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}
