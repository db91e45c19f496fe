//! The configuration as meant: plain data that cannot be wrong.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postern_auth::{GssapiSettings, LdapSettings, LoginRule, Policy, WinbindSettings};

use super::{Order, Profile};
use crate::pop3::Utf8;
use crate::store::maildir::Pattern;

/// The configuration as meant. Every value is in its range, and all of them fit together.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that it came from; relative paths in it were taken from its folder.
    pub file: PathBuf,
    /// Whose capabilities and texts clients see.
    pub profile: Profile,
    /// This server's name: ASCII letters, digits, `-` and `.`, at most 253 octets.
    pub hostname: String,
    /// The text of the greeting after `+OK `: printable ASCII, one reply line (512 octets) at
    /// most, no `<`, `>` and no `[` at its beginning.
    pub banner: String,
    /// Who to become after binding when started as root.
    pub run_as: Option<RunAs>,
    /// Where connections are accepted: at least one, no address twice.
    pub listeners: Vec<Listener>,
    /// Certificates: there whenever a listener uses TLS.
    pub tls: Option<Tls>,
    /// The rules of logging in that hold on every listener.
    pub policy: Policy,
    /// How often accounts with open sessions are looked at again; zero for never.
    pub recheck: Duration,
    /// How a domain controller is asked about NTLM; none when nobody asks one.
    pub winbind: Option<WinbindSettings>,
    /// Kerberos; none when there is no keytab.
    pub gssapi: Option<GssapiSettings>,
    /// The file of the local accounts.
    pub users_file: PathBuf,
    /// The key of the NT hashes in it; none when they are in the clear.
    pub users_key: Option<PathBuf>,
    /// The LDAP directory, if one is asked after the local accounts.
    pub ldap: Option<Ldap>,
    /// Where Maildirs are.
    pub maildrop: Pattern,
    /// How much one client, and all of them, may take.
    pub limits: Limits,
    /// How long a silent client is waited for.
    pub timeouts: Timeouts,
    /// How messages are numbered and counted.
    pub messages: Messages,
    /// Which extensions are announced and used.
    pub protocol: Protocol,
    /// What the log looks like; it goes to standard error.
    pub log: Log,
    /// The protocol log in the form of Exchange; none means that there is none.
    pub protocol_log: Option<ProtocolLog>,
}

/// The LDAP directory.
#[derive(Clone, Debug)]
pub struct Ldap {
    /// Everything but the service account's password.
    pub settings: LdapSettings,
    /// The file with that password, where one is needed.
    pub password_file: Option<PathBuf>,
}

/// How often accounts with open sessions are looked at again, where the file does not say.
pub(super) const RECHECK: Duration = Duration::from_secs(300);
/// How long an answer of the directory may take, where the file does not say.
pub(super) const LDAP_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to each server of the directory, where the file does not say.
pub(super) const LDAP_SEARCH_CONNECTIONS: u64 = 8;
/// The same for verifying passwords.
pub(super) const LDAP_BIND_CONNECTIONS: u64 = 4;

/// Who to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// The name of the user.
    pub user: String,
    /// The name of the group; none means the user's own.
    pub group: Option<String>,
}

/// Where connections are accepted, and what is permitted there.
#[derive(Clone, Debug)]
pub struct Listener {
    /// The address; `[::]` takes IPv4 as well; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Whether and when TLS begins.
    pub tls: ListenerTls,
    /// What may be used to log in.
    pub rule: Arc<LoginRule>,
}

/// Whether and when TLS begins on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerTls {
    /// Never: STLS is not there.
    None,
    /// When the client asks with STLS (RFC 2595).
    StartTls,
    /// At once (RFC 8314 §3.2).
    Implicit,
}

impl ListenerTls {
    /// The word in the file and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
        }
    }
}

/// Certificates and versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The one that is shown when no name of `sni` is asked for.
    pub default: CertificateFiles,
    /// Further ones, by the name that the client asks for (lower case).
    pub sni: Vec<(String, CertificateFiles)>,
    /// The oldest version that is accepted.
    pub minimum: TlsVersion,
    /// Certificates that load balancers show in our place, in PEM.
    pub extra_certificates: Vec<PathBuf>,
    /// What is asked of clients; none means that no client is asked for a certificate.
    pub clients: Option<ClientCertificates>,
}

/// Certificates that clients show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Who may have issued them, in PEM.
    pub authorities: PathBuf,
    /// Revocation lists, in PEM or DER. Without any, nothing is revoked.
    pub revocation: Vec<PathBuf>,
    /// Whether a client without a certificate is turned away.
    pub required: bool,
}

/// A certificate with its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and its intermediates, the server's own first.
    pub certificate: PathBuf,
    /// The private key.
    pub private_key: PathBuf,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// How much one client, and all of them, may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command line, with its CRLF: 40 to 1024.
    pub max_command: usize,
    /// Octets of a line within an AUTH exchange, with its CRLF: 12 KiB to 1 MiB.
    pub max_sasl_line: usize,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Connections from one address; an IPv4-mapped one counts as IPv4.
    pub max_connections_per_source: usize,
    /// Sessions of one account after login.
    pub max_connections_per_user: usize,
}

impl Limits {
    /// What Set-PopSettings writes for "no limit".
    pub const UNLIMITED: u64 = 2_147_483_647;
}

/// How long things may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A silent client after login.
    pub authenticated: Duration,
    /// A silent client before login.
    pub pre_authenticated: Duration,
    /// How long sessions may go on after SIGTERM.
    pub drain: Duration,
}

/// How messages are numbered and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Messages {
    /// Which message is number 1.
    pub order: Order,
    /// Whether STAT and LIST count every octet that RETR will send.
    pub exact_size: bool,
}

/// Which extensions are announced and used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// PIPELINING (RFC 2449 §6.6) is announced. Pipelined commands are always understood.
    pub pipelining: bool,
    /// RESP-CODES and AUTH-RESP-CODE (RFC 2449 §6.4, RFC 3206) are announced and used.
    pub response_codes: bool,
    /// Whether UTF8 (RFC 6856) is offered, and what holds without it.
    pub utf8: Utf8,
    /// LANG (RFC 6856) is announced and understood.
    pub lang: bool,
}

/// What the log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// For people or for programs.
    pub format: LogFormat,
    /// The least important records that are written.
    pub level: LogLevel,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text a record.
    Human,
    /// One JSON object a record.
    Json,
}

/// Importance of log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// The server cannot do its work.
    Error,
    /// Something to look after.
    Warn,
    /// Starts, stops, logins.
    Info,
    /// Every command, without arguments that may be secret.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word in the file, which is also tracing's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl TlsVersion {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

impl Order {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl LogFormat {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// Where the protocol log is, and when its next file begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolLog {
    /// The folder of its files.
    pub folder: PathBuf,
    /// When the next file begins.
    pub rolling: Rolling,
}

/// When the next file of the protocol log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rolling {
    /// With each period, in UTC.
    Every(Period),
    /// When the next record would make the file larger than this, in octets.
    AtSize(u64),
    /// Never.
    Never,
}

/// How long a file of the protocol log is written to, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From each full hour.
    Hourly,
    /// From midnight.
    Daily,
    /// From midnight before Monday.
    Weekly,
    /// From the first of the month.
    Monthly,
}

impl Period {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }
}
