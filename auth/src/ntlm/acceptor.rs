//! Judging an AUTHENTICATE (\[MS-NLMP\] §3.2.5.1.2): the proof, and what the session key protects.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::Malformed;
use super::authenticate::{Authenticate, NtlmV1, NtlmV2};
use super::av_pair::{AvPairs, id};
use super::challenge::Challenge;
use super::flags::Flags;
use super::keys::{self, Key};
use super::legacy;
use super::negotiate::Negotiate;
use super::text::{upper, utf16};
use crate::letters;

/// Bits of MsvAvFlags (§2.2.2.1).
const HAS_INTEGRITY_CODE: u32 = 0x2;
const TARGET_UNTRUSTED: u32 = 0x4;
/// Units of FILETIME in a second.
const TICKS: u64 = 10_000_000;
/// What stands in a binding that a client does not use.
const NO_BINDING: [u8; 16] = [0; 16];

/// What a response must satisfy besides its proof.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demands {
    /// Whether a client must protect the messages with an integrity code. Many cannot.
    pub(crate) integrity: bool,
    /// Seconds that the client's clock may differ; 0 means that it is not looked at.
    pub(crate) window: u64,
    /// Service names that a client may have meant, `pop/host`; none means that all may.
    pub(crate) targets: Vec<String>,
}

/// Why a proven response is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// A message was changed on its way.
    Integrity,
    /// No integrity code where one is demanded.
    NoIntegrity,
    /// Made at another time.
    Stale,
    /// Made for a server of another name.
    OtherServer,
    /// Its pairs or its key cannot be read.
    Malformed,
}

impl From<Malformed> for Weakness {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// What a response says of itself; true only when its proof is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Says {
    /// That the messages are protected with an integrity code.
    pub(crate) integrity: bool,
    /// The certificate to which the client is bound, as [`binding`] writes it.
    pub(crate) binding: Option<[u8; 16]>,
}

impl NtlmV2 {
    /// What it says of itself.
    pub(crate) fn says(&self) -> Result<Says, Malformed> {
        let pairs = self.pairs()?;
        let bits = pairs.array(id::FLAGS)?.map_or(0, u32::from_le_bytes);
        let binding = pairs.array(id::CHANNEL_BINDINGS)?;
        Ok(Says {
            integrity: bits & HAS_INTEGRITY_CODE != 0,
            binding: binding.filter(|binding| *binding != NO_BINDING),
        })
    }
}

/// The three messages of an exchange.
#[derive(Clone, Debug)]
pub(crate) struct Transcript {
    pub(crate) negotiate: Negotiate,
    pub(crate) challenge: Challenge,
    pub(crate) authenticate: Authenticate,
}

impl Transcript {
    /// The session key, if the response was made with this hash. The domain counts as the client
    /// sent it, in upper case, or not at all (§3.2.5.1.2 asks for the last). All are computed
    /// whatever matches, so that time tells nothing.
    pub(crate) fn prove(&self, response: &NtlmV2, nt_hash: &Key) -> Option<Key> {
        let domain = &self.authenticate.domain;
        let mut proven = None;
        for domain in [domain.as_str(), &upper(domain), ""] {
            let key = keys::response_key(nt_hash, &self.authenticate.user, domain);
            let challenge = &self.challenge.server_challenge;
            let proof = keys::proof(&key, challenge, &response.temp);
            let session = keys::session_base_key(&key, proof.expose());
            if proof.is(&response.proof) {
                proven = Some(session);
            }
        }
        proven
    }

    /// Whether a directory looks the name up as a domain controller does, who knows no difference but
    /// case. Another spelling of a letter is another user there: whose proof is right must not reach
    /// the account of a namesake here.
    pub(crate) fn is_plainly_spelled(&self) -> bool {
        let plain = |text: &str| upper(&letters::spelled(text)) == upper(text);
        plain(&self.authenticate.user) && plain(&self.authenticate.domain)
    }

    /// Whether an NTLMv1 response was made with this hash.
    pub(crate) fn proves_v1(&self, response: &NtlmV1, nt_hash: &Key) -> bool {
        let right = legacy::response(nt_hash, &self.v1_challenge(response));
        right.ct_eq(&response.response).into()
    }

    /// The challenge that an NTLMv1 response answers: ours, or a digest of it and the client's own
    /// where extended session security was negotiated (§3.3.1).
    pub(crate) fn v1_challenge(&self, response: &NtlmV1) -> [u8; 8] {
        let flags = self.authenticate.flags.and(self.challenge.flags);
        match response.client_challenge {
            Some(client) if flags.contains(Flags::EXTENDED_SESSION_SECURITY) => {
                legacy::session_challenge(&self.challenge.server_challenge, &client)
            }
            Some(_) | None => self.challenge.server_challenge,
        }
    }

