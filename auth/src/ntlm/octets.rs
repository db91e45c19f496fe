//! Reading the three messages: little-endian numbers and fields, never past the end
//! (\[MS-NLMP\] §2.2).

use super::Malformed;

/// What every message begins with.
pub(crate) const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// A whole message. Every reading is bounded by it, and nothing is taken that was not asked for.
#[derive(Clone, Copy)]
pub(crate) struct Octets<'a>(pub(crate) &'a [u8]);

impl<'a> Octets<'a> {
    /// Checks the signature and the message's type.
    pub(crate) fn of_type(message: &'a [u8], number: u32) -> Result<Self, Malformed> {
        let octets = Self(message);
        if octets.array(0)? != SIGNATURE || octets.u32(8)? != number {
            return Err(Malformed::Header);
        }
        Ok(octets)
    }

    pub(crate) fn array<const N: usize>(self, at: usize) -> Result<[u8; N], Malformed> {
        self.part(at, N)?
            .try_into()
            .map_err(|_| Malformed::Truncated)
    }

    pub(crate) fn u16(self, at: usize) -> Result<u16, Malformed> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(self, at: usize) -> Result<u32, Malformed> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The field whose length and offset stand at `at`; none when it is empty, whatever its offset
    /// says. The maximal length is ignored, as the specification demands. A field may lie over
    /// another one, but not over the first `header` octets.
    pub(crate) fn field(self, at: usize, header: usize) -> Result<Field<'a>, Malformed> {
        let length = usize::from(self.u16(at)?);
        if length == 0 {
            return Ok(Field::default());
        }
        let offset = usize::try_from(self.u32(at + 4)?).map_err(|_| Malformed::Field)?;
        if offset < header {
            return Err(Malformed::Field);
        }
        let octets = self.part(offset, length).map_err(|_| Malformed::Field)?;
        Ok(Field {
            octets,
            offset: Some(offset),
        })
    }

    fn part(self, at: usize, length: usize) -> Result<&'a [u8], Malformed> {
        let end = at.checked_add(length).ok_or(Malformed::Truncated)?;
        self.0.get(at..end).ok_or(Malformed::Truncated)
    }
}

/// A field and where it stands; an empty one stands nowhere.
#[derive(Clone, Copy, Default)]
pub(crate) struct Field<'a> {
    pub(crate) octets: &'a [u8],
    pub(crate) offset: Option<usize>,
}
