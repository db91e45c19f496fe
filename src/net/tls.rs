//! TLS: certificates by the name that the client asks for, and the handshake.
//!
//! The certificate is chosen before the handshake goes on, so that it is known which one the client
//! saw; channel bindings need that. Every reload makes new ticket keys: a resumed session would
//! otherwise still be bound to a certificate that is gone.
#![expect(clippy::disallowed_types, reason = "the door is where sockets are")]
#![expect(
    clippy::disallowed_methods,
    reason = "the door is where time is looked at"
)]

mod clients;
mod end_point;
mod files;
mod shown;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{Acceptor, ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection, SupportedProtocolVersion,
    version,
};
use rustls_pki_types::UnixTime;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use postern_auth::TlsFacts;

use crate::config::{self, CertificateFiles, TlsVersion};

pub use clients::ClientFiles;
use clients::Clients;
use end_point::server_end_point;
pub use files::TlsError;
use files::{certificates, certified_key, unreadable};
use shown::{Sessions, Tickets};

/// Tickets sent after a full handshake of TLS 1.3. Each one costs; clients use one.
const TICKETS: usize = 1;

/// How long a certificate that was replaced stays known to bind to: until the other servers of the
/// same name have the new one. Not for ever, as it may have been replaced because its key was lost:
/// whoever has that key could hand on the logins of those who still believe in it.
const REPLACED_STAYS: Duration = Duration::from_hours(24);

/// The certificates of one generation of the configuration.
pub struct Tls {
    default: Presented,
    /// By lower-case name.
    by_name: Vec<(String, Presented)>,
    /// Bindings to certificates that others show in our place.
    extra_end_points: Arc<[Arc<[u8]>]>,
}

/// A certificate, as clients get to see it.
struct Presented {
    config: Arc<ServerConfig>,
    /// The channel binding to it.
    end_point: Option<Arc<[u8]>>,
    /// The last other certificate that this name had in this process.
    previous: Option<Replaced>,
}

/// A certificate that another one took the place of.
#[derive(Clone)]
struct Replaced {
    end_point: Arc<[u8]>,
    at: Instant,
}

impl Tls {
    /// Loads the default pair and those for other names. `before` is the generation that this one
    /// takes the place of: clients may still be bound to its certificates.
    ///
    /// # Errors
    /// [`TlsError`] names the file and the remedy.
    pub fn load(config: &config::Tls, before: Option<&Self>) -> Result<Self, TlsError> {
        let mut tls = Self::anew(config)?;
        if let Some(before) = before {
            let now = Instant::now();
            tls.default.follows(&before.default, now);
            for (name, presented) in &mut tls.by_name {
                presented.follows(before.presented_to(Some(name)), now);
            }
        }
        Ok(tls)
    }

    fn anew(config: &config::Tls) -> Result<Self, TlsError> {
        let generation = Generation::begin(config)?;
        let by_name = config
            .sni
            .iter()
            .map(|(name, pair)| Ok((name.to_ascii_lowercase(), generation.presented(pair)?)));
        Ok(Self {
            by_name: by_name.collect::<Result<_, TlsError>>()?,
            default: generation.presented(&config.default)?,
            extra_end_points: extra_end_points(&config.extra_certificates)?,
        })
    }

    /// The channel bindings to certificates that load balancers show in our place.
    pub(super) fn extra_end_points(&self) -> Arc<[Arc<[u8]>]> {
        Arc::clone(&self.extra_end_points)
    }

    /// The handshake; the caller holds the clock.
    pub(super) async fn handshake(
        &self,
        tcp: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, TlsFacts)> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        let presented = self.presented_to(start.client_hello().server_name());
        let stream = shown::within(start.into_stream(presented.config.clone())).await?;
        let facts = facts(stream.get_ref().1, presented);
        Ok((stream, facts))
    }

    /// A name that nobody configured gets the default: clients check the certificate themselves.
    fn presented_to(&self, name: Option<&str>) -> &Presented {
        let name = name.unwrap_or_default().trim_end_matches('.');
        let found = self
            .by_name
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&self.default, |(_, presented)| presented)
    }
}

