//! What every connection needs: one generation of the configuration, and the house it stands in.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use postern_auth::{Authenticator, Channel, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::seats::Seat;
use super::{Places, Seats, Tls};
use crate::config::{Limits, Listener, ListenerTls, Timeouts};
use crate::pop3::{Offer, Settings};
use crate::protocol_log::ProtocolLog;
use crate::store::Store;

/// One generation of the configuration, as the door uses it. A connection keeps the generation
/// that it began with; a reload replaces the whole for those that come after.
pub struct Service {
    /// What the engine is told.
    pub settings: Arc<Settings>,
    /// Who may come in.
    pub authenticator: Authenticator,
    /// The mail.
    pub store: Arc<dyn Store>,
    /// Certificates; without them no listener offers TLS.
    pub tls: Option<Tls>,
    /// The idle timers.
    pub timeouts: Timeouts,
    /// How often accounts with open sessions are looked at again; zero for never.
    pub recheck: Duration,
    /// How many connections there may be.
    pub limits: Limits,
    /// The listeners, in the order of the configuration.
    pub listeners: Vec<Listener>,
}

impl Service {
    /// A connection of this listener before TLS.
    pub fn clear(&self, listener: &Listener) -> Channel {
        let extra = self.tls.as_ref().map(Tls::extra_end_points);
        Channel {
            tls: None,
            rule: listener.rule.clone(),
            extra_end_points: extra.unwrap_or_default(),
        }
    }

    /// What this client may do on this channel.
    pub fn offer(&self, listener: &Listener, channel: &Channel, client: IpAddr) -> Offer {
        let mechanisms = self.authenticator.mechanisms(channel, client);
        Offer {
            mechanisms: mechanisms.into_iter().map(str::to_owned).collect(),
            password: self.authenticator.permits_password(channel),
            starttls: listener.tls == ListenerTls::StartTls
                && !channel.is_protected()
                && self.tls.is_some(),
        }
    }
}

/// What outlives a reload, shared by all threads.
pub struct House {
    /// The generation for new connections.
    pub service: ArcSwap<Service>,
    /// How many are here now.
    pub places: Places,
    /// Who is logged in now.
    pub seats: Seats,
    /// Where work that waits for a disk is done.
    pub disk: Pool,
    /// The protocol log, when there is one.
    pub protocol_log: Option<ProtocolLog>,
    phase: watch::Receiver<Phase>,
    presence: Arc<Semaphore>,
    sessions: AtomicU64,
}

/// How far the server's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Connections are accepted.
    Open,
    /// No longer; who has not logged in is sent away, and sessions may go on for a while.
    Draining,
    /// Sessions are ended with a line as soon as they wait for the client.
    Ending,
    /// Those that are left are cut off.
    Closed,
}

/// More places than there can be connections; each connection holds one.
const EVERYBODY: u32 = 1 << 24;

impl House {
    /// A house that is open.
    pub fn new(service: Arc<Service>, disk: Pool, phase: watch::Receiver<Phase>) -> Self {
        Self {
            service: ArcSwap::new(service),
            places: Places::default(),
            seats: Seats::default(),
            disk,
            protocol_log: None,
            phase,
            presence: Arc::new(Semaphore::new(EVERYBODY as usize)),
            sessions: AtomicU64::new(1),
        }
    }

    /// With a protocol log, or without.
    #[must_use]
    pub fn with_protocol_log(mut self, log: Option<ProtocolLog>) -> Self {
        self.protocol_log = log;
        self
    }

    /// Whether the server has come to this phase.
    pub(super) fn has_reached(&self, phase: Phase) -> bool {
        *self.phase.borrow() >= phase
    }

    /// Returns when the server has come to this phase.
    pub async fn reached(&self, phase: Phase) {
        // A sender that is gone means the same as the last phase.
        let _ = self.phase.clone().wait_for(|now| *now >= phase).await;
    }

    /// Returns when the server has come to this phase, which is `true`, or the session may not go on.
    /// Whoever bars a session wakes everybody then: that is seldom, and so costs an idle session no
    /// memory.
    pub(super) async fn reached_or_barred(&self, phase: Phase, seat: Option<&Seat>) -> bool {
        let is_barred = || seat.is_some_and(|seat| seat.barred().is_some());
        let over = |now: &Phase| *now >= phase || is_barred();
        // A sender that is gone means the same as the last phase.
        let mut seen = self.phase.clone();
        seen.wait_for(over).await.map_or(true, |now| *now >= phase)
    }

    /// Returns when nobody is here any more.
    pub async fn emptied(&self) {
        let _ = self.presence.acquire_many(EVERYBODY).await;
    }

    /// Held by a connection as long as it is there.
    pub(super) fn presence(&self) -> Option<OwnedSemaphorePermit> {
        self.presence.clone().try_acquire_owned().ok()
    }

    /// The number of the next connection, by which its log lines are found.
    pub(super) fn number(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }
}
