//! The acceptor's keys: loaded from the keytab, looked at again when it changes.
//!
//! GSSAPI is offered only while there is a key that can be used. MIT's library reads the keytab for
//! each login, so that new versions of a key count at once; what is kept here is which names have
//! keys. A keytab that went bad takes GSSAPI out of the offer, and back when it is good again.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use libgssapi::credential::Cred;
use libgssapi::error::Error;

use super::acquire::{self, Name, Places, Tokens};
use super::ap_req::Ticket;
use super::keytab::{Keytab, KeytabError, KeytabKey};
use super::principal::Principal;
use super::rules::PrincipalRules;
use crate::Pool;
use crate::clock::Clock;

/// How often the keytab is looked at, at most, in milliseconds.
const LOOK_EVERY: u64 = 1000;
/// The replay cache that remembers nothing.
const NO_REPLAY: &str = "none:";

/// A service that clients may ask the KDC for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName {
    /// The first component, `pop`. Case does not matter: it does not in Active Directory.
    pub service: String,
    /// The host; none means that every host of the keytab will do.
    pub host: Option<String>,
}

impl ServiceName {
    /// Reads `pop` or `pop/mail.example.test`.
    pub fn parse(text: &str) -> Option<Self> {
        let (service, host) = match text.split_once('/') {
            Some((service, host)) => (service, Some(host.to_owned())),
            None => (text, None),
        };
        let is_word = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && part.bytes().all(|octet| octet.is_ascii_graphic())
        };
        let whole = is_word(service) && host.as_deref().is_none_or(is_word);
        let odd =
            text.contains(['@', '\\']) || host.as_deref().is_some_and(|host| host.contains('/'));
        (whole && !odd).then(|| Self {
            service: service.to_owned(),
            host,
        })
    }

    /// Whether this is the name of that principal, whose realm may be any.
    pub fn is(&self, principal: &Principal) -> bool {
        principal.service().is_some_and(|(service, host)| {
            self.service.eq_ignore_ascii_case(service)
                && self
                    .host
                    .as_ref()
                    .is_none_or(|wanted| wanted.eq_ignore_ascii_case(host))
        })
    }
}

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct GssapiSettings {
    /// The keytab.
    pub keytab: PathBuf,
    /// The services whose tickets count.
    pub services: Vec<ServiceName>,
    /// The file of the replay cache; none means that of the library, `krb5_UID.rcache2` in the
    /// folder of KRB5RCACHEDIR or in /var/tmp. Processes with the same file share what they saw.
    pub replay_cache: Option<PathBuf>,
    /// Whether keys of RC4 and older are good enough.
    pub weak_keys: bool,
    /// Whose ticket is which login.
    pub rules: PrincipalRules,
}

/// Why there is no key to be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The keytab cannot be read.
    #[error(transparent)]
    Keytab(#[from] KeytabError),
    /// It holds no key of these services.
    #[error("the keytab {} has no key of {wanted}; it holds {held}", path.display())]
    NoService {
        /// The file.
        path: PathBuf,
        /// The services that were looked for.
        wanted: String,
        /// The principals that are there.
        held: String,
    },
    /// What there is of these services is of RC4 or older.
    #[error("the keytab {} has keys of RC4 or DES alone for {wanted}: give the account AES keys and export them", path.display())]
    WeakKeys {
        /// The file.
        path: PathBuf,
        /// The services.
        wanted: String,
    },
    /// The library does not take it.
    #[error("Kerberos does not take the keytab {}: {said}", path.display())]
    Library {
        /// The file.
        path: PathBuf,
        /// What it says.
        said: String,
    },
}

impl GssapiSettings {
    /// The keys of these services in the keytab: what a login can be accepted with.
    ///
    /// # Errors
    /// When the keytab cannot be read, or there is none that can be used.
    pub fn usable(&self) -> Result<Vec<KeytabKey>, KeysError> {
        let keytab = Keytab::read(&self.keytab)?;
        let wanted = || {
            let name = |name: &ServiceName| match &name.host {
                Some(host) => format!("{}/{host}", name.service),
                None => format!("{}/*", name.service),
            };
            self.services
                .iter()
                .map(name)
                .collect::<Vec<_>>()
                .join(" or ")
        };
        let is_ours = |key: &KeytabKey| self.services.iter().any(|name| name.is(&key.principal));
        let (ours, other): (Vec<_>, Vec<_>) = keytab.keys.into_iter().partition(is_ours);
        if ours.is_empty() {
            let mut held: Vec<_> = other.iter().map(|key| key.principal.to_string()).collect();
            held.dedup();
            held.truncate(8);
            let held = if held.is_empty() {
                "nothing".to_owned()
            } else {
                held.join(", ")
            };
            return Err(KeysError::NoService {
                path: self.keytab.clone(),
                wanted: wanted(),
                held,
            });
        }
        if !self.weak_keys && ours.iter().all(|key| key.enctype.is_weak()) {
            return Err(KeysError::WeakKeys {
                path: self.keytab.clone(),
                wanted: wanted(),
            });
        }
        Ok(ours)
    }
}

/// The credentials of one name.
struct Acceptor {
    name: Name,
    krb5: Pair,
    spnego: Pair,
}

/// With a memory of what was seen, and without one: for a second look at a token that the first
/// credential has already noted.
pub(super) struct Pair {
    pub(super) noting: Cred,
    pub(super) again: Cred,
}

/// What was loaded.
pub(super) struct Keys {
    acceptors: Vec<Acceptor>,
    pub(super) listed: Vec<KeytabKey>,
}

