//! A bounded pool of threads for work that takes long: password hashes, disk, C libraries.
//!
//! It never grows, never lets one client's queue stand before another's, and never keeps a caller
//! waiting for work that was given up. Turns are fair by the time that jobs take, not by their
//! number: who brings slow jobs has fewer of them.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock;
use crate::source::Source;

/// Threads that take waiting jobs of the client that has had the least of their time.
///
/// A client (an IPv4 address, or an IPv6 /64) with hundreds of waiting jobs, or with slow ones,
/// delays another client by at most one job per thread. Dropping the pool drops what waits; its
/// threads end after the job that they are at.
pub struct Pool {
    shared: Arc<Shared>,
}

/// Why a job was not done. None of them says anything about the job's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overloaded {
    /// This client has as many jobs waiting as one client may.
    #[error("this client has too many jobs waiting")]
    Client,
    /// The pool has as many jobs waiting as it may.
    #[error("too many jobs are waiting")]
    Total,
    /// The job panicked, or the pool was closed before it came to it.
    #[error("the job was given up")]
    Lost,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    per_client: usize,
    total: usize,
}

#[derive(Default)]
struct Queue {
    clients: HashMap<Source, VecDeque<Job>>,
    /// Every client with waiting jobs, once; of two to whom the same is due, the first is served.
    turn: VecDeque<Source>,
    /// The time that every client has had, were they all served at once since the pool was made. It
    /// goes on by the time of each job, shared among those who wait.
    share: Duration,
    /// Clients that have had more than that.
    ahead: HashMap<Source, Duration>,
    waiting: usize,
    next: u64,
    closed: bool,
}

struct Job {
    number: u64,
    work: Box<dyn FnOnce() + Send>,
}

impl Pool {
    /// A pool of `threads` threads named `name`. At most `queue_per_client` jobs of one client and
    /// `queue_total` of all wait; those that are being done do not count.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(
        name: &str,
        threads: usize,
        queue_per_client: usize,
        queue_total: usize,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            ready: Condvar::new(),
            per_client: queue_per_client.max(1),
            total: queue_total.max(1),
        });
        let pool = Self { shared };
        for number in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Does `job` on one of the threads. Dropping the future before the job was begun takes it out
    /// of the queue; a job that was begun runs to its end.
    ///
    /// # Errors
    /// When too much waits already, or the job panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        client: IpAddr,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Overloaded> {
        let (send, receive) = oneshot::channel();
        let work = Box::new(move || {
            // A panic drops `send` unused, which the caller sees as lost.
            if let Ok(outcome) = catch_unwind(AssertUnwindSafe(job)) {
                let _ = send.send(outcome);
            }
        });
        let source = Source::of(client);
        let number = self.shared.enter(source, work)?;
        let _place = Place {
            shared: &self.shared,
            source,
            number,
        };
        receive.await.map_err(|_| Overloaded::Lost)
    }
}

impl Pool {
    /// Has a job of the server's own done when there is time for it, and does not wait.
    ///
    /// # Errors
    /// When too much waits already.
    pub(crate) fn post(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Overloaded> {
        let work = Box::new(move || drop(catch_unwind(AssertUnwindSafe(job))));
        let ourselves = Source::of(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
        self.shared.enter(ourselves, work).map(drop)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let left = {
            let mut queue = self.shared.lock();
            queue.closed = true;
            queue.turn.clear();
            queue.waiting = 0;
            std::mem::take(&mut queue.clients)
        };
        self.shared.ready.notify_all();
        drop(left);
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("waiting", &self.shared.lock().waiting)
            .finish_non_exhaustive()
    }
}

/// A place in the queue, given up when its owner goes.
struct Place<'a> {
    shared: &'a Shared,
    source: Source,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let job = self.shared.lock().remove(self.source, self.number);
        drop(job);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, source: Source, work: Box<dyn FnOnce() + Send>) -> Result<u64, Overloaded> {
        let mut queue = self.lock();
        if queue.waiting >= self.total {
            return Err(Overloaded::Total);
        }
        let number = queue.next;
        let line = queue.clients.entry(source).or_default();
        if line.len() >= self.per_client {
            return Err(Overloaded::Client);
        }
        line.push_back(Job { number, work });
        if line.len() == 1 {
            queue.turn.push_back(source);
        }
        queue.next = queue.next.wrapping_add(1);
        queue.waiting += 1;
        drop(queue);
        self.ready.notify_one();
        Ok(number)
    }

    /// The life of one thread.
    fn work(&self) {
        let mut queue = self.lock();
        while !queue.closed {
            if let Some((source, job)) = queue.take() {
                drop(queue);
                let begun = clock::instant();
                (job.work)();
                let took = clock::instant().saturating_duration_since(begun);
                queue = self.lock();
                queue.charge(source, took);
            } else {
                queue = self
                    .ready
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl Queue {
    /// The next job of the client that has had the least.
    fn take(&mut self) -> Option<(Source, Job)> {
        let clients = self.turn.iter().enumerate();
        let (place, _) = clients.min_by_key(|(_, source)| self.had(source))?;
        let source = self.turn.remove(place)?;
        let line = self.clients.get_mut(&source)?;
        let job = line.pop_front();
        if line.is_empty() {
            self.clients.remove(&source);
        } else {
            self.turn.push_back(source);
        }
        self.waiting = self.waiting.saturating_sub(usize::from(job.is_some()));
        Some((source, job?))
    }

    /// The time that a client has had. Who was away has had his share: nobody saves time up.
    fn had(&self, source: &Source) -> Duration {
        let ahead = self.ahead.get(source).copied().unwrap_or_default();
        ahead.max(self.share)
    }

    /// A job of this client took so long. What one is ahead is forgotten once the others have had as
    /// much, so that memory is that of the clients of the last moments.
    fn charge(&mut self, source: Source, took: Duration) {
        let had = self.had(&source).saturating_add(took);
        self.ahead.insert(source, had);
        let clients = u32::try_from(self.turn.len()).unwrap_or(u32::MAX).max(1);
        self.share = self.share.saturating_add(took / clients);
        let share = self.share;
        self.ahead.retain(|_, had| *had > share);
    }

    fn remove(&mut self, source: Source, number: u64) -> Option<Job> {
        let line = self.clients.get_mut(&source)?;
        let place = line.iter().position(|job| job.number == number)?;
        let job = line.remove(place);
        if line.is_empty() {
            self.clients.remove(&source);
            self.turn.retain(|waiting| *waiting != source);
        }
        self.waiting = self.waiting.saturating_sub(1);
        job
    }
}

#[cfg(test)]
mod tests;
