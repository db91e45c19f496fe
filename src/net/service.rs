//! What every connection needs: one generation of the configuration, and the house it stands in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use postern_auth::{Authenticator, Channel, Pool, Protection};
use tokio::sync::{mpsc, watch};

use super::{Places, Tls};
use crate::config::{Limits, Listener, ListenerTls, Timeouts};
use crate::pop3::{Offer, Settings};
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
    /// How many connections there may be.
    pub limits: Limits,
    /// The listeners, in the order of the configuration.
    pub listeners: Vec<Listener>,
}

impl Service {
    /// What a client may do on this channel.
    pub(super) fn offer(&self, listener: &Listener, channel: &Channel) -> Offer {
        let mechanisms = self.authenticator.mechanisms(channel);
        Offer {
            mechanisms: mechanisms.into_iter().map(str::to_owned).collect(),
            password: self.authenticator.permits_password(channel),
            starttls: listener.tls == ListenerTls::StartTls
                && channel.protection == Protection::Clear
                && self.tls.is_some(),
        }
    }
}

/// What outlives a reload, shared by all threads.
pub struct House {
    /// The generation for new connections.
    pub service: ArcSwap<Service>,
    /// Who is here now.
    pub places: Places,
    /// Where work that waits for a disk is done.
    pub disk: Pool,
    /// Turns true when the server is stopping.
    pub stopping: watch::Receiver<bool>,
    /// Held by every connection: when all are dropped, the house is empty.
    pub presence: mpsc::Sender<()>,
    sessions: AtomicU64,
}

impl House {
    /// A house that is open.
    pub fn new(
        service: Arc<Service>,
        disk: Pool,
        stopping: watch::Receiver<bool>,
        presence: mpsc::Sender<()>,
    ) -> Self {
        Self {
            service: ArcSwap::new(service),
            places: Places::default(),
            disk,
            stopping,
            presence,
            sessions: AtomicU64::new(1),
        }
    }

    /// The number of the next connection, by which its log lines are found.
    pub(super) fn number(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }
}
