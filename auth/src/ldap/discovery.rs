//! The servers of a domain, as its DNS names them.
//!
//! DNS is asked again when its answer is too old, and sooner when no server is in order. While it gives
//! no answer the last one holds. Nothing of it is believed that TLS does not confirm: see `both_names`.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::dns;
use super::server::LdapServer;
use super::srv::{Target, in_order};
use crate::clock;

/// More servers of one domain are not asked.
const MOST: usize = 16;

/// For how long an answer of DNS holds, whatever its time to live.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(3600);

/// When DNS is asked again after it gave no answer, or while no server is in order.
const AGAIN: Duration = Duration::from_secs(10);

/// How long DNS may take, when the servers of before serve on.
const WITHIN: Duration = Duration::from_secs(2);

/// A domain whose servers are found in DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainServers {
    /// Its name.
    pub domain: String,
    /// Whether it is one of Active Directory, which names its domain controllers apart.
    pub active_directory: bool,
    /// Whether TLS begins on the port that DNS names; else that of LDAPS is taken.
    pub start_tls: bool,
}

/// The search for the servers of a domain.
#[derive(Debug)]
pub(super) struct Discovery {
    settings: DomainServers,
    /// Asked, and not the system's resolver.
    resolver: Option<SocketAddr>,
    next: Mutex<Next>,
    /// DNS has given an answer once.
    answered: AtomicBool,
}

/// When to ask, and what was said in vain.
#[derive(Debug)]
struct Next {
    at: Instant,
    /// Not before this, whatever happens.
    soonest: Instant,
    said: String,
}

/// What DNS said.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) targets: Vec<Target>,
    /// For how long, in its own words.
    pub(super) life: Duration,
}

impl Discovery {
    pub(super) fn new(settings: DomainServers) -> Self {
        let now = clock::instant();
        Self {
            settings,
            resolver: None,
            next: Mutex::new(Next {
                at: now,
                soonest: now,
                said: String::new(),
            }),
            answered: AtomicBool::new(false),
        }
    }

    /// The same, of this resolver.
    #[cfg(test)]
    pub(super) fn at(mut self, resolver: SocketAddr) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// The servers, in the order in which they are to be asked, when it is time to look; `urgent` says
    /// that none of those of before is in order. While somebody looks, others wait only before the
    /// first answer.
    pub(super) async fn look(&self, urgent: bool) -> Option<Vec<LdapServer>> {
        let mut next = if self.answered.load(Ordering::Relaxed) {
            self.next.try_lock().ok()?
        } else {
            self.next.lock().await
        };
        let now = clock::instant();
        if now < next.soonest || (now < next.at && !urgent) {
            return None;
        }
        next.soonest = now + AGAIN;
        let found = match timeout(WITHIN, self.ask()).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer in {} s", WITHIN.as_secs())),
        };
        match found {
            Ok(Targets { targets, life }) => {
                next.at = now + life.clamp(SHORTEST, LONGEST);
                next.said.clear();
                self.answered.store(true, Ordering::Relaxed);
                Some(self.servers(targets))
            }
            Err(problem) => {
                next.at = now + AGAIN;
                if next.said != problem {
                    tracing::warn!(
                        domain = self.settings.domain,
                        problem,
                        "DNS does not tell the servers of the domain: see /etc/resolv.conf, or set ldap.servers"
                    );
                    next.said = problem;
                }
                None
            }
        }
    }

    /// Domain controllers first; other directories have the general name alone.
    async fn ask(&self) -> Result<Targets, String> {
        let domain = &self.settings.domain;
        let general = format!("_ldap._tcp.{domain}.");
        if self.settings.active_directory {
            let controllers = format!("_ldap._tcp.dc._msdcs.{domain}.");
            match dns::srv(&controllers, self.resolver).await {
                Ok(found) if !found.targets.is_empty() => return Ok(found),
                // A resolver that knows nothing of them may know the general name.
                Ok(_) => {}
                Err(problem) => return Err(problem),
            }
        }
        let found = dns::srv(&general, self.resolver).await?;
        if found.targets.is_empty() {
            return Err(format!("there is no {general}"));
        }
        Ok(found)
    }

    fn servers(&self, targets: Vec<Target>) -> Vec<LdapServer> {
        let mut servers = Vec::new();
        for target in in_order(targets, draw) {
            match LdapServer::found(&target.host, target.port, self.settings.start_tls) {
                Ok(server) if servers.contains(&server) => {}
                Ok(server) if servers.len() < MOST => servers.push(server),
                Ok(_) => break,
                Err(problem) => tracing::warn!(
                    target = crate::audit::shown(&target.host),
                    %problem,
                    "DNS names a server of the domain that cannot be one"
                ),
            }
        }
        servers
    }
}

/// A number from 0 to this, by chance; the largest where the system has no chance to give.
fn draw(most: u32) -> u32 {
    let random = getrandom::u32();
    random.map_or(most, |random| random % most.saturating_add(1))
}
