//! A bounded pool of threads for work that takes long: password hashes, disk, C libraries.
//!
//! It never grows, never lets one client's queue stand before another's, and never keeps a caller
//! waiting for work that was given up. Turns are fair by the time that jobs take, not by their
//! number: who brings slow jobs has fewer of them. A job that is known to be quick waits for no slow
//! one: a pool may keep a thread for those.

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
/// delays another client by at most one job per thread. A thread is kept for quick jobs, where the
/// pool was asked to: one more than there are cores, it gets its time from the system as soon as it
/// has something to do. Dropping the pool drops what waits; its
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
    /// For the thread that is kept for quick jobs.
    quick_ready: Condvar,
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
    /// Whether the thread for quick jobs waits for one.
    quick_waits: bool,
    closed: bool,
}

struct Job {
    number: u64,
    pace: Pace,
    work: Box<dyn FnOnce() + Send>,
}

/// How long a job takes, as far as its owner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A few milliseconds at most.
    Quick,
    /// Longer, or nobody knows.
    Any,
}

impl Pace {
    /// Whether a thread for jobs of this pace may do that job.
    fn takes(self, job: &Job) -> bool {
        self == Self::Any || job.pace == Self::Quick
    }
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
            quick_ready: Condvar::new(),
            per_client: queue_per_client.max(1),
            total: queue_total.max(1),
        });
        let pool = Self { shared };
        for number in 0..threads.max(1) {
            pool.employ(format!("{name}-{number}"), Pace::Any)?;
        }
        Ok(pool)
    }

    /// With one thread more, named `name`, which does nothing but quick jobs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn with_quick_thread(self, name: &str) -> io::Result<Self> {
        self.employ(name.to_owned(), Pace::Quick)?;
        Ok(self)
    }

    fn employ(&self, name: String, pace: Pace) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new()
            .name(name)
            .spawn(move || shared.work(pace))?;
        Ok(())
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
        self.run_at(Pace::Any, client, job).await
    }

    /// As [`Self::run`], for a job of which the pace is known. A quick job does not wait for slow
    /// ones where a thread is kept for it, but for those of its own client that came before it.
    ///
    /// # Errors
    /// When too much waits already, or the job panicked.
    pub async fn run_at<T: Send + 'static>(
        &self,
        pace: Pace,
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
        let number = self.shared.enter(source, pace, work)?;
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
        self.shared.enter(ourselves, Pace::Any, work).map(drop)
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
        self.shared.quick_ready.notify_all();
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

    fn enter(
        &self,
        source: Source,
        pace: Pace,
        work: Box<dyn FnOnce() + Send>,
    ) -> Result<u64, Overloaded> {
        let mut queue = self.lock();
        if queue.waiting >= self.total {
            return Err(Overloaded::Total);
        }
        let number = queue.next;
        let line = queue.clients.entry(source).or_default();
        if line.len() >= self.per_client {
            return Err(Overloaded::Client);
        }
        line.push_back(Job { number, pace, work });
        if line.len() == 1 {
            queue.turn.push_back(source);
        }
        queue.next = queue.next.wrapping_add(1);
        queue.waiting += 1;
        if !self.wakes_quick_thread(&mut queue) {
            self.ready.notify_one();
        }
        Ok(number)
    }

    /// Wakes the thread for quick jobs if it waits and there is one: it goes first, for another
    /// thread that is free may be needed for a slow one in the next moment.
    fn wakes_quick_thread(&self, queue: &mut Queue) -> bool {
        let wakes = queue.quick_waits && queue.first(Pace::Quick).is_some();
        if wakes {
            queue.quick_waits = false;
            self.quick_ready.notify_one();
        }
        wakes
    }

    /// The life of one thread, which takes jobs of this pace.
    fn work(&self, pace: Pace) {
        let mut queue = self.lock();
        while !queue.closed {
            let Some((source, job)) = queue.take(pace) else {
                queue = self.rest(pace, queue);
                continue;
            };
            // A quick job may have waited behind this one.
            self.wakes_quick_thread(&mut queue);
            drop(queue);
            let begun = clock::instant();
            (job.work)();
            let took = clock::instant().saturating_duration_since(begun);
            queue = self.lock();
            queue.charge(source, took);
        }
    }

    /// Until there may be something to do.
    fn rest<'a>(&'a self, pace: Pace, mut queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        let ready = match pace {
            Pace::Quick => {
                queue.quick_waits = true;
                &self.quick_ready
            }
            Pace::Any => &self.ready,
        };
        ready.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The place of the client that has had the least, of those whose next job a thread for this
    /// pace takes.
    fn first(&self, pace: Pace) -> Option<usize> {
        let takes = |source: &Source| {
            let next = self.clients.get(source).and_then(VecDeque::front);
            next.is_some_and(|job| pace.takes(job))
        };
        let clients = self.turn.iter().enumerate();
        let clients = clients.filter(|(_, source)| takes(source));
        clients
            .min_by_key(|(_, source)| self.had(source))
            .map(|(place, _)| place)
    }

    /// That client's next job.
    fn take(&mut self, pace: Pace) -> Option<(Source, Job)> {
        let place = self.first(pace)?;
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
