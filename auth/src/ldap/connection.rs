//! One connection to one server: opened by us, asked one thing at a time, each with a deadline.
//!
//! A connection is dropped whenever it is in doubt: after a deadline, after an error, and when
//! whoever asks goes away in the middle. Dropping it closes the socket and ends its task.
//!
//! The LDAP library takes sockets of the system alone, and no stream of ours. So it has one end of a
//! pair of sockets, and what goes through the pair is carried to and from the server, held to the
//! bounds of [`super::bounds`].

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use ldap3::result::LdapError as Fault;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::ClientConfig;
use tokio::io::copy_bidirectional;
use tokio::net::UnixStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::bounds::Excess;
use super::fault::{Answer, LdapError};
use super::library::words;
use super::name::BindName;
use super::password::BindPassword;
use super::policy;
use super::server::LdapServer;
use super::socket::{self, Stream};
use crate::clock;

/// As whom searches are made.
#[derive(Clone, Debug)]
pub(super) enum Service {
    /// As nobody.
    Anonymous,
    /// By name and password.
    Simple(BindName, BindPassword),
    /// As who we are to TLS or to the kernel (SASL EXTERNAL).
    External,
}

/// How connections to one server are made.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) server: LdapServer,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) service: Service,
}

/// An open connection.
pub(super) struct Connection {
    ldap: Ldap,
    driver: AbortHandle,
    server: Arc<str>,
    /// Why it broke, once it has, if that is known here.
    broken: Arc<OnceLock<String>>,
    /// When it was last of use.
    pub(super) used: Instant,
}

/// Until when something is waited for, and how long that was from the beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    pub(super) within: Duration,
}

impl Deadline {
    pub(super) fn after(within: Duration) -> Self {
        Self {
            at: clock::instant() + within,
            within,
        }
    }

    /// What is left of it.
    pub(super) fn left(&self) -> Duration {
        self.at.saturating_duration_since(clock::instant())
    }
}

impl Connector {
    /// Connects; under TLS where the server's address says so.
    pub(super) async fn open(&self, deadline: Deadline) -> Result<Connection, LdapError> {
        let opened = timeout_at(deadline.at, self.connect()).await;
        opened.unwrap_or_else(|_| {
            Err(LdapError::Late {
                server: self.server.to_string(),
                doing: "connecting",
                within: deadline.within,
            })
        })
    }

    /// Connects, and binds as the service account.
    pub(super) async fn open_as_service(
        &self,
        deadline: Deadline,
    ) -> Result<Connection, LdapError> {
        let mut connection = self.open(deadline).await?;
        let (account, result) = match &self.service {
            Service::Anonymous => return Ok(connection),
            Service::Simple(name, password) => (
                name.as_str().to_owned(),
                connection.bind(name, password, deadline).await?,
            ),
            Service::External => {
                let mut ldap = connection.handle();
                let bind = ldap.sasl_external_bind();
                let result = connection.within("binding", deadline, bind).await?;
                ("by EXTERNAL".to_owned(), Answer::from(result))
            }
        };
        match result.code {
            0 => Ok(connection),
            // Wrong, locked, disabled: to ask again soon would make it worse.
            49 | 7 => Err(LdapError::Service {
                server: self.server.to_string(),
                account,
                answer: result,
            }),
            _ => Err(LdapError::Refused {
                server: self.server.to_string(),
                doing: "binding as the service account",
                answer: result,
            }),
        }
    }

    async fn connect(&self) -> Result<Connection, LdapError> {
        let stream = socket::open(&self.server, self.tls.as_ref()).await?;
        let (driver, ldap, ours) = library().await.map_err(|fault| LdapError::Broken {
            server: self.server.to_string(),
            doing: "connecting",
            reason: words(&fault),
        })?;
        let broken = Arc::new(OnceLock::new());
        let task = tokio::spawn(drive(driver, ours, stream, Arc::clone(&broken)));
        Ok(Connection {
            ldap,
            driver: task.abort_handle(),
            server: self.server.to_string().into(),
            broken,
            used: clock::instant(),
        })
    }
}

/// The library at one end of a pair of sockets, and the other end.
async fn library() -> Result<(LdapConnAsync, Ldap, UnixStream), Fault> {
    let (ours, its) = UnixStream::pair()?;
    let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(its.into_std()?));
    // The address is not looked at beside an open socket.
    let (driver, ldap) = LdapConnAsync::with_settings(settings, "ldapi://socket").await?;
    Ok((driver, ldap, ours))
}

/// Carries octets between the library and the server until one of them ends, and has the library
/// read them.
async fn drive(
    driver: LdapConnAsync,
    mut ours: UnixStream,
    mut stream: Box<dyn Stream>,
    broken: Arc<OnceLock<String>>,
) {
    let mut driver = pin!(driver.drive());
    let mut carrier = pin!(copy_bidirectional(&mut ours, &mut stream));
    poll_fn(|context| {
        // What broke it is told to whoever waits for an answer.
        if let Poll::Ready(end) = carrier.as_mut().poll(context) {
            let _ = end.map_err(|error| broken.set(error.to_string()));
            return Poll::Ready(());
        }
        driver.as_mut().poll(context).map(drop)
    })
    .await;
}

impl Connection {
    /// A simple bind. Afterwards the connection is whoever it was bound as.
    pub(super) async fn bind(
        &mut self,
        name: &BindName,
        password: &BindPassword,
        deadline: Deadline,
    ) -> Result<Answer, LdapError> {
        let mut ldap = self.handle();
        ldap.with_controls(policy::asked());
        let bind = ldap.simple_bind(name.as_str(), password.expose());
        Ok(self.within("binding", deadline, bind).await?.into())
    }

    /// What questions are asked with.
    pub(super) fn handle(&self) -> Ldap {
        self.ldap.clone()
    }

    /// Waits for the answer to a question until the deadline. After an error the connection is in
    /// doubt.
    pub(super) async fn within<T>(
        &mut self,
        doing: &'static str,
        deadline: Deadline,
        question: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, LdapError> {
        let answer = timeout_at(deadline.at, guarded(question)).await;
        let broken = |reason: String| LdapError::Broken {
            server: self.server.to_string(),
            doing,
            reason,
        };
        match answer {
            Ok(Some(Ok(answer))) => {
                self.used = clock::instant();
                Ok(answer)
            }
            Ok(Some(Err(fault))) => {
                let known = self.broken.get();
                Err(broken(known.cloned().unwrap_or_else(|| words(&fault))))
            }
            Ok(None) => Err(broken(Excess::Form.to_string())),
            Err(_) => Err(LdapError::Late {
                server: self.server.to_string(),
                doing,
                within: deadline.within,
            }),
        }
    }

    /// Whether the server has closed it, as far as is known.
    pub(super) fn is_closed(&mut self) -> bool {
        self.driver.is_finished() || self.ldap.is_closed()
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The LDAP library gives up on some malformed messages by a panic. It is no more than a broken
/// connection, as nothing of the connection is used afterwards.
async fn guarded<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}
