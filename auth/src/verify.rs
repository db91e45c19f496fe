//! From evidence to an identity: every check of a login, once, in one order.
//!
//! Throttle, account, password or proof, state of the account, right of a delegate, site. The checks
//! of an account come only after its password was right, so that the record's reason is true and a
//! stranger's guess tells nothing. Every "no" is the same to the client.

mod account;
mod certificate;
mod context;
mod ntlm;
mod password;
mod recheck;
mod scram;

use std::sync::Arc;

use crate::audit::{Entry, shown};
use crate::caller::{Digest, Standing};
use crate::clock::Clock;
use crate::directory::{Directory, Unavailable};
use crate::evidence::Evidence;
use crate::source::Source;
use crate::throttle::{Limits, Throttle, Throttled, Ticket};
use crate::{Account, Gssapi, Identity, Login, Policy, Reason, Winbind};

pub use recheck::Recheck;
pub(crate) use scram::Candidate;

/// What all attempts share.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) policy: Policy,
    pub(crate) directory: Arc<dyn Directory>,
    /// The way to a domain controller.
    pub(crate) winbind: Option<Arc<Winbind>>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) clock: Clock,
    /// Kerberos, where it is configured.
    pub(crate) gssapi: Option<Arc<Gssapi>>,
}

/// Why a login did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The client is refused, always with the same words.
    Refused(Reason),
    /// The server could not find out.
    Unavailable(Reason),
}

impl From<Unavailable> for Fault {
    fn from(fault: Unavailable) -> Self {
        Self::Unavailable(match fault {
            Unavailable::Overloaded => Reason::Overloaded,
            Unavailable::Trouble => Reason::DirectoryTrouble,
        })
    }
}

impl From<Throttled> for Fault {
    fn from(why: Throttled) -> Self {
        match why {
            Throttled::Account | Throttled::Source => Self::Refused(Reason::Throttled),
            Throttled::Busy => Self::Unavailable(Reason::Overloaded),
        }
    }
}

/// A claim taken apart, before anything is known of it.
struct Claim {
    login: Login,
    mailbox: Option<Login>,
}

/// A login that passed every check. It stays counted until it is granted.
pub(crate) struct Approved {
    identity: Identity,
    ticket: Ticket,
}

impl Desk {
    /// Verifies the evidence of one attempt, and fills in its record on the way.
    pub(crate) async fn verify(
        &self,
        evidence: Evidence,
        standing: &Standing,
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        match evidence {
            Evidence::Password {
                authzid,
                login,
                password,
            } => {
                let claim = claim(&login, authzid.as_deref(), entry)?;
                let asked = authzid.unwrap_or_default();
                let parts = [asked.as_bytes(), login.as_bytes(), password.expose()];
                let digest = Digest::of(&parts);
                let known = digest.as_ref();
                if known.is_some_and(|digest| standing.remembers(digest)) {
                    return Err(Fault::Refused(Reason::Repeated));
                }
                let outcome = self.by_password(claim, &password, entry).await;
                // What the throttle refused was not looked at, and may be right once its time
                // is over.
                if let (Err(Fault::Refused(reason)), Some(digest)) = (&outcome, digest)
                    && *reason != Reason::Throttled
                {
                    standing.remember(digest);
                }
                outcome
            }
            Evidence::Certificate {
                authzid,
                certificate,
            } => {
                self.by_certificate(authzid.as_deref(), &certificate, entry)
                    .await
            }
            Evidence::Context(context) => self.by_context(context, entry).await,
            Evidence::Ntlm(evidence) => self.by_ntlm(&evidence, standing, entry).await,
        }
    }

    /// The login is granted: it counts no more.
    pub(crate) fn grant(&self, approved: Approved) -> Identity {
        approved.ticket.granted(self.clock.elapsed());
        approved.identity
    }

    /// Counts an attempt on a name that is about to be looked at.
    async fn count(&self, name: &str, entry: &Entry) -> Result<Ticket, Throttled> {
        let source = Source::of(entry.record.address);
        let limits = Limits::from(&self.policy);
        self.throttle
            .begin(source, name, limits, self.clock.elapsed())
            .await
    }

    /// Counts an attempt under the account's own name too.
    async fn reached(&self, mut ticket: Ticket, account: &Account) -> Result<Ticket, Reason> {
        let reached = ticket.reached(&account.name, self.clock.elapsed()).await;
        if reached.is_ok() {
            return Ok(ticket);
        }
        ticket.give_back();
        Err(Reason::Throttled)
    }
}

/// Takes the names of a claim apart, and notes them in the record.
fn claim(login: &str, authzid: Option<&str>, entry: &mut Entry) -> Result<Claim, Fault> {
    entry.record.login = Some(shown(login));
    entry.record.mailbox = authzid.map(shown);
    let parse = |typed: &str| Login::parse(typed).map_err(|_| Fault::Refused(Reason::Malformed));
    Ok(Claim {
        login: parse(login)?,
        mailbox: authzid.map(parse).transpose()?,
    })
}

/// What becomes of the count of a login that did not come about.
fn settle(ticket: Ticket, fault: Fault) -> Fault {
    match fault {
        Fault::Unavailable(_) | Fault::Refused(Reason::Throttled) => ticket.give_back(),
        // Dropped, it stays counted.
        Fault::Refused(_) => drop(ticket),
    }
    fault
}
