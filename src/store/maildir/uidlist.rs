//! The text of `dovecot-uidlist`, versions 1 and 3: lines to values and back.
//!
//! Knows no file. Every length is bounded by [`MAX_LINE`]. Keys that are not known here, in the
//! header or in an entry, are kept as they are.

use std::io::{self, BufRead};

use super::name;

/// The longest line that is looked at, in octets without the line end. Longer ones are damage.
pub const MAX_LINE: usize = 4096;

/// The first number that is not a uid any more.
pub const UID_LIMIT: u32 = u32::MAX;

/// What is wrong with an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There is no complete first line.
    #[error("it has no header line")]
    NoHeader,
    /// The header is not one of version 1 or 3.
    #[error("its header cannot be understood")]
    Header,
    /// The header does not say `V` or `N`.
    #[error("its header has no UIDVALIDITY (V) or no next uid (N)")]
    Incomplete,
    /// A line is not `uid keys :name`.
    #[error("line {0} cannot be understood")]
    Entry(u64),
    /// A uid is not above the one before.
    #[error("the uid in line {0} does not rise")]
    Order(u64),
    /// A line is longer than [`MAX_LINE`].
    #[error("line {0} is too long")]
    Length(u64),
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// 1 (Courier) or 3.
    pub version: u8,
    /// UIDVALIDITY: never changed while the index lives.
    pub validity: u32,
    /// The next uid, unless entries are beyond it.
    pub next: u32,
    /// All other keys, each with a blank before it.
    pub other: Vec<u8>,
}

/// How a header could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// It is broken.
    Damaged(Damage),
    /// It is a format that is newer than this program: nothing may be changed in it.
    Version(u64),
}

impl Header {
    /// Reads `3 V… N… …` or `1 validity next`.
    ///
    /// # Errors
    /// [`HeaderError`] when it is broken, or newer than this program.
    pub fn parse(line: &[u8]) -> Result<Self, HeaderError> {
        let broken = HeaderError::Damaged(Damage::Header);
        let mut words = line.split(|&octet| octet == b' ');
        match words.next().and_then(name::decimal) {
            Some(1) => Self::parse_courier(words).ok_or(broken),
            Some(3) => Self::parse_keys(words).map_err(HeaderError::Damaged),
            Some(version @ 4..=99) => Err(HeaderError::Version(version)),
            _ => Err(broken),
        }
    }

