//! CHALLENGE, the server's message (\[MS-NLMP\] §2.2.1.2, §3.2.5.1.1).

use super::Malformed;
use super::av_pair::{AvPairs, id, push};
use super::flags::{Flags, answer};
use super::negotiate::Negotiate;
use super::octets::{Octets, SIGNATURE};
use super::text::{Encoding, utf16};

/// Where the field of the pairs stands.
const TARGET_INFO: usize = 40;
/// Where the payload begins: after the version, which is always there.
const PAYLOAD: usize = 56;
/// The version that every server of this kind shows to anyone: 10.0, NTLM revision 15. It says
/// nothing about this one.
const VERSION: [u8; 8] = [10, 0, 0, 0, 0, 0, 0, 15];

/// The names that the server shows to anyone who asks. They come from the configuration; where a domain
/// controller verifies, the first two must be those of the membership
/// ([`JoinedNames`](crate::JoinedNames)), else nothing in them need be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtlmNames {
    /// The NetBIOS name of the domain; without a domain the server speaks for itself.
    pub domain: Option<String>,
    /// The NetBIOS name of the server.
    pub computer: String,
    /// The DNS name of the domain; none means that it is not told.
    pub dns_domain: Option<String>,
    /// The DNS name of the server.
    pub dns_computer: String,
}

/// A CHALLENGE that was sent, for one attempt on one connection, and never again.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) server_challenge: [u8; 8],
    pub(crate) flags: Flags,
    /// The timestamp in it, in units of 100 ns since 1601.
    pub(crate) timestamp: u64,
    /// The pairs in it, as sent: a client repeats them in its answer.
    pub(crate) target_info: Vec<u8>,
    /// As sent: the integrity code of AUTHENTICATE is over these octets.
    pub(crate) raw: Vec<u8>,
}

impl Challenge {
    /// The answer to what a client can do.
    pub(crate) fn answer(
        negotiate: &Negotiate,
        names: &NtlmNames,
        server_challenge: [u8; 8],
        timestamp: u64,
    ) -> Result<Self, Malformed> {
        let (target, target_type) = match &names.domain {
            Some(domain) => (domain, Flags::TARGET_TYPE_DOMAIN),
            None => (&names.computer, Flags::TARGET_TYPE_SERVER),
        };
        let flags = answer(negotiate.flags, target_type).ok_or(Malformed::Unsupported)?;
        let target = encoding(flags).encode(target);
        let target_info = target_info(names, timestamp);
        let raw = write(&target, flags, server_challenge, &target_info)?;
        Ok(Self {
            server_challenge,
            flags,
            timestamp,
            target_info,
            raw,
        })
    }

    /// How the client writes its names.
    pub(crate) fn encoding(&self) -> Encoding {
        encoding(self.flags)
    }
}

fn encoding(flags: Flags) -> Encoding {
    if flags.contains(Flags::UNICODE) {
        Encoding::Unicode
    } else {
        Encoding::Oem
    }
}

/// Both NetBIOS names must be there for clients that keep integrity. The timestamp makes a client
/// send an integrity code, and no LMv2 response; it is always sent.
fn target_info(names: &NtlmNames, timestamp: u64) -> Vec<u8> {
    let domain = names.domain.as_ref().unwrap_or(&names.computer);
    let mut list = Vec::new();
    push(&mut list, id::NB_DOMAIN_NAME, &utf16(domain));
    push(&mut list, id::NB_COMPUTER_NAME, &utf16(&names.computer));
    if let Some(dns_domain) = &names.dns_domain {
        push(&mut list, id::DNS_DOMAIN_NAME, &utf16(dns_domain));
    }
    push(
        &mut list,
        id::DNS_COMPUTER_NAME,
        &utf16(&names.dns_computer),
    );
    if let (Some(dns_domain), Some(_)) = (&names.dns_domain, &names.domain) {
        push(&mut list, id::DNS_TREE_NAME, &utf16(dns_domain));
    }
    push(&mut list, id::TIMESTAMP, &timestamp.to_le_bytes());
    push(&mut list, id::EOL, &[]);
    list
}

/// The NetBIOS names of the domain and of the computer in somebody else's CHALLENGE that is in Unicode.
pub(crate) fn netbios_names(challenge: &[u8]) -> Option<(String, String)> {
    let octets = Octets::of_type(challenge, 2).ok()?;
    let target_info = octets.field(TARGET_INFO, TARGET_INFO + 8).ok()?.octets;
    let pairs = AvPairs::parse(target_info).ok()?;
    let name = |kind| Encoding::Unicode.decode(pairs.get(kind)?).ok();
    Some((name(id::NB_DOMAIN_NAME)?, name(id::NB_COMPUTER_NAME)?))
}

fn write(
    target: &[u8],
    flags: Flags,
    server_challenge: [u8; 8],
    target_info: &[u8],
) -> Result<Vec<u8>, Malformed> {
    let mut raw = Vec::with_capacity(PAYLOAD + target.len() + target_info.len());
    raw.extend_from_slice(&SIGNATURE);
    raw.extend_from_slice(&2_u32.to_le_bytes());
    raw.extend_from_slice(&fields(target.len(), PAYLOAD)?);
    raw.extend_from_slice(&flags.bits().to_le_bytes());
    raw.extend_from_slice(&server_challenge);
    raw.extend_from_slice(&[0; 8]);
    raw.extend_from_slice(&fields(target_info.len(), PAYLOAD + target.len())?);
    let version = if flags.contains(Flags::VERSION) {
        VERSION
    } else {
        [0; 8]
    };
    raw.extend_from_slice(&version);
    raw.extend_from_slice(target);
    raw.extend_from_slice(target_info);
    Ok(raw)
}

/// Length, maximal length and offset.
fn fields(length: usize, offset: usize) -> Result<[u8; 8], Malformed> {
    let length = u16::try_from(length).map_err(|_| Malformed::TooLong)?;
    let offset = u32::try_from(offset).map_err(|_| Malformed::TooLong)?;
    let mut octets = [0; 8];
    octets[..2].copy_from_slice(&length.to_le_bytes());
    octets[2..4].copy_from_slice(&length.to_le_bytes());
    octets[4..].copy_from_slice(&offset.to_le_bytes());
    Ok(octets)
}