impl Keys {
    pub(super) fn load(settings: &GssapiSettings) -> Result<Self, KeysError> {
        let listed = settings.usable()?;
        let replay = settings
            .replay_cache
            .as_ref()
            .map(|path| format!("file2:{}", path.display()));
        let mut names: Vec<Name> = Vec::new();
        for key in &listed {
            for name in names_of(&settings.services, &key.principal) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let mut acceptors = Vec::new();
        for name in names {
            let pair = |tokens| {
                let acquire = |replay| {
                    let places = Places {
                        keytab: &settings.keytab,
                        replay,
                    };
                    acquire::acceptor(places, &name, tokens)
                };
                let (noting, again) = (acquire(replay.as_deref())?, acquire(Some(NO_REPLAY))?);
                Ok::<_, Error>(Pair { noting, again })
            };
            let both = pair(Tokens::Krb5).and_then(|krb5| Ok((krb5, pair(Tokens::Spnego)?)));
            let (krb5, spnego) = both.map_err(|error| KeysError::Library {
                path: settings.keytab.clone(),
                said: error.to_string(),
            })?;
            acceptors.push(Acceptor { name, krb5, spnego });
        }
        Ok(Self { acceptors, listed })
    }

    /// The credentials for a ticket: those of its own service, if there are any. The library
    /// then takes what one of that name's keys opens, whatever the ticket says.
    pub(super) fn pair(&self, tokens: Tokens, ticket: Option<&Ticket>) -> Option<&Pair> {
        let fits = |acceptor: &&Acceptor, same: fn(&str, &str) -> bool| {
            let service = ticket.and_then(|ticket| ticket.service.service());
            match &acceptor.name {
                Name::Service(name) => service.is_some_and(|(service, _)| same(name, service)),
                Name::Principal(name) => {
                    ticket.is_some_and(|ticket| same(name, &ticket.service.to_string()))
                }
            }
        };
        let exact = self
            .acceptors
            .iter()
            .find(|acceptor| fits(acceptor, |a, b| a == b));
        let close = || {
            self.acceptors
                .iter()
                .find(|acceptor| fits(acceptor, str::eq_ignore_ascii_case))
        };
        let acceptor = exact.or_else(close).or_else(|| self.acceptors.first())?;
        Some(match tokens {
            Tokens::Krb5 => &acceptor.krb5,
            Tokens::Spnego => &acceptor.spnego,
        })
    }
}

/// The names under which a principal's key is taken.
fn names_of(services: &[ServiceName], principal: &Principal) -> Vec<Name> {
    let ours = services.iter().filter(|name| name.is(principal));
    ours.filter_map(|name| match &name.host {
        Some(_) => Some(Name::Principal(principal.to_string())),
        None => principal
            .service()
            .map(|(service, _)| Name::Service(service.to_owned())),
    })
    .collect()
}

/// The version of a file.
type Stamp = (u64, u64, i64, i64);

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.ino(), about.size(), about.ctime(), about.ctime_nsec()))
}

/// The server's side of Kerberos: its keys, its rules, and the threads that call the library.
pub struct Gssapi {
    pub(super) settings: GssapiSettings,
    keys: ArcSwap<Option<Keys>>,
    pool: Arc<Pool>,
    /// The version of the keytab that was looked at last; none when there was no file.
    seen: Mutex<Option<Stamp>>,
    clock: Clock,
    next_look: AtomicU64,
}

impl Gssapi {
    /// Loads the keys. Without any, the server starts all the same: it looks again and says so
    /// in the log. Reads the disk.
    pub fn new(settings: GssapiSettings, pool: Arc<Pool>) -> Self {
        let gssapi = Self {
            settings,
            keys: ArcSwap::from_pointee(None),
            pool,
            seen: Mutex::new(None),
            clock: Clock::start(),
            next_look: AtomicU64::new(LOOK_EVERY),
        };
        let seen = stamp(&gssapi.settings.keytab);
        *gssapi.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        gssapi.load();
        gssapi
    }

    /// Whether there is a key to accept a login with. Has the keytab looked at in the background, at
    /// most once a second; never waits.
    pub(crate) fn is_ready(self: &Arc<Self>) -> bool {
        let now = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = self.next_look.load(Ordering::Relaxed);
        let next = now.saturating_add(LOOK_EVERY);
        let order = Ordering::Relaxed;
        if now >= due
            && self
                .next_look
                .compare_exchange(due, next, order, order)
                .is_ok()
        {
            let looker = Arc::clone(self);
            // Under load the last version serves for another second.
            let _ = self.pool.post(move || looker.refresh());
        }
        self.keys.load().is_some()
    }

    /// Looks whether the keytab changed, and loads it if so.
    pub(super) fn refresh(&self) {
        let now = stamp(&self.settings.keytab);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        *seen = now;
        drop(seen);
        self.load();
    }

    fn load(&self) {
        let keys = match Keys::load(&self.settings) {
            Ok(keys) => {
                let listed: Vec<_> = keys.listed.iter().map(ToString::to_string).collect();
                tracing::info!(keytab = %self.settings.keytab.display(), keys = ?listed, "Kerberos keys loaded");
                Some(keys)
            }
            Err(reason) => {
                tracing::error!(%reason, "no Kerberos key: GSSAPI and GSS-SPNEGO are not offered");
                None
            }
        };
        self.keys.store(Arc::new(keys));
    }

    /// The threads that call the library.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) fn keys(&self) -> Arc<Option<Keys>> {
        self.keys.load_full()
    }
}

impl std::fmt::Debug for Gssapi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gssapi")
            .field("keytab", &self.settings.keytab)
            .finish_non_exhaustive()
    }
}
