//! The connection that is trying to log in, as far as the authenticator cares.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Refused credentials that a connection remembers.
const REMEMBERED: usize = 8;
/// How many times `attempts_per_connection` may be begun, whatever comes of them.
const BEGUN_FACTOR: u32 = 3;

/// One connection's standing: where it comes from, how many logins it was refused, and which
/// name and password it need not try again. It lives as long as the connection.
///
/// A connection is to be closed when `attempts_per_connection` *different* logins were refused.
/// Saying the same name and password again, giving an exchange up, asking for a mechanism that is
/// not offered and meeting server trouble do not count towards that, as clients do all of it
/// without guessing. But three times as many attempts of any kind, granted ones too, are all that
/// a connection has: a refusal of the last one closes it, and one more is refused unseen, so that
/// nobody goes round for ever.
#[derive(Debug)]
pub struct Caller {
    address: IpAddr,
    session: u64,
    standing: Arc<Standing>,
}

impl Caller {
    /// A new connection. `session` is the number under which its log lines are found.
    pub fn new(address: IpAddr, session: u64) -> Self {
        Self {
            address: address.to_canonical(),
            session,
            standing: Arc::default(),
        }
    }

    /// The client's address; an IPv4-mapped one counts as IPv4.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The number under which the connection's log lines are found.
    pub fn session(&self) -> u64 {
        self.session
    }

    /// The same connection once more, for attempts at the same time.
    #[cfg(test)]
    pub(crate) fn twin(&self) -> Self {
        Self {
            standing: Arc::clone(&self.standing),
            ..*self
        }
    }

    /// Counts the beginning of an attempt, and shares the standing with it.
    pub(crate) fn begin(&self, attempts: u32) -> (Arc<Standing>, Admission) {
        let mut counts = self.standing.lock();
        let admission = match counts.begun.cmp(&most(attempts)) {
            Ordering::Less => Admission::Admitted,
            Ordering::Equal => Admission::Turned,
            Ordering::Greater => Admission::TurnedAgain,
        };
        counts.begun = counts.begun.saturating_add(1);
        drop(counts);
        (Arc::clone(&self.standing), admission)
    }
}

/// Whether a connection may begin one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Admitted,
    /// It has begun too many. This is the first that is turned away, and is recorded.
    Turned,
    /// It has been turned away before; its driver should have closed it. No record of this one.
    TurnedAgain,
}

/// What an attempt shares with its connection.
#[derive(Debug, Default)]
pub(crate) struct Standing(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    refused: u32,
    begun: u32,
    remembered: VecDeque<Digest>,
}

impl Standing {
    /// Counts a refused login.
    pub(crate) fn refused(&self) {
        let mut counts = self.lock();
        counts.refused = counts.refused.saturating_add(1);
    }

    /// Whether the connection has used up its attempts. At least one is always allowed.
    pub(crate) fn is_used_up(&self, attempts: u32) -> bool {
        let counts = self.lock();
        counts.refused >= attempts.max(1) || counts.begun >= most(attempts)
    }

    /// Whether these credentials were refused before.
    pub(crate) fn remembers(&self, digest: &Digest) -> bool {
        self.lock().remembered.iter().any(|known| known.is(digest))
    }

    /// Keeps refused credentials in mind, and forgets the oldest of more than eight.
    pub(crate) fn remember(&self, digest: Digest) {
        let mut counts = self.lock();
        if counts.remembered.len() >= REMEMBERED {
            counts.remembered.pop_front();
        }
        counts.remembered.push_back(digest);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many attempts of any kind a connection may begin.
fn most(attempts: u32) -> u32 {
    attempts.max(1).saturating_mul(BEGUN_FACTOR)
}

/// A keyed digest of credentials: HMAC-SHA256 with a random key of this process, so that what a
/// connection remembers is of no use to who reads its memory.
#[derive(Debug)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of several parts; none when the system has no random numbers.
    pub(crate) fn of(parts: &[&[u8]]) -> Option<Self> {
        static KEY: OnceLock<Option<[u8; 32]>> = OnceLock::new();
        let key = KEY.get_or_init(|| {
            let mut key = [0; 32];
            getrandom::fill(&mut key).ok().map(|()| key)
        });
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()?).ok()?;
        for part in parts {
            // The length goes first, so that no two lists of parts are the same octets.
            mac.update(&part.len().to_le_bytes());
            mac.update(part);
        }
        Some(Self(mac.finalize().into_bytes().into()))
    }

    /// Whether both are of the same parts; takes as long if they are not.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(parts: &[&[u8]]) -> Digest {
        Digest::of(parts).unwrap()
    }

    #[test]
    fn a_mapped_address_counts_as_four() {
        let caller = Caller::new("::ffff:192.0.2.1".parse().unwrap(), 7);
        assert_eq!(caller.address().to_string(), "192.0.2.1");
    }

    #[test]
    fn refused_logins_and_begun_ones_both_end_a_connection() {
        let caller = Caller::new("192.0.2.1".parse().unwrap(), 7);
        let (standing, _) = caller.begin(3);
        for _ in 0..2 {
            standing.refused();
        }
        assert!(!standing.is_used_up(3));
        standing.refused();
        assert!(standing.is_used_up(3));

        let caller = Caller::new("192.0.2.1".parse().unwrap(), 8);
        let begun = (0..)
            .take_while(|_| !caller.begin(3).0.is_used_up(3))
            .count();
        assert_eq!(begun, 8, "the ninth is the last");
        assert_eq!(caller.begin(3).1, Admission::Turned);
        assert_eq!(caller.begin(3).1, Admission::TurnedAgain);
    }

    #[test]
    fn eight_credentials_are_remembered_and_boundaries_matter() {
        let standing = Standing::default();
        for n in 0_u8..9 {
            standing.remember(digest(&[b"alice", &[n]]));
        }
        assert!(
            !standing.remembers(&digest(&[b"alice", &[0]])),
            "the oldest is forgotten"
        );
        assert!(standing.remembers(&digest(&[b"alice", &[8]])));
        assert!(!standing.remembers(&digest(&[b"alic", b"e\x08"])));
    }
}