impl Presented {
    /// Takes the place of another certificate, or of the same one.
    fn follows(&mut self, before: &Self, at: Instant) {
        self.previous = if self.end_point == before.end_point {
            before.previous.clone()
        } else {
            let end_point = before.end_point.clone();
            end_point.map(|end_point| Replaced { end_point, at })
        };
    }

    /// The binding to the certificate before this one, while it counts.
    fn previous_end_point(&self, now: Instant) -> Option<Arc<[u8]>> {
        let replaced = self.previous.as_ref()?;
        let counts = now.saturating_duration_since(replaced.at) < REPLACED_STAYS;
        counts.then(|| Arc::clone(&replaced.end_point))
    }
}

/// What all certificates of one load have in common.
struct Generation {
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
    ticketer: Arc<dyn ProducesTickets>,
    clients: Option<Arc<Clients>>,
}

impl Generation {
    fn begin(config: &config::Tls) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients = config.clients.as_ref();
        let clients = clients.map(|clients| Clients::load(clients, UnixTime::now()));
        Ok(Self {
            versions: match config.minimum {
                TlsVersion::Tls12 => vec![&version::TLS13, &version::TLS12],
                TlsVersion::Tls13 => vec![&version::TLS13],
            },
            ticketer: aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?,
            clients: clients.transpose()?.map(Arc::new),
            provider,
        })
    }

    fn presented(&self, pair: &CertificateFiles) -> Result<Presented, TlsError> {
        let key = certified_key(pair)?;
        let der = key.end_entity_cert().ok();
        let end_point = der.and_then(|der| server_end_point(der));
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&self.versions)
            .map_err(TlsError::Setup)?;
        let resolver = Arc::new(Only(Arc::new(key)));
        let mut config = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(clients.clone()),
        }
        .with_cert_resolver(resolver);
        config.ticketer = Arc::new(Tickets(self.ticketer.clone()));
        // New with each load, as the ticket keys are.
        config.session_storage = Arc::new(Sessions(config.session_storage.clone()));
        config.send_tls13_tickets = TICKETS;
        // Enforced when the client offers ALPN at all, so that a session of another protocol
        // cannot be led here (RFC 7301, ALPACA).
        config.alpn_protocols = vec![b"pop3".to_vec()];
        let config = Arc::new(config);
        Ok(Presented {
            config,
            end_point,
            previous: None,
        })
    }
}

/// What a finished handshake proves. A resumed session showed the same certificate: its ticket is
/// of this generation, and good for no other name.
fn facts(connection: &ServerConnection, presented: &Presented) -> TlsFacts {
    // RFC 9266 §4.2: no uniqueness without the extended master secret, so not before TLS 1.3.
    let is_13 = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let exported = is_13.then(|| {
        connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]))
    });
    // No session with a certificate can be resumed; should one be, its certificate was not judged.
    let judged = connection.handshake_kind() != Some(HandshakeKind::Resumed);
    let shown = connection.peer_certificates().filter(|_| judged);
    let certificate = shown.and_then(<[_]>::first);
    TlsFacts {
        exporter: exported.and_then(Result::ok),
        server_end_point: presented.end_point.clone(),
        previous_end_point: presented.previous_end_point(Instant::now()),
        client_certificate: certificate.map(|der| der.as_ref().into()),
    }
}

/// The bindings to the first certificate of each file; a chain may follow it.
fn extra_end_points(paths: &[PathBuf]) -> Result<Arc<[Arc<[u8]>]>, TlsError> {
    let end_point = |path: &PathBuf| {
        let first = certificates(path)?.into_iter().next();
        let first = first.ok_or_else(|| unreadable(path, &"there is no certificate in it"))?;
        server_end_point(&first).ok_or_else(|| {
            let problem = "its signature defines no hash, so clients cannot bind to it";
            unreadable(path, &problem)
        })
    };
    paths.iter().map(end_point).collect()
}

/// The one certificate of a configuration.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}
