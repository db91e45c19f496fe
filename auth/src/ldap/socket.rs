//! Sockets to the servers of the directory, under TLS where their address says so. A stream that
//! comes from here is held to the bounds of one answer for each question.
#![expect(
    clippy::disallowed_types,
    reason = "sockets to the directory are opened here, and nowhere else"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::addresses;
use super::bounds::Bounded;
use super::fault::LdapError;
use super::server::{LdapServer, Security, Way};
use super::start_tls;

/// A peer that is gone is noticed after about a minute of silence, also behind a firewall that
/// forgets connections.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long sent octets may stay without an answer of the peer's kernel.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A stream to a server.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens a stream to a server.
pub(super) async fn open(
    server: &LdapServer,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>, LdapError> {
    let unreachable = |source| LdapError::Unreachable {
        server: server.to_string(),
        source,
    };
    match server.way() {
        Way::Tcp {
            host,
            port,
            security,
        } => {
            let found = lookup_host((host.as_str(), *port))
                .await
                .map_err(unreachable)?;
            let mut stream = tcp(found.collect()).await.map_err(unreachable)?;
            match (security, tls) {
                (Security::Clear, _) => Ok(Box::new(Bounded::new(stream))),
                (Security::Tls, Some(tls)) => secure(server, host, stream, tls).await,
                (Security::StartTls, Some(tls)) => {
                    start(server, &mut stream).await?;
                    secure(server, host, stream, tls).await
                }
                // Never in the clear instead.
                (Security::Tls | Security::StartTls, None) => Err(LdapError::Tls {
                    server: server.to_string(),
                    reason: "it is not set up".to_owned(),
                }),
            }
        }
        Way::Socket(path) => {
            let stream = UnixStream::connect(path).await.map_err(unreachable)?;
            Ok(Box::new(Bounded::new(stream)))
        }
    }
}

/// Connects to the first of a host's addresses that answers.
pub(super) async fn tcp(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let stream = addresses::first(addresses, TcpStream::connect).await?;
    stream.set_nodelay(true)?;
    let keep_alive = TcpKeepalive::new()
        .with_time(KEEP_ALIVE)
        .with_interval(KEEP_ALIVE / 3);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keep_alive.with_retries(3))?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(stream)
}

/// Has the server begin TLS.
async fn start(server: &LdapServer, stream: &mut TcpStream) -> Result<(), LdapError> {
    let answer = start_tls::ask(stream)
        .await
        .map_err(|error| LdapError::Broken {
            server: server.to_string(),
            doing: "asking for StartTLS",
            reason: error.to_string(),
        })?;
    match answer.code {
        0 => Ok(()),
        _ => Err(LdapError::Tls {
            server: server.to_string(),
            reason: format!("StartTLS: {answer}"),
        }),
    }
}

/// TLS, with a server that proves to be this host.
async fn secure(
    server: &LdapServer,
    host: &str,
    stream: TcpStream,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, LdapError> {
    let refused = |reason: String| LdapError::Tls {
        server: server.to_string(),
        reason,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refused(error.to_string()))?;
    let connector = TlsConnector::from(Arc::clone(tls));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(Bounded::new(stream))),
        Err(error)
            if error
                .get_ref()
                .is_some_and(|inner| inner.is::<rustls::Error>()) =>
        {
            Err(refused(error.to_string()))
        }
        Err(source) => Err(LdapError::Unreachable {
            server: server.to_string(),
            source,
        }),
    }
}
