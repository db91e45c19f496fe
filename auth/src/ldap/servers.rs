//! The servers of one directory, in order of preference: whom to ask, and what becomes of one that
//! fails.
//!
//! A server that fails is left alone, so that no login waits for it, and is looked at in the
//! background until it answers; then it has its place again. Its fall and its return are one record
//! each. A question has one deadline for all servers together. Which servers there are stands in the
//! configuration, or in the domain's DNS.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use deadpool::managed::BuildError;
use rustls::ClientConfig;
use tokio::time::{Instant, sleep};

use super::connection::{Connection, Connector, Deadline, Service};
use super::discovery::Discovery;
use super::fault::{Blame, LdapError};
use super::pool::{Connections, Lease, Role};
use super::search;
use super::server::LdapServer;
use crate::clock;

/// A failed server is looked at after this time first; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A service account that was refused is not tried often: directories lock accounts.
const REFUSED_PAUSE: Duration = Duration::from_secs(300);
/// A setting that is wrong is wrong for every login; it is said as seldom as this.
const SAID_EVERY: Duration = Duration::from_secs(10);

/// Something that is asked of a directory, over one connection to one of its servers. It may be
/// asked again elsewhere.
pub(super) trait Ask: Sync {
    /// What comes of it.
    type Answer: Send;

    /// Asks. After an error the connection is closed.
    fn ask(
        &self,
        connection: &mut Connection,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Self::Answer, LdapError>> + Send;
}

/// The servers of one directory.
#[derive(Debug)]
pub(super) struct Servers {
    each: ArcSwap<Vec<Arc<Server>>>,
    /// How they are found, where the configuration does not name them.
    discovery: Option<Discovery>,
    make: Maker,
    within: Duration,
    said: Mutex<Option<Deadline>>,
}

/// One server, and what is known of it.
pub(super) struct Server {
    connector: Arc<Connector>,
    searches: Connections,
    binds: Connections,
    /// It failed, and is being looked at in the background.
    down: AtomicBool,
    /// When it was found in order again. What was asked before that says nothing of it now.
    returned: Mutex<Option<Instant>>,
    within: Duration,
}

/// How many connections are kept to each server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) searches: usize,
    pub(super) binds: usize,
}

/// What all servers of a directory have in common.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) service: Service,
    pub(super) sizes: Sizes,
    /// The time that one question may take, whatever happens.
    pub(super) within: Duration,
}

impl Maker {
    fn make(&self, server: &LdapServer) -> Result<Arc<Server>, BuildError> {
        let connector = Arc::new(Connector {
            server: server.clone(),
            tls: self.tls.clone().filter(|_| server.speaks_tls()),
            service: self.service.clone(),
        });
        let kept = |role, most| Connections::new(&connector, role, most, self.within);
        Ok(Arc::new(Server {
            searches: kept(Role::Search, self.sizes.searches)?,
            binds: kept(Role::Bind, self.sizes.binds)?,
            connector,
            down: AtomicBool::new(false),
            returned: Mutex::default(),
            within: self.within,
        }))
    }
}

impl Servers {
    /// Opens nothing yet. The servers that are named serve until `discovery` has found others.
    pub(super) fn new(
        named: &[LdapServer],
        discovery: Option<Discovery>,
        make: Maker,
    ) -> Result<Self, BuildError> {
        let each = named.iter().map(|server| make.make(server));
        let each = each.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            each: ArcSwap::from_pointee(each),
            discovery,
            within: make.within,
            make,
            said: Mutex::default(),
        })
    }

    /// The servers as they are known now, after a look into DNS when it is time for one.
    async fn known(&self) -> Arc<Vec<Arc<Server>>> {
        let known = self.each.load_full();
        let Some(discovery) = &self.discovery else {
            return known;
        };
        let urgent = known.iter().all(|server| server.is_down());
        let Some(found) = discovery.look(urgent).await else {
            return self.each.load_full();
        };
        if !found.is_empty() {
            self.take(&found);
        }
        self.each.load_full()
    }

    /// Takes these servers. Those that are known already keep their connections, and what is known of
    /// them.
    fn take(&self, found: &[LdapServer]) {
        let known = self.each.load_full();
        let mut each = Vec::with_capacity(found.len());
        for server in found {
            let same = known.iter().find(|known| known.connector.server == *server);
            match same.map_or_else(|| self.make.make(server), |same| Ok(Arc::clone(same))) {
                Ok(server) => each.push(server),
                Err(error) => tracing::error!(%error, %server, "a server cannot be asked"),
            }
        }
        let names = |each: &[Arc<Server>]| {
            let mut names: Vec<_> = each
                .iter()
                .map(|server| server.connector.server.to_string())
                .collect();
            names.sort_unstable();
            names
        };
        if names(&each) != names(&known) {
            let servers = names(&each).join(" ");
            tracing::info!(servers, "DNS tells the servers of the domain");
        }
        self.each.store(Arc::new(each));
    }

    /// Asks the first server that is in order, and the next one if it fails.
    ///
    /// # Errors
    /// What was wrong with the last one that was asked; the log knows of each.
    pub(super) async fn ask<Q: Ask>(
        &self,
        role: Role,
        question: &Q,
    ) -> Result<Q::Answer, LdapError> {
        let whole = Deadline::after(self.within);
        let known = self.known().await;
        let able: Vec<_> = known.iter().filter(|server| !server.is_down()).collect();
        let mut last = LdapError::AllDown;
        for (number, server) in able.iter().enumerate() {
            // What is left is shared by those that are left, so that one that hangs does not eat
            // the time of the next.
            let share = whole.left() / u32::try_from(able.len() - number).unwrap_or(1);
            let deadline = Deadline::after(share);
            let asked = clock::instant();
            match server.ask(role, question, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    match error.blame() {
                        Blame::Server => Server::failed(server, &error, asked),
                        Blame::Setting | Blame::Load => {
                            self.say(&error);
                            return Err(error);
                        }
                    }
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Looks at every server, also at those that nobody would ask now: reached, trusted, and the service
    /// account accepted. Nothing is remembered of it.
    pub(super) async fn look(&self) -> Vec<(String, Result<(), LdapError>)> {
        let looks: Vec<_> = self
            .known()
            .await
            .iter()
            .cloned()
            .map(|server| {
                let name = server.connector.server.to_string();
                (
                    name,
                    tokio::spawn(async move { server.is_in_order().await }),
                )
            })
            .collect();
        let mut seen = Vec::new();
        for (name, look) in looks {
            seen.push((name, look.await.unwrap_or(Err(LdapError::AllDown))));
        }
        seen
    }

    /// A record of what every login will meet again; not for each of them.
    fn say(&self, error: &LdapError) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|until| until.left().is_zero()) {
            *said = Some(Deadline::after(SAID_EVERY));
            tracing::error!(%error, "the directory could not be asked");
        }
    }

    #[cfg(test)]
    pub(super) fn ask_dns_at(&mut self, resolver: std::net::SocketAddr) {
        let discovery = self.discovery.take();
        self.discovery = discovery.map(|discovery| discovery.at(resolver));
    }

    #[cfg(test)]
    pub(super) fn each(&self) -> Vec<Arc<Server>> {
        self.each.load().to_vec()
    }
}

