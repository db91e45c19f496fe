//! Everything that the server tells its administrator: typed, without a secret, in one place.
//!
//! A record's message is a fixed word; what varies is in its fields. Names typed by clients come
//! here only through a [`LoginRecord`], which has bounded and escaped them.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use postern_auth::{Audit, Holder, Known, LoginRecord, NtlmForm, Reason};
use tracing::{debug, error, info, warn};

use crate::pop3::Ending;
use crate::store::{RemoveError, StoreError};

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A listener accepts connections.
    Listening {
        /// With the real port.
        address: SocketAddr,
        /// `none`, `starttls` or `implicit`.
        tls: &'static str,
    },
    /// All listeners accept connections.
    Ready,
    /// The server no longer accepts connections and waits for sessions to end.
    Stopping,
    /// The last session has ended, or the time for it was up.
    Stopped {
        /// Sessions that were cut off.
        cut_off: usize,
        /// Records that were not written because the log could not keep up.
        lost_records: usize,
    },
    /// A new generation of the configuration is in force for new connections.
    Reloaded,
    /// The new configuration is wrong; the old one stays in force.
    ReloadRefused {
        /// What is wrong, with its remedy.
        problem: &'a str,
    },
    /// The user that the server became cannot read the configuration.
    ReloadImpossible {
        /// What is wrong, with its remedy.
        problem: &'a str,
    },
    /// A setting changed that is used once, when the server starts.
    RestartNeeded {
        /// Its key.
        setting: &'a str,
    },
    /// A connection could not be accepted; the listener rests for a moment.
    AcceptFailed {
        /// The listener.
        address: SocketAddr,
        /// What the system said.
        error: &'a std::io::Error,
    },
    /// A connection was turned away: too many, in all or from its address.
    TurnedAway {
        /// The client.
        address: IpAddr,
    },
    /// A TLS handshake failed.
    HandshakeFailed {
        /// The connection.
        session: u64,
        /// The client.
        address: IpAddr,
        /// What the library or the system said.
        error: &'a std::io::Error,
    },
    /// A revocation list is past its next update: the certificates of its issuer are refused.
    RevocationListExpired {
        /// Its file; none when a client met it, which is said once after each load.
        path: Option<&'a Path>,
    },
    /// A user has as many sessions as one may have.
    UserLimit {
        /// The connection.
        session: u64,
        /// The account.
        account: &'a str,
    },
    /// An account with open sessions may not log in any more: they end.
    Barred {
        /// Whose sessions, and of which mailbox.
        holder: &'a Holder,
        /// Why.
        reason: Reason,
        /// How many there are.
        sessions: usize,
    },
    /// Nobody could find out whether accounts with open sessions may still log in.
    RecheckFailed {
        /// Users whose sessions go on unseen.
        users: usize,
    },
    /// A maildrop or a message could not be opened or read.
    StoreFailed {
        /// The connection.
        session: u64,
        /// The account.
        account: &'a str,
        /// Why.
        error: &'a StoreError,
    },
    /// Marked messages could not be deleted.
    RemoveFailed {
        /// The connection.
        session: u64,
        /// The account.
        account: &'a str,
        /// Why.
        error: &'a RemoveError,
    },
    /// The disk workers have too much to do.
    DiskOverloaded {
        /// The connection.
        session: u64,
    },
    /// A command, as far as the verb table lets it be shown.
    Command {
        /// The connection.
        session: u64,
        /// The keyword, and the arguments where they may be shown.
        command: String,
    },
    /// The protocol log cannot be written; said once until it can be again.
    ProtocolLogFailed {
        /// The file or folder.
        path: &'a Path,
        /// What the system said.
        error: &'a std::io::Error,
    },
    /// A session is over.
    Ended(&'a Tally),
}

/// What a session came to.
#[derive(Debug)]
pub struct Tally {
    /// The connection.
    pub session: u64,
    /// The client.
    pub address: IpAddr,
    /// The account, after login.
    pub account: Option<String>,
    /// Messages sent whole or by TOP.
    pub retrieved: u64,
    /// Messages deleted.
    pub deleted: usize,
    /// How it ended; none when the client was lost.
    pub ending: Option<Ending>,
    /// Why its account may not log in any more, when that ended it.
    pub barred: Option<Reason>,
    /// From accept to end.
    pub duration: Duration,
}

