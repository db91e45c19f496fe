//! From the start to the last session: one thread for each core, signals on the first.
#![expect(
    clippy::disallowed_types,
    reason = "this room hands sockets to the door"
)]

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use postern_auth::Pool;
use sd_notify::NotifyState;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::assemble::{self, assemble};
use super::log::Recorder;
use super::{ServeError, privilege, sweep};
use crate::config::{self, Config};
use crate::event::Event;
use crate::net::{self, Bound, House, Phase, Service};
use crate::protocol_log::{self, ProtocolLog};

/// Disk workers for each core: most of their time is spent waiting.
const DISK_WORKERS: usize = 4;

/// How long sessions have to say that the server is stopping, after their time is up.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How much may wait for a worker: of one client, and of all.
const QUEUE_PER_CLIENT: usize = 64;
const QUEUE: usize = 8192;

/// Serves until SIGTERM or SIGINT. `announce` is told the addresses, with their real ports, once
/// all of them accept connections.
///
/// # Errors
/// [`ServeError`] when the server cannot start. Once it is ready it only ends by a signal.
pub fn run(file: &Path, announce: impl FnOnce(&[SocketAddr])) -> Result<(), ServeError> {
    let accepted = config::load(file)?;
    let log = Recorder::begin(accepted.config.log);
    for warning in &accepted.warnings {
        tracing::warn!(%warning, "configuration");
    }
    serve(file, &accepted.config, &log, announce)
}

fn serve(
    file: &Path,
    config: &Config,
    log: &Recorder,
    announce: impl FnOnce(&[SocketAddr]),
) -> Result<(), ServeError> {
    let cores = thread::available_parallelism()?.get();
    let bound = net::bind(&addresses(config), cores)?;
    // From here on nothing is root: what cannot be read now could not be read on reload either.
    privilege::become_user(config.run_as.as_ref())?;
    privilege::protect_memory()?;
    if let Err(error) = config::load(file) {
        let problem = &error.to_string();
        Event::ReloadImpossible { problem }.emit();
    }

    let hashing = Pool::new("hash", cores, QUEUE_PER_CLIENT, QUEUE)?;
    let hashing = Arc::new(hashing.with_quick_thread("hash-quick")?);
    let disk = Pool::new("disk", cores * DISK_WORKERS, QUEUE_PER_CLIENT, QUEUE)?;
    let service = assemble(config, &hashing)?;
    let (phase, seen) = watch::channel(Phase::Open);
    // The guard writes what waits when the server has ended.
    let protocol_log = config.protocol_log.as_ref().map(protocol_log::open);
    let (protocol_log, _guard) = protocol_log.transpose()?.unzip();
    let house = House::new(Arc::new(service), disk, seen).with_protocol_log(protocol_log);
    let house = Arc::new(house);

    let first = runtime()?;
    let signals = first.block_on(async { Signals::new() })?;
    let real: Vec<_> = bound.iter().map(|bound| bound.address).collect();
    let threads = open_doors(bound, config, &house)?;
    Event::Ready.emit();
    announce(&real);
    // Without systemd there is nobody to notify.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let life = Life {
        file,
        config,
        log,
        house,
        hashing,
        phase,
        reloaded: Arc::default(),
    };
    first.block_on(life.last(signals));
    // A reload that hangs on a file must not hold the end up.
    first.shutdown_background();
    for thread in threads {
        // The runtimes end with their accept loops; a panic there was logged by the hook.
        let _ = thread.join();
    }
    Ok(())
}

/// One thread a core, each with a socket of every listener.
fn open_doors(
    bound: Vec<Bound>,
    config: &Config,
    house: &Arc<House>,
) -> Result<Vec<thread::JoinHandle<()>>, ServeError> {
    let mut shares: Vec<Vec<(usize, TcpListener)>> = Vec::new();
    for (place, (bound, listener)) in bound.into_iter().zip(&config.listeners).enumerate() {
        Event::Listening {
            address: bound.address,
            tls: listener.tls.as_str(),
        }
        .emit();
        for (core, socket) in bound.sockets.into_iter().enumerate() {
            match shares.get_mut(core) {
                Some(share) => share.push((place, socket)),
                None => shares.push(vec![(place, socket)]),
            }
        }
    }
    let spawn = |(core, share): (usize, Vec<_>)| {
        let runtime = runtime()?;
        let house = house.clone();
        let name = format!("door-{core}");
        Ok(thread::Builder::new()
            .name(name)
            .spawn(move || keep_door(&runtime, share, &house))?)
    };
    shares.into_iter().enumerate().map(spawn).collect()
}

