//! Where the server is, who logs in, and how a connection to it is made.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
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
use crate::mechanism::Mechanism;

/// The name in the server's certificate.
const HOST: &str = "localhost";

/// Names of users: `u:5000` is `u0` to `u4999`, `u00001:2000` is `u00001` to `u02000`, `b` is `b`
/// alone.
#[derive(Clone)]
pub(crate) struct Users {
    prefix: String,
    first: u64,
    digits: usize,
    count: Option<u64>,
}

impl Users {
    /// The user of a turn: all, one after the other.
    pub(crate) fn name(&self, turn: u64) -> String {
        let prefix = &self.prefix;
        match self.count {
            Some(count) => {
                let number = self.first + turn % count;
                format!("{prefix}{number:0digits$}", digits = self.digits)
            }
            None => prefix.clone(),
        }
    }
}

impl FromStr for Users {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((first, count)) = text.split_once(':') else {
            return Ok(Self {
                prefix: text.to_owned(),
                first: 0,
                digits: 0,
                count: None,
            });
        };
        let is_digit = |last: char| last.is_ascii_digit();
        let (prefix, digits) = first.split_at(first.trim_end_matches(is_digit).len());
        let count = count.parse().ok().filter(|count| *count > 0);
        Ok(Self {
            prefix: prefix.to_owned(),
            first: if digits.is_empty() {
                Ok(0)
            } else {
                digits.parse()
            }
            .map_err(|_| format!("{digits:?} is too large a number"))?,
            digits: digits.len(),
            count: Some(count.ok_or_else(|| format!("{text:?} has no number of users"))?),
        })
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
    password: String,
    /// How they log in.
    #[arg(long, value_enum, default_value_t = Mechanism::UserPass)]
    mechanism: Mechanism,
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
        let mut config = trusting(path)?;
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
        self.authenticate(&mut client, turn).await?;
        Ok(client)
    }

    /// Logs in as the user of this turn.
    pub(crate) async fn authenticate(&self, client: &mut Client, turn: u64) -> Outcome<()> {
        let user = self.users.name(turn);
        self.mechanism.log_in(client, &user, &self.password).await
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

/// TLS settings that trust what this file says, in PEM.
pub(crate) fn trusting(path: &Path) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let said = |error| format!("{}: {error}", path.display());
    roots.add(CertificateDer::from_pem_file(path).map_err(said)?)?;
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}
