//! One record per login attempt, at once, with the true reason and without a secret.

use std::net::IpAddr;
use std::time::Duration;

use crate::Protection;

/// Why an attempt came out as it did. Only the log hears this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The login was allowed.
    Granted,
    /// No account answers to the name.
    UnknownUser,
    /// The password is not the account's.
    WrongPassword,
    /// The mailbox lives in another site.
    OtherSite,
    // The authenticator adds the rest.
}

impl Reason {
    /// The word in the log: lower case with hyphens, never changed once released.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::UnknownUser => "unknown-user",
            Self::WrongPassword => "wrong-password",
            Self::OtherSite => "other-site",
        }
    }
}

/// One attempt to log in. Names are as typed, bounded in length, with controls escaped.
#[derive(Clone, Debug)]
pub struct LoginRecord {
    /// The number of the connection.
    pub session: u64,
    /// The client's address.
    pub address: IpAddr,
    /// `USER` for USER and PASS, else the SASL mechanism.
    pub mechanism: String,
    /// Clear text or TLS.
    pub protection: Protection,
    /// The name as typed, if the client came so far.
    pub login: Option<String>,
    /// The account that the name reached.
    pub account: Option<String>,
    /// The account whose password was given, when it is a delegate.
    pub delegate: Option<String>,
    /// The site of the mailbox.
    pub site: Option<String>,
    /// What came of it.
    pub reason: Reason,
    /// From the first octet of the attempt to this record, the refusal delay left out.
    pub duration: Duration,
}

/// Takes the records; called on the connection's own thread and must not block.
pub trait Audit: Send + Sync {
    /// One attempt is over.
    fn login(&self, record: &LoginRecord);
}