fn keep_door(runtime: &Runtime, share: Vec<(usize, TcpListener)>, house: &Arc<House>) {
    runtime.block_on(async {
        for (place, socket) in share {
            match tokio::net::TcpListener::from_std(socket) {
                Ok(listener) => {
                    tokio::spawn(net::accept(listener, place, house.clone()));
                }
                Err(error) => tracing::error!(%error, "a listener cannot be used by this thread"),
            }
        }
        house.reached(Phase::Closed).await;
    });
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

struct Life<'a> {
    file: &'a Path,
    config: &'a Config,
    log: &'a Recorder,
    house: Arc<House>,
    hashing: Arc<Pool>,
    phase: watch::Sender<Phase>,
    reloaded: Arc<Notify>,
}

impl Life<'_> {
    /// Lasts until a signal ends it, and the sessions with it.
    async fn last(self, mut signals: Signals) {
        let looking = sweep::keep_looking(
            Arc::clone(&self.house),
            self.phase.clone(),
            Arc::clone(&self.reloaded),
        );
        tokio::spawn(looking);
        // At most one reload at a time; it reads files, and a file may hang.
        let mut reloads = JoinSet::new();
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => break,
                _ = signals.interrupt.recv() => break,
                _ = signals.hang_up.recv(), if reloads.is_empty() => {
                    let (file, house) = (self.file.to_owned(), self.house.clone());
                    let hashing = self.hashing.clone();
                    reloads.spawn_blocking(move || next_generation(&file, &house, &hashing));
                }
                Some(Ok(next)) = reloads.join_next() => self.reloaded(next),
            }
        }
        Event::Stopping.emit();
        // Without systemd there is nobody to notify.
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        self.phase.send_replace(Phase::Draining);
        let drain = self.house.service.load().timeouts.drain;
        // A second signal means: now.
        tokio::select! {
            _ = timeout(drain, self.house.emptied()) => {}
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
        }
        let cut_off = self.house.places.connections();
        self.phase.send_replace(Phase::Ending);
        let _ = timeout(LAST_WORDS, self.house.emptied()).await;
        self.phase.send_replace(Phase::Closed);
        let protocol_log = self.house.protocol_log.as_ref();
        let lost_records = self.log.lost() + protocol_log.map_or(0, ProtocolLog::lost);
        Event::Stopped {
            cut_off,
            lost_records,
        }
        .emit();
    }

    /// A new generation for those who come from now on, or, when anything is wrong with it, none.
    fn reloaded(&self, next: Result<(Config, Service), ServeError>) {
        match next {
            Ok((config, service)) => {
                self.tell_what_waits(&config);
                self.log.set_level(config.log.level);
                self.house.service.store(Arc::new(service));
                Event::Reloaded.emit();
                self.reloaded.notify_one();
            }
            Err(error) => Event::ReloadRefused {
                problem: &error.to_string(),
            }
            .emit(),
        }
    }

    /// Settings that are used once, when the server starts.
    fn tell_what_waits(&self, config: &Config) {
        let waits = [
            (
                "listener.address",
                addresses(config) != addresses(self.config),
            ),
            ("user, group", config.run_as != self.config.run_as),
            (
                "protocol_log",
                config.protocol_log != self.config.protocol_log,
            ),
            ("log.format", config.log.format != self.config.log.format),
        ];
        for (setting, _) in waits.into_iter().filter(|(_, changed)| *changed) {
            Event::RestartNeeded { setting }.emit();
        }
    }
}

fn next_generation(
    file: &Path,
    house: &House,
    hashing: &Arc<Pool>,
) -> Result<(Config, Service), ServeError> {
    let config = config::load(file)?.config;
    let service = assemble::next(&config, &house.service.load(), hashing)?;
    Ok((config, service))
}

fn addresses(config: &Config) -> Vec<SocketAddr> {
    config
        .listeners
        .iter()
        .map(|listener| listener.address)
        .collect()
}
