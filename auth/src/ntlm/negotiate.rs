//! NEGOTIATE, the client's first message (\[MS-NLMP\] §2.2.1.1).

use super::Malformed;
use super::flags::Flags;
use super::octets::Octets;

/// The longest NEGOTIATE that is looked at, in octets. It holds two names at most.
const MAX_NEGOTIATE: usize = 2048;

/// What the client can do. Only its flags matter, and its octets for the integrity code: names and
/// version in it are guesses of the client's that nothing may depend on, and old clients end the
/// message before them (16, 32, 37 and 40 octets are seen).
#[derive(Clone, Debug)]
pub(crate) struct Negotiate {
    pub(crate) flags: Flags,
    /// As received: the integrity code of AUTHENTICATE is over these octets.
    pub(crate) raw: Vec<u8>,
}

impl Negotiate {
    pub(crate) fn parse(message: &[u8]) -> Result<Self, Malformed> {
        if message.len() > MAX_NEGOTIATE {
            return Err(Malformed::TooLong);
        }
        let flags = Octets::of_type(message, 1)?.u32(12)?;
        Ok(Self {
            flags: Flags::from_bits(flags),
            raw: message.to_vec(),
        })
    }
}
