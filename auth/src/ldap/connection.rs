//! One connection to one server: opened by us, asked one thing at a time, each with a deadline.
//!
//! A connection is dropped whenever it is in doubt: after a deadline, after an error, and when
//! whoever asks goes away in the middle. Dropping it closes the socket and ends its task.
#![expect(
    clippy::disallowed_types,
    reason = "sockets to the directory are opened here, and nowhere else"
)]

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ldap3::result::LdapError as Fault;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::ClientConfig;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::fault::{Answer, LdapError};
use super::library::{connecting, garbage, words};
use super::name::BindName;
use super::password::BindPassword;
use super::policy;
use super::server::{LdapServer, Way};
use crate::clock;

/// A peer that is gone is noticed after about a minute of silence, also behind a firewall that
/// forgets connections.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long sent octets may stay without an answer of the peer's kernel.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

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
        let server = self.server.to_string();
        let opened = timeout_at(deadline.at, guarded(self.connect())).await;
        let (connection, ldap) = match opened {
            Ok(outcome) => outcome
                .unwrap_or_else(|| Err(garbage()))
                .map_err(|fault| connecting(server.clone(), fault))?,
            Err(_) => {
                return Err(LdapError::Late {
                    server,
                    doing: "connecting",
                    within: deadline.within,
                });
            }
        };
        let driver = tokio::spawn(async move {
            // What broke it is told to whoever waits for an answer.
            let _ = connection.drive().await;
        });
        Ok(Connection {
            ldap,
            driver: driver.abort_handle(),
            server: server.into(),
            used: clock::instant(),
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

    async fn connect(&self) -> Result<(LdapConnAsync, Ldap), Fault> {
        let mut settings = LdapConnSettings::new();
        settings = match self.server.way() {
            Way::Tcp { host, port, .. } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                let keep_alive = TcpKeepalive::new()
                    .with_time(KEEP_ALIVE)
                    .with_interval(KEEP_ALIVE / 3);
                let socket = SockRef::from(&stream);
                socket.set_tcp_keepalive(&keep_alive.with_retries(3))?;
                socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
                settings.set_std_stream(StdStream::Tcp(stream.into_std()?))
            }
            Way::Socket(path) => {
                let stream = UnixStream::connect(path).await?;
                settings.set_std_stream(StdStream::Unix(stream.into_std()?))
            }
        };
        if let Some(tls) = &self.tls {
            settings = settings
                .set_config(Arc::clone(tls))
                .set_starttls(self.server.speaks_tls());
        }
        LdapConnAsync::with_settings(settings, &self.server.url()).await
    }
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
            Ok(Some(Err(fault))) => Err(broken(words(&fault))),
            Ok(None) => Err(broken(words(&garbage()))),
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
            Err(_) => std::task::Poll::Ready(None),
        },
    )
    .await
}
