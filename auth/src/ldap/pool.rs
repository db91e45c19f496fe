//! Connections kept open to one server: some for searches, bound as the service account, and some
//! for binds, each of which makes its connection somebody else's.
//!
//! A connection goes back only after an answer that was surely its own. Whoever goes away in the
//! middle takes the connection along.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, BuildError, Metrics, Object, PoolConfig, PoolError, RecycleError, RecycleResult,
    TimeoutType, Timeouts,
};

use tokio::time::timeout_at;

use super::connection::{Connection, Connector, Deadline};
use super::fault::LdapError;
use super::search;

/// A connection that was idle for longer is asked something before it is relied on: firewalls
/// forget, and servers close what is idle.
const IDLE: Duration = Duration::from_secs(20);
/// How long that may take.
const STILL_THERE: Duration = Duration::from_secs(1);

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
pub(super) struct Connections {
    pool: managed::Pool<Manager>,
    server: String,
}

impl Connections {
    /// Opens nothing yet. At most `most` connections are open at a time.
    pub(super) fn new(
        connector: &Arc<Connector>,
        role: Role,
        most: usize,
        within: Duration,
    ) -> Result<Self, BuildError> {
        let manager = Manager {
            connector: Arc::clone(connector),
            role,
            within,
        };
        let builder = managed::Pool::builder(manager)
            .config(PoolConfig::new(most.max(1)))
            .runtime(Runtime::Tokio1);
        Ok(Self {
            pool: builder.build()?,
            server: connector.server.to_string(),
        })
    }

    /// A connection; waits for one that comes free, or opens one.
    pub(super) async fn lease(&self, deadline: Deadline) -> Result<Lease, LdapError> {
        let left = Some(deadline.left());
        let timeouts = Timeouts {
            wait: left,
            create: left,
            recycle: left,
        };
        // Idle connections are looked at one after the other, each with a time of its own: behind a
        // server that vanished, many of them would take longer than there is.
        let leased = timeout_at(deadline.at, self.pool.timeout_get(&timeouts)).await;
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

    /// Closes what is idle: it may be as broken as the one that was just found to be.
    pub(super) fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// How many connections are open.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.pool.status().size
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