    /// What else must hold of a response whose proof is right.
    pub(crate) fn judge(
        &self,
        response: &NtlmV2,
        session_base_key: &Key,
        demands: &Demands,
        now: u64,
    ) -> Result<(), Weakness> {
        let pairs = response.pairs()?;
        let bits = pairs.array(id::FLAGS)?.map_or(0, u32::from_le_bytes);
        // §3.2.5.1.2: SEC_E_INVALID_TOKEN.
        if self.must_exchange() && self.authenticate.session_key.is_none() {
            return Err(Weakness::Malformed);
        }
        // Decided by the flag, which the proof protects, and never by the length of the message:
        // a code that was cut off on the way is missed.
        if response.says()?.integrity {
            self.check_integrity(session_base_key)?;
        } else if demands.integrity {
            return Err(Weakness::NoIntegrity);
        }
        self.check_time(response, &pairs, demands.window, now)?;
        self.check_names(&pairs)?;
        if bits & TARGET_UNTRUSTED == 0 {
            check_target(&pairs, &demands.targets)?;
        }
        Ok(())
    }

    /// Whether there must be an encrypted session key: exchanged only with SIGN or SEAL (§3.2.5.1.2).
    fn must_exchange(&self) -> bool {
        let flags = self.authenticate.flags.and(self.challenge.flags);
        flags.contains(Flags::KEY_EXCHANGE) && flags.intersects(Flags::SIGN | Flags::SEAL)
    }

    fn check_integrity(&self, session_base_key: &Key) -> Result<(), Weakness> {
        let (code, blank) = self
            .authenticate
            .integrity_code()
            .ok_or(Weakness::Integrity)?;
        let messages = [&*self.negotiate.raw, &self.challenge.raw, &blank];
        let is_right = |key: &Key| keys::integrity_code(key, &messages).is(&code);
        let flags = self.authenticate.flags.and(self.challenge.flags);
        let exchanged = match self.authenticate.session_key {
            Some(encrypted) if flags.contains(Flags::KEY_EXCHANGE) => {
                keys::exchanged_key(session_base_key, &encrypted)
            }
            Some(_) | None => None,
        };
        // Some clients exchange where they need not; both are keys that only somebody with the hash
        // knows.
        let right = exchanged.as_ref().is_some_and(is_right)
            || (!self.must_exchange() && is_right(session_base_key));
        if right {
            Ok(())
        } else {
            Err(Weakness::Integrity)
        }
    }

    /// The client repeats our timestamp, if it knows the pair, and tells its own time.
    fn check_time(
        &self,
        response: &NtlmV2,
        pairs: &AvPairs<'_>,
        window: u64,
        now: u64,
    ) -> Result<(), Weakness> {
        let repeated = pairs.array(id::TIMESTAMP)?.map(u64::from_le_bytes);
        if repeated.is_some_and(|repeated| repeated != self.challenge.timestamp) {
            return Err(Weakness::Stale);
        }
        let apart = response.timestamp()?.abs_diff(now) / TICKS;
        if window != 0 && apart > window {
            return Err(Weakness::Stale);
        }
        Ok(())
    }

    /// The names that the client repeats must be ours: a challenge of ours that another server
    /// handed on under its own name is refused.
    fn check_names(&self, theirs: &AvPairs<'_>) -> Result<(), Weakness> {
        let ours = AvPairs::parse(&self.challenge.target_info)?;
        let names = [
            id::NB_COMPUTER_NAME,
            id::NB_DOMAIN_NAME,
            id::DNS_COMPUTER_NAME,
            id::DNS_DOMAIN_NAME,
        ];
        let differs = |kind: &u16| {
            theirs
                .get(*kind)
                .is_some_and(|name| ours.get(*kind) != Some(name))
        };
        if names.iter().any(differs) {
            return Err(Weakness::OtherServer);
        }
        Ok(())
    }
}

/// The service that the client meant, when it says so.
fn check_target(pairs: &AvPairs<'_>, targets: &[String]) -> Result<(), Weakness> {
    let meant = pairs.get(id::TARGET_NAME).filter(|name| !name.is_empty());
    let Some(meant) = meant.filter(|_| !targets.is_empty()) else {
        return Ok(());
    };
    let ours = |target: &String| utf16(target).eq_ignore_ascii_case(meant);
    if targets.iter().any(ours) {
        Ok(())
    } else {
        Err(Weakness::OtherServer)
    }
}

/// What a client that binds itself to this certificate sends: MD5 over the
/// `gss_channel_bindings_struct` (RFC 2744 §3.11) with little-endian lengths and no addresses.
pub(crate) fn binding(server_end_point: &[u8]) -> Option<[u8; 16]> {
    const PREFIX: &[u8] = b"tls-server-end-point:";
    let length = u32::try_from(PREFIX.len() + server_end_point.len()).ok()?;
    let mut digest = Md5::new();
    digest.update([0; 16]);
    digest.update(length.to_le_bytes());
    digest.update(PREFIX);
    digest.update(server_end_point);
    Some(digest.finalize().into())
}
