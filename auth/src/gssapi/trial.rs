//! A login that is only tried, to find out whether it would work: a ticket is asked for as a client asks
//! for it, and looked at as the server looks at it.
//!
//! The KDC is asked here, and nowhere else; nothing of the server comes this way. It takes as long as MIT's
//! library takes, so whoever calls it must not depend on its coming back. Nothing is written: tickets
//! stay in memory, and no replay cache is used.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use libgssapi::context::{ClientCtx, CtxFlags};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_KRB5_PRINCIPAL, OidSet};

use super::acquire::{self, Tokens};
use super::ap_req;
use super::failure;
use super::keys::{GssapiSettings, Keys};
use super::number::Number;
use super::talk::accept_with;
use crate::audit::shown;
use crate::{Reason, Secret};

/// By what a client proves itself to the KDC.
#[derive(Clone, Copy, Debug)]
pub enum ClientSecret<'a> {
    /// By a key in this keytab.
    Keytab(&'a Path),
    /// By its password.
    Password(&'a Secret),
}

/// A client that has begun to talk to the KDC.
pub struct TrialClient {
    credential: Cred,
}

/// What a client would send to the server.
pub struct TrialTicket {
    token: Vec<u8>,
}

/// Why there is no ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// No KDC answered.
    #[error("no KDC of the realm answers")]
    Unreachable,
    /// Nothing says where the KDCs are.
    #[error("nothing says where the realm's KDCs are: neither krb5.conf nor DNS")]
    UnknownRealm,
    /// There is no such client.
    #[error("the KDC knows no such client")]
    UnknownClient,
    /// It may not log in.
    #[error("the KDC refuses the client: the account is locked, disabled or expired")]
    Revoked,
    /// Its password has to be changed.
    #[error("the client's password has expired")]
    PasswordExpired,
    /// The password or key is wrong.
    #[error("the client's password or key is wrong")]
    WrongSecret,
    /// The file has no key of the client.
    #[error("the client's keytab has no key of that principal, or cannot be read")]
    NoClientKey,
    /// There is no such service.
    #[error("the KDC knows no such service")]
    UnknownService,
    /// KDC, service and client have no encryption type in common.
    #[error("the KDC has no key of an encryption type that is still allowed")]
    NoEnctype,
    /// The clocks differ.
    #[error("the KDC says that this machine's clock is wrong")]
    Skew,
    /// Something else.
    #[error("Kerberos says: {0}")]
    Other(String),
}

impl TrialClient {
    /// Begins as this principal.
    ///
    /// # Errors
    /// When the KDC cannot be asked, or refuses the client.
    pub fn begin(principal: &str, secret: ClientSecret<'_>) -> Result<Self, TicketError> {
        /// Two clients of one process share no tickets.
        static CLIENTS: AtomicU32 = AtomicU32::new(0);
        let credential = match secret {
            ClientSecret::Keytab(path) => {
                let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
                acquire::initiator(path, principal, &format!("postern-trial-{number}"))
            }
            ClientSecret::Password(password) => with_password(principal, password),
        };
        let credential = credential.map_err(|error| TicketError::of(&error))?;
        Ok(Self { credential })
    }

    /// Asks for a ticket for exactly this service, such as `pop/mail.example.test@EXAMPLE.TEST`: no name
    /// is looked up.
    ///
    /// # Errors
    /// When the KDC cannot be asked, or has none.
    pub fn ticket(&self, service: &str) -> Result<TrialTicket, TicketError> {
        let ask = || {
            let service = Name::new(service.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))?;
            let flags = CtxFlags::GSS_C_MUTUAL_FLAG;
            let credential = Some(self.credential.clone());
            ClientCtx::new(credential, service, flags, Some(GSS_MECH_KRB5)).step(None, None)
        };
        let token = ask().map_err(|error| TicketError::of(&error))?;
        let token = token.ok_or_else(|| TicketError::Other("nothing".to_owned()))?;
        Ok(TrialTicket {
            token: token.to_vec(),
        })
    }
}

fn with_password(principal: &str, password: &Secret) -> Result<Cred, Error> {
    let name = Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))?;
    // What is not text is no password that a KDC knows.
    let password = std::str::from_utf8(password.expose()).unwrap_or_default();
    let krb5 = OidSet::singleton(GSS_MECH_KRB5)?;
    Cred::acquire_with_password(
        Some(&name),
        password,
        None,
        CredUsage::Initiate,
        Some(&krb5),
    )
}

impl TicketError {
    /// Must be called on the thread of the failed call: the library keeps its text for that thread.
    fn of(error: &Error) -> Self {
        match Number::of(error) {
            Some(Number::UNREACHABLE | Number::UNRESOLVED) => Self::Unreachable,
            Some(Number::UNKNOWN_REALM) => Self::UnknownRealm,
            Some(Number::UNKNOWN_CLIENT) => Self::UnknownClient,
            Some(Number::REVOKED) => Self::Revoked,
            Some(Number::KEY_EXPIRED) => Self::PasswordExpired,
            Some(Number::WRONG_KEY | Number::BAD_INTEGRITY) => Self::WrongSecret,
            Some(Number::NO_KEY) => Self::NoClientKey,
            Some(Number::UNKNOWN_SERVICE) => Self::UnknownService,
            Some(Number::NO_ENCTYPE) => Self::NoEnctype,
            Some(Number::SKEW) => Self::Skew,
            _ => Self::Other(shown(&error.to_string())),
        }
    }
}

impl GssapiSettings {
    /// Whether the server would take this ticket: what it is, in words.
    ///
    /// # Errors
    /// The reason and the words that the login's record would have.
    pub fn try_ticket(&self, ticket: &TrialTicket) -> Result<String, (Reason, String)> {
        let keys = Keys::load(self).map_err(|why| (Reason::KerberosTrouble, why.to_string()))?;
        let outside = ap_req::read(&ticket.token);
        let malformed = || (Reason::Malformed, "the ticket cannot be read".to_owned());
        let outside = outside.as_ref().ok_or_else(malformed)?;
        let pair = keys
            .pair(Tokens::Krb5, Some(outside))
            .ok_or_else(malformed)?;
        if let Err(error) = accept_with(&pair.again, &ticket.token, None) {
            let failure = failure::classify(&error, Some(outside), &keys.listed);
            return Err((failure.reason, failure.detail.unwrap_or_default()));
        }
        if outside.enctype.is_weak() && !self.weak_keys {
            let detail = failure::weak_key(outside);
            return Err((Reason::WeakKey, detail));
        }
        Ok(outside.to_string())
    }
}

impl std::fmt::Debug for TrialClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrialClient").finish_non_exhaustive()
    }
}

/// The token would let its holder in for a while, so it is not shown.
impl std::fmt::Debug for TrialTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrialTicket").finish_non_exhaustive()
    }
}