    fn parse_courier<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let validity = words.next().and_then(positive)?;
        let next = words.next().and_then(positive)?;
        words.next().is_none().then_some(Self {
            version: 1,
            validity,
            next,
            other: Vec::new(),
        })
    }

    fn parse_keys<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Self, Damage> {
        let (mut validity, mut next, mut other) = (None, None, Vec::new());
        for word in words.filter(|word| !word.is_empty()) {
            let known = match word {
                [b'V', digits @ ..] => Some((&mut validity, digits)),
                [b'N', digits @ ..] => Some((&mut next, digits)),
                _ => None,
            };
            if let Some((slot, digits)) = known {
                let number = positive(digits).ok_or(Damage::Header)?;
                if slot.replace(number).is_some() {
                    return Err(Damage::Header);
                }
            } else {
                other.push(b' ');
                other.extend_from_slice(word);
            }
        }
        let (Some(validity), Some(next)) = (validity, next) else {
            return Err(Damage::Incomplete);
        };
        Ok(Self {
            version: 3,
            validity,
            next,
            other,
        })
    }

    /// Appends the line, always as version 3.
    pub fn print(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("3 V{} N{}", self.validity, self.next).as_bytes());
        out.extend_from_slice(&self.other);
        out.push(b'\n');
    }
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Above 0, below [`UID_LIMIT`].
    pub uid: u32,
    /// The keys as they stand, separated by single or more blanks.
    pub keys: &'a [u8],
    /// The file's name without flags.
    pub base: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Reads a line of the version that the header says.
    pub fn parse(line: &'a [u8], version: u8) -> Option<Self> {
        let blank = memchr::memchr(b' ', line)?;
        let (digits, rest) = line.split_at_checked(blank)?;
        let uid = positive(digits).filter(|uid| *uid < UID_LIMIT)?;
        let (keys, name) = if version == 1 {
            (&b""[..], rest.get(1..)?)
        } else {
            // The colon behind a blank; a search for both is dearer, for a line this short.
            let after_blank =
                |at: &usize| at.checked_sub(1).and_then(|at| rest.get(at)) == Some(&b' ');
            let colon = memchr::memchr_iter(b':', rest).find(after_blank)?;
            (without_blanks(rest.get(..colon)?), rest.get(colon + 1..)?)
        };
        let base = name::base(name);
        let possible = !base.is_empty()
            && base.len() <= 255
            && memchr::memchr3(b'/', 0, b'\r', base).is_none();
        possible.then_some(Self { uid, keys, base })
    }

    /// The value of a key; the last one if it stands twice.
    pub fn value(&self, key: u8) -> Option<&'a [u8]> {
        self.keys
            .split(|&octet| octet == b' ')
            .filter_map(|word| word.split_first())
            .filter(|(name, _)| **name == key)
            .map(|(_, value)| value)
            .next_back()
    }

    /// Whether its imported id (`P`) was crossed out: UIDL shows the uid, whatever `P` says.
    pub fn is_crossed_out(&self) -> bool {
        self.keys
            .split(|&octet| octet == b' ')
            .any(|word| word == b"XP")
    }

    /// Appends the line in the form of version 3, with more keys in front of the others, unless it
    /// would be too long to be read again.
    pub fn print(&self, more: More, out: &mut Vec<u8>) {
        let before = out.len();
        out.extend_from_slice(self.uid.to_string().as_bytes());
        if let Some((key, size)) = more.size {
            out.extend_from_slice(&[b' ', key]);
            out.extend_from_slice(size.to_string().as_bytes());
        }
        if more.cross_out {
            out.extend_from_slice(b" XP");
        }
        if !self.keys.is_empty() {
            out.push(b' ');
            out.extend_from_slice(self.keys);
        }
        out.extend_from_slice(b" :");
        out.extend_from_slice(self.base);
        out.push(b'\n');
        if out.len() - before > MAX_LINE + 1 && more != More::default() {
            out.truncate(before);
            self.print(More::default(), out);
        }
    }
}

/// What an entry gets that it did not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct More {
    /// A size: `S` or `W`, and the octets.
    pub size: Option<(u8, u64)>,
    /// `XP`: its imported id is another message's, too. The key is our own; Dovecot keeps it.
    pub cross_out: bool,
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By LF.
    Whole,
    /// By the end of the file: an append that was cut off, or is under way.
    Torn,
    /// Not within [`MAX_LINE`].
    TooLong,
}

/// Cuts a file into lines in constant memory.
pub struct Lines<R> {
    source: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Begins at the source's position.
    pub fn new(source: R) -> Self {
        Self {
            source,
            line: Vec::new(),
        }
    }

    /// The next line without its end; none at the end of the file.
    ///
    /// # Errors
    /// Those of the source.
    #[expect(
        clippy::should_implement_trait,
        reason = "the line is lent, which an iterator cannot do"
    )]
    pub fn next(&mut self) -> io::Result<Option<(End, &[u8])>> {
        self.line.clear();
        let mut too_long = false;
        loop {
            let block = self.source.fill_buf()?;
            if block.is_empty() {
                let none = self.line.is_empty() && !too_long;
                return Ok((!none).then_some((End::Torn, self.line.as_slice())));
            }
            let end = memchr::memchr(b'\n', block);
            let part = block.get(..end.unwrap_or(block.len())).unwrap_or(block);
            too_long |= self.line.len() + part.len() > MAX_LINE;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.source.consume(used);
            if end.is_some() {
                let end = if too_long { End::TooLong } else { End::Whole };
                return Ok(Some((end, self.line.as_slice())));
            }
        }
    }
}

/// The uid at the start of a torn line, if it was written whole.
pub fn torn_uid(line: &[u8]) -> Option<u32> {
    let blank = memchr::memchr(b' ', line)?;
    positive(line.get(..blank)?)
}

/// Without the blanks around it. Nothing else goes: behind another octet may stand a colon, which
/// would become the beginning of the name when the entry is printed.
fn without_blanks(mut keys: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = keys {
        keys = rest;
    }
    keys
}

fn positive(digits: &[u8]) -> Option<u32> {
    u32::try_from(name::decimal(digits)?)
        .ok()
        .filter(|number| *number > 0)
}
