//! Connections kept open to one server: some for searches, bound as the service account, and some
//! for binds, each of which makes its connection somebody else's.
//!
//! A connection goes back only after an answer that was surely its own. Whoever goes away in the
//! middle takes the connection along.

use std::num::NonZero;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, BuildError, Metrics, Object, PoolConfig, PoolError, RecycleError, RecycleResult,
    TimeoutType, Timeouts,
};

use tokio::time::{timeout, timeout_at};

use super::connection::{Connection, Connector, Deadline};
use super::fault::LdapError;
use super::search;

/// A connection that was idle for longer is asked something before it is relied on: firewalls
/// forget, and servers close what is idle.
const IDLE: Duration = Duration::from_secs(20);
/// How long that may take.
const STILL_THERE: Duration = Duration::from_secs(1);

/// How long a login waits for a connection of its own thread before it looks at those of the others.
const LOOK_AROUND: Duration = Duration::from_millis(500);

thread_local! {
    /// Which part of the connections is this thread's own.
    static NUMBER: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Searches, as the service account.
    Search,
    /// Binds, as whoever logs in.
    Bind,
}

/// Makes connections for a pool.
pub(super) struct Manager {
    connector: Arc<Connector>,
    role: Role,
    within: Duration,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = LdapError;

    async fn create(&self) -> Result<Connection, LdapError> {
        let deadline = Deadline::after(self.within);
        match self.role {
            Role::Search => self.connector.open_as_service(deadline).await,
            Role::Bind => self.connector.open(deadline).await,
        }
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<LdapError> {
        if connection.is_closed() {
            return Err(RecycleError::message("closed by the server"));
        }
        if connection.used.elapsed() < IDLE {
            return Ok(());
        }
        let deadline = Deadline::after(STILL_THERE.min(self.within));
        search::root(connection, deadline)
            .await
            .map_err(RecycleError::Backend)
    }
}

/// The connections to one server for one purpose.
///
/// A connection is read and written by the thread that opened it. So the threads share them out: each
/// takes those of a part of its own first, and another's before it opens one or waits. What is asked over
/// a connection of one's own wakes no other thread.
pub(super) struct Connections {
    parts: Vec<managed::Pool<Manager>>,
    server: String,
}

type Got = Result<Object<Manager>, PoolError<LdapError>>;

impl Connections {
    /// Opens nothing yet. At most `most` connections are open at a time, in all parts together.
    pub(super) fn new(
        connector: &Arc<Connector>,
        role: Role,
        most: usize,
        within: Duration,
    ) -> Result<Self, BuildError> {
        let most = most.max(1);
        let threads = available_parallelism().map_or(1, NonZero::get).min(most);
        let part = |number| {
            let manager = Manager {
                connector: Arc::clone(connector),
                role,
                within,
            };
            let share = most / threads + usize::from(number < most % threads);
            let builder = managed::Pool::builder(manager)
                .config(PoolConfig::new(share))
                .runtime(Runtime::Tokio1);
            builder.build()
        };
        Ok(Self {
            parts: (0..threads).map(part).collect::<Result<_, _>>()?,
            server: connector.server.to_string(),
        })
    }

    /// A connection; waits for one that comes free, or opens one.
    pub(super) async fn lease(&self, deadline: Deadline) -> Result<Lease, LdapError> {
        // Idle connections are looked at one after the other, each with a time of its own: behind a
        // server that vanished, many of them would take longer than there is.
        let leased = timeout_at(deadline.at, self.get(deadline)).await;
        match leased.unwrap_or(Err(PoolError::Timeout(TimeoutType::Recycle))) {
            Ok(object) => Ok(Lease {
                reused: object_is_reused(&object),
                object: Some(object),
            }),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(LdapError::Busy {
                server: self.server.clone(),
                within: deadline.within,
            }),
            Err(PoolError::Backend(error)) => Err(error),
            Err(
                PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle)
                | PoolError::Closed
                | PoolError::NoRuntimeSpecified
                | PoolError::PostCreateHook(_),
            ) => Err(LdapError::Late {
                server: self.server.clone(),
                doing: "connecting",
                within: deadline.within,
            }),
        }
    }

    /// One that is idle, or else a new one; of this thread's own part, or else of another's. Whoever has to
    /// wait keeps its place in the queue of its own part, and looks at the others now and then.
    async fn get(&self, deadline: Deadline) -> Got {
        let left = Some(deadline.left());
        let patient = Timeouts {
            wait: left,
            create: left,
            recycle: left,
        };
        let at_once = Timeouts {
            wait: Some(Duration::ZERO),
            ..patient
        };
        let own = NUMBER.with(|number| number % self.parts.len());
        let (others, from_own) = self.parts.split_at(own);
        let in_turn = || from_own.iter().chain(others);
        let mut waiting = pin!(async {
            match from_own.first() {
                Some(own) => own.timeout_get(&patient).await,
                None => Err(PoolError::Closed),
            }
        });
        loop {
            let idle = in_turn().filter(|part| part.status().available > 0);
            for part in idle.chain(in_turn()) {
                match part.timeout_get(&at_once).await {
                    Err(PoolError::Timeout(TimeoutType::Wait)) => {}
                    got => return got,
                }
            }
            if let Ok(got) = timeout(LOOK_AROUND, waiting.as_mut()).await {
                return got;
            }
        }
    }

    /// Closes what is idle: it may be as broken as the one that was just found to be.
    pub(super) fn forget_idle(&self) {
        for part in &self.parts {
            part.retain(|_, _| false);
        }
    }

    /// How many connections are open.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.parts.iter().map(|part| part.status().size).sum()
    }
}

fn object_is_reused(object: &Object<Manager>) -> bool {
    Object::metrics(object).recycle_count > 0
}

/// A connection in use. Dropped as it is, the connection is closed.
pub(super) struct Lease {
    object: Option<Object<Manager>>,
    /// Whether it was open before, and may have been closed since.
    pub(super) reused: bool,
}

impl Lease {
    /// The connection; none once it was given back, which consumes the lease.
    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        self.object.as_deref_mut()
    }

    /// Gives the connection back, as its last answer was its own.
    pub(super) fn give_back(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}