impl Server {
    async fn ask<Q: Ask>(
        &self,
        role: Role,
        question: &Q,
        deadline: Deadline,
    ) -> Result<Q::Answer, LdapError> {
        let kept = match role {
            Role::Search => &self.searches,
            Role::Bind => &self.binds,
        };
        loop {
            let lease = kept.lease(deadline).await?;
            let (reused, left) = (lease.reused, deadline.left());
            match with(lease, question, deadline).await {
                // Most of the time went by in the queue: that is no fault of the server.
                Err(LdapError::Late { server, within, .. }) if left < within / 2 => {
                    return Err(LdapError::Busy { server, within });
                }
                // It was closed while nobody looked at it. A new one will tell.
                Err(LdapError::Broken { .. }) if reused => kept.forget_idle(),
                outcome => return outcome,
            }
        }
    }

    /// Leaves a server alone that failed what it was asked at that time, and begins to look at it.
    fn failed(this: &Arc<Self>, error: &LdapError, asked: Instant) {
        let returned = *this.returned.lock().unwrap_or_else(PoisonError::into_inner);
        if returned.is_some_and(|returned| asked < returned) {
            return;
        }
        if this.down.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(%error, "a server of the directory failed");
        for kept in [&this.searches, &this.binds] {
            kept.forget_idle();
        }
        let refused = error.is_refused_account();
        tokio::spawn(watch(Arc::downgrade(this), refused));
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    async fn is_in_order(&self) -> Result<(), LdapError> {
        let deadline = Deadline::after(self.within);
        let mut connection = self.connector.open_as_service(deadline).await?;
        search::root(&mut connection, deadline).await
    }

    #[cfg(test)]
    pub(super) fn name(&self) -> String {
        self.connector.server.to_string()
    }

    #[cfg(test)]
    pub(super) fn open_connections(&self) -> (usize, usize) {
        (self.searches.open(), self.binds.open())
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("server", &self.connector.server)
            .field("down", &self.is_down())
            .finish_non_exhaustive()
    }
}

/// The connection goes back only after an answer of its own.
async fn with<Q: Ask>(
    mut lease: Lease,
    question: &Q,
    deadline: Deadline,
) -> Result<Q::Answer, LdapError> {
    let Some(connection) = lease.connection() else {
        return Err(LdapError::AllDown);
    };
    let answer = question.ask(connection, deadline).await?;
    lease.give_back();
    Ok(answer)
}

/// Looks at a server until it is in order again, or nobody wants to know any more.
async fn watch(server: Weak<Server>, refused: bool) {
    let mut pause = if refused { REFUSED_PAUSE } else { FIRST_PAUSE };
    let mut said = String::new();
    loop {
        sleep(pause).await;
        let Some(server) = server.upgrade() else {
            return;
        };
        match server.is_in_order().await {
            Ok(()) => {
                let now = Some(clock::instant());
                *server
                    .returned
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = now;
                server.down.store(false, Ordering::Release);
                tracing::info!(server = %server.connector.server, "a server of the directory is in order again");
                return;
            }
            Err(error) => {
                let words = error.to_string();
                if words != said {
                    tracing::warn!(error = %words, "a server of the directory is still out of order");
                    said = words;
                }
                pause = if error.is_refused_account() {
                    REFUSED_PAUSE
                } else {
                    (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
                };
            }
        }
    }
}
