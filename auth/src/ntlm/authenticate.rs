//! AUTHENTICATE, the client's second message (\[MS-NLMP\] §2.2.1.3), and the NTLMv2 response in it
//! (§2.2.2.8).

use std::fmt;

use super::Malformed;
use super::av_pair::AvPairs;
use super::flags::Flags;
use super::octets::Octets;
use super::text::Encoding;

/// The longest AUTHENTICATE that is looked at, in octets.
const MAX_AUTHENTICATE: usize = 16 * 1024;
/// Where the header of the oldest clients ends, before the version and the integrity code.
const HEADER: usize = 64;
/// Where the version and the integrity code end, when they are there.
const WITH_VERSION: usize = 72;
const WITH_CODE: usize = 88;
/// The length of a response of NTLMv1, with or without extended session security.
const V1: usize = 24;
/// The shortest NTLMv2 response: a proof, the fixed part, and the end of the pairs.
const MIN_V2: usize = 16 + 28 + 4;

/// A parsed AUTHENTICATE. Nothing of it has been proven.
#[derive(Clone)]
pub(crate) struct Authenticate {
    pub(crate) user: String,
    pub(crate) domain: String,
    /// For the log alone; a client says there what it wants.
    pub(crate) workstation: String,
    pub(crate) flags: Flags,
    pub(crate) response: Response,
    /// The encrypted session key, when it has the right length.
    pub(crate) session_key: Option<[u8; 16]>,
    /// Where the integrity code may stand: 64 without a version before it, else 72. None when
    /// something else stands there.
    code_at: Option<usize>,
    /// As received.
    pub(crate) raw: Vec<u8>,
}

/// What the client offers as proof.
#[derive(Clone)]
pub(crate) enum Response {
    /// No name and no response: "null session".
    Anonymous,
    /// LM or LMv2 alone: too weak to be looked at, and without integrity code and binding.
    LmOnly,
    /// NTLMv1: broken.
    V1(NtlmV1),
    /// NTLMv2.
    V2(NtlmV2),
}

/// An NTLMv1 response, with or without extended session security.
#[derive(Clone)]
pub(crate) struct NtlmV1 {
    /// The NT response.
    pub(crate) response: [u8; V1],
    /// The client's challenge, where extended session security was negotiated and it is there.
    pub(crate) client_challenge: Option<[u8; 8]>,
}

/// An NTLMv2 response.
#[derive(Clone)]
pub(crate) struct NtlmV2 {
    /// `NTProofStr`.
    pub(crate) proof: [u8; 16],
    /// What the proof is over, besides the challenge, exactly as received.
    pub(crate) temp: Vec<u8>,
}

impl Authenticate {
    pub(crate) fn parse(message: &[u8], encoding: Encoding) -> Result<Self, Malformed> {
        if message.len() > MAX_AUTHENTICATE {
            return Err(Malformed::TooLong);
        }
        let octets = Octets::of_type(message, 3)?;
        let [lm, nt, domain, user, workstation, key] = [12, 20, 28, 36, 44, 52]
            .map(|at| octets.field(at, HEADER))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
            .try_into()
            .map_err(|_| Malformed::Field)?;
        let flags = Flags::from_bits(octets.u32(60)?);
        let payload = [lm, nt, domain, user, workstation, key]
            .iter()
            .filter_map(|field| field.offset)
            .min()
            .unwrap_or(message.len());
        Ok(Self {
            user: encoding.decode(user.octets)?,
            domain: encoding.decode(domain.octets)?,
            workstation: encoding.decode(workstation.octets)?,
            flags,
            response: Response::of(user.octets, lm.octets, nt.octets)?,
            session_key: key.octets.try_into().ok(),
            code_at: code_at(flags, payload),
            raw: message.to_vec(),
        })
    }

    /// The integrity code, and the message with zeros in its place; none when there is no room for
    /// one before the payload.
    pub(crate) fn integrity_code(&self) -> Option<([u8; 16], Vec<u8>)> {
        let at = self.code_at?;
        let mut blank = self.raw.clone();
        let place = blank.get_mut(at..at + 16)?;
        let code = <[u8; 16]>::try_from(&*place).ok()?;
        place.fill(0);
        Some((code, blank))
    }
}

/// Windows of before Vista sends no code, and older clients no version either: the payload begins
/// where the header ends.
fn code_at(flags: Flags, payload: usize) -> Option<usize> {
    if payload >= WITH_CODE {
        Some(WITH_VERSION)
    } else if payload >= HEADER + 16 && !flags.contains(Flags::VERSION) {
        Some(HEADER)
    } else {
        None
    }
}

impl Response {
    fn of(user: &[u8], lm: &[u8], nt: &[u8]) -> Result<Self, Malformed> {
        match nt.len() {
            // §3.2.5.1.2: decided by the fields; the flag ANONYMOUS says nothing.
            0 if user.is_empty() && matches!(lm, [] | [0]) => Ok(Self::Anonymous),
            0 => Ok(Self::LmOnly),
            V1 => NtlmV1::parse(lm, nt).map(Self::V1),
            MIN_V2.. => NtlmV2::parse(nt).map(Self::V2),
            _ => Err(Malformed::Response),
        }
    }
}

impl NtlmV1 {
    /// With extended session security the LM response is the client's challenge and zeros.
    fn parse(lm: &[u8], nt: &[u8]) -> Result<Self, Malformed> {
        let challenge = lm.split_first_chunk().filter(|(_, rest)| **rest == [0; 16]);
        Ok(Self {
            response: nt.try_into().map_err(|_| Malformed::Response)?,
            client_challenge: challenge.map(|(challenge, _)| *challenge),
        })
    }
}

impl NtlmV2 {
    fn parse(response: &[u8]) -> Result<Self, Malformed> {
        let (proof, temp) = response.split_first_chunk().ok_or(Malformed::Response)?;
        let parsed = Self {
            proof: *proof,
            temp: temp.to_vec(),
        };
        if !temp.starts_with(&[1, 1]) {
            return Err(Malformed::Response);
        }
        parsed.pairs()?;
        Ok(parsed)
    }

    /// The time of the client's answer, in units of 100 ns since 1601.
    pub(crate) fn timestamp(&self) -> Result<u64, Malformed> {
        Octets(&self.temp).array(8).map(u64::from_le_bytes)
    }

    /// The pairs, which the proof protects: the client's own and those of the CHALLENGE.
    pub(crate) fn pairs(&self) -> Result<AvPairs<'_>, Malformed> {
        AvPairs::parse(self.temp.get(28..).unwrap_or_default())
    }
}

// Whoever has a response and its challenge can look for the password: none is printed.

impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticate")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::LmOnly => "LmOnly(redacted)",
            Self::V1(_) => "V1(redacted)",
            Self::V2(_) => "V2(redacted)",
        })
    }
}