impl Event<'_> {
    /// Writes the record.
    #[expect(clippy::too_many_lines, reason = "a table: an arm for each event")]
    pub fn emit(&self) {
        match self {
            Self::Listening { address, tls } => info!(%address, tls, "listening"),
            Self::Ready => info!("ready"),
            Self::Stopping => info!("stopping"),
            Self::Stopped {
                cut_off,
                lost_records,
            } => info!(cut_off, lost_records, "stopped"),
            Self::Reloaded => info!("reloaded"),
            Self::ReloadRefused { problem } => {
                error!(
                    problem,
                    "reload refused: the old configuration stays in force"
                );
            }
            Self::ReloadImpossible { problem } => {
                warn!(
                    problem,
                    "SIGHUP will be refused: the server's user cannot read this"
                );
            }
            Self::RestartNeeded { setting } => {
                warn!(
                    setting,
                    "restart needed: this changed, and is used when the server starts"
                );
            }
            Self::AcceptFailed { address, error } => error!(
                %address, %error,
                "accept failed: raise LimitNOFILE in the unit if file descriptors are exhausted"
            ),
            Self::TurnedAway { address } => warn!(%address, "turned away: too many connections"),
            Self::HandshakeFailed {
                session,
                address,
                error,
            } => {
                info!(session, %address, %error, "TLS handshake failed");
            }
            Self::RevocationListExpired { path } => error!(
                path = path.map(|path| tracing::field::display(path.display())),
                "a revocation list is past its next update: all certificates of its issuer are refused"
            ),
            Self::UserLimit { session, account } => {
                warn!(
                    session,
                    account, "too many sessions of this user: see limits.max_connections_per_user"
                );
            }
            Self::Barred {
                holder,
                reason,
                sessions,
            } => {
                let (account, reason) = (holder.mailbox().name(), reason.as_str());
                let delegate = holder.delegate().map(Known::name);
                info!(
                    account,
                    delegate,
                    reason,
                    sessions,
                    "sessions end: their account may not log in any more"
                );
            }
            Self::RecheckFailed { users } => {
                warn!(
                    users,
                    "open sessions go on unseen: nobody could find out whether their accounts may still log in"
                );
            }
            Self::StoreFailed {
                session,
                account,
                error,
            } => {
                error!(session, account, %error, "the maildrop failed");
            }
            Self::RemoveFailed {
                session,
                account,
                error,
            } => {
                error!(session, account, %error, "deleting failed");
            }
            Self::DiskOverloaded { session } => warn!(session, "the disk workers are overloaded"),
            Self::Command { session, command } => debug!(session, command, "command"),
            Self::ProtocolLogFailed { path, error } => error!(
                path = %path.display(), %error,
                "the protocol log failed: records are lost until it can be written"
            ),
            Self::Ended(tally) => tally.emit(),
        }
    }
}

impl Tally {
    fn emit(&self) {
        info!(
            session = self.session,
            address = %self.address,
            account = self.account.as_deref(),
            retrieved = self.retrieved,
            deleted = self.deleted,
            ending = word(self.ending),
            reason = self.barred.map(Reason::as_str),
            duration_ms = milliseconds(self.duration),
            "session"
        );
    }
}

/// Writes login records to the log.
#[derive(Debug)]
pub struct LoginLog;

impl Audit for LoginLog {
    fn login(&self, record: &LoginRecord) {
        info!(
            session = record.session,
            address = %record.address,
            mechanism = record.mechanism,
            tls = record.tls,
            binding = record.binding.as_str(),
            ntlm = record.ntlm.map(NtlmForm::as_str),
            mic = record.mic,
            workstation = record.workstation.as_deref(),
            would_break = would_break(record).as_deref(),
            login = record.login.as_deref(),
            account = record.account.as_deref(),
            delegate = record.delegate.as_deref(),
            mailbox = record.mailbox.as_deref(),
            site = record.site.as_deref(),
            outcome = if record.reason.is_granted() { "granted" } else { "refused" },
            reason = record.reason.as_str(),
            detail = record.detail.as_deref(),
            duration_ms = milliseconds(record.duration),
            "login"
        );
        if record.reason.is_trouble() {
            let (session, reason) = (record.session, record.reason.as_str());
            warn!(session, reason, "a login could not be decided");
        }
        if matches!(record.reason, Reason::NtlmV1 | Reason::LmOnly) {
            warn!(
                session = record.session,
                address = %record.address,
                workstation = record.workstation.as_deref(),
                "NTLMv1 refused: let this client send NTLMv2 or log in by another mechanism under TLS; \
                 if it cannot, its network may be named in ntlm.accept_ntlmv1"
            );
        }
    }
}

/// The stricter rules under which a login would have been refused, with commas.
fn would_break(record: &LoginRecord) -> Option<String> {
    let rules: Vec<_> = record
        .would_break
        .iter()
        .map(|rule| rule.as_str())
        .collect();
    (!rules.is_empty()).then(|| rules.join(","))
}

fn word(ending: Option<Ending>) -> &'static str {
    match ending {
        Some(Ending::Barred) => "barred",
        Some(Ending::Closed) => "closed",
        Some(Ending::Expired) => "idle",
        Some(Ending::Quit) => "quit",
        Some(Ending::Stopped) => "stopped",
        None => "lost",
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
