//! Where the server is, who logs in, and how a connection to it is made.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rustls::client::Resumption;
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::Outcome;
use crate::client::Client;

/// The name in the server's certificate.
const HOST: &str = "localhost";

/// Names of users: `u:5000` is `u0` to `u4999`, `b` is `b` alone.
#[derive(Clone)]
pub(crate) struct Users {
    prefix: String,
    count: Option<u64>,
}

impl Users {
    /// The user of a turn: all, one after the other.
    pub(crate) fn name(&self, turn: u64) -> String {
        let prefix = &self.prefix;
        match self.count {
            Some(count) => format!("{prefix}{}", turn % count),
            None => prefix.clone(),
        }
    }
}

impl FromStr for Users {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((prefix, count)) = text.split_once(':') else {
            let prefix = text.to_owned();
            return Ok(Self {
                prefix,
                count: None,
            });
        };
        match count.parse() {
            Ok(0) | Err(_) => Err(format!("{count:?} is not a number of users")),
            Ok(count) => Ok(Self {
                prefix: prefix.to_owned(),
                count: Some(count),
            }),
        }
    }
}

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Protection {
    None,
    Stls,
    Implicit,
}

/// The server as this load sees it.
#[derive(Args, Clone)]
pub(crate) struct Target {
    /// Address and port of the server.
    #[arg(long)]
    address: SocketAddr,
    /// How the connection is protected.
    #[arg(long, value_enum, default_value_t = Protection::None)]
    tls: Protection,
    /// The certificate to trust, in PEM.
    #[arg(long, required_if_eq_any([("tls", "stls"), ("tls", "implicit")]))]
    certificate: Option<PathBuf>,
    /// Resume the TLS session of the connection before.
    #[arg(long)]
    resume: bool,
    /// The address to connect from, and the next ones if there are several `--sources`.
    #[arg(long)]
    source: Option<Ipv4Addr>,
    /// How many addresses to connect from, in turn.
    #[arg(long, default_value_t = 1)]
    sources: u8,
    /// Whose mail: `NAME`, or `PREFIX:COUNT`.
    #[arg(long, default_value = "u:200")]
    pub(crate) users: Users,
    /// The password of all of them.
    #[arg(long, default_value = "right")]
    pub(crate) password: String,
}

impl Target {
    /// Whether there will be TLS.
    pub(crate) fn is_protected(&self) -> bool {
        self.tls != Protection::None
    }

    /// The TLS settings of one client, with a memory of tickets of its own; none without TLS.
    pub(crate) fn connector(&self) -> Outcome<Option<TlsConnector>> {
        let Some(path) = self.certificate.as_ref().filter(|_| self.is_protected()) else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        let said = |error| format!("{}: {error}", path.display());
        roots.add(CertificateDer::from_pem_file(path).map_err(said)?)?;
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        if !self.resume {
            config.resumption = Resumption::disabled();
        }
        Ok(Some(TlsConnector::from(Arc::new(config))))
    }

    /// Connects and reads the greeting; with STLS also that, so that USER can follow.
    pub(crate) async fn connect(
        &self,
        connector: Option<&TlsConnector>,
        turn: u64,
    ) -> Outcome<Client> {
        let tcp = self.open(turn).await.map_err(|error| {
            format!(
                "{}: cannot connect: {error}; is the server running?",
                self.address
            )
        })?;
        tcp.set_nodelay(true)?;
        let Some(connector) = connector else {
            let mut client = Client::new(Box::new(tcp));
            client.ok("the greeting").await?;
            return Ok(client);
        };
        let tcp = if self.tls == Protection::Stls {
            let mut clear = Client::new(Box::new(tcp));
            clear.ok("the greeting").await?;
            clear.command("STLS").await?;
            clear.into_wire()
        } else {
            Box::new(tcp)
        };
        let tls = connector
            .connect(ServerName::try_from(HOST)?, tcp)
            .await
            .map_err(|error| format!("{}: TLS: {error}", self.address))?;
        let resumed = tls.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        let mut client = Client::new(Box::new(tls));
        client.resumed = resumed;
        if self.tls == Protection::Implicit {
            client.ok("the greeting").await?;
        }
        Ok(client)
    }

    /// Connects and logs in as the user of this turn.
    pub(crate) async fn log_in(
        &self,
        connector: Option<&TlsConnector>,
        turn: u64,
    ) -> Outcome<Client> {
        let mut client = self.connect(connector, turn).await?;
        client
            .log_in(&self.users.name(turn), &self.password)
            .await?;
        Ok(client)
    }

    async fn open(&self, turn: u64) -> std::io::Result<TcpStream> {
        let socket = if self.address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        if let Some(first) = self.source {
            let step = u32::try_from(turn % u64::from(self.sources.max(1))).unwrap_or_default();
            let source = Ipv4Addr::from_bits(first.to_bits().saturating_add(step));
            socket.bind((source, 0).into())?;
        }
        socket.connect(self.address).await
    }
}
