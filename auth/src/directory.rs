//! What the verification asks of whoever keeps the accounts.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Account, Login, Overloaded, Secret};

/// An answer that may take a while. It holds no lock while it waits.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// A keeper of accounts: the users file, LDAP, Active Directory.
///
/// A directory answers questions and decides nothing: whether a disabled account may log in, or a
/// mailbox of another site be opened, is the verification's business.
pub trait Directory: Send + Sync {
    /// The account that a typed name reaches, if any.
    fn find<'a>(&'a self, login: &'a Login, client: IpAddr) -> Answer<'a, Option<Arc<Account>>>;

    /// Whether the password is the account's. Without an account it does the same work in vain,
    /// so that a name that nobody has takes as long as one that somebody has, and answers
    /// [`Verdict::Wrong`].
    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict>;
}

/// What a directory says of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the account's.
    Right,
    /// It is not.
    Wrong,
    /// The account has none; the work was done nevertheless.
    NoPassword,
}

/// The directory could not find out: says nothing about the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too much waits for the workers.
    #[error("too much is waiting for the workers")]
    Overloaded,
    /// The directory is out of order. It has said why in the log.
    #[error("the directory is out of order")]
    Trouble,
}

impl From<Overloaded> for Unavailable {
    fn from(fault: Overloaded) -> Self {
        match fault {
            Overloaded::Client | Overloaded::Total => Self::Overloaded,
            Overloaded::Lost => Self::Trouble,
        }
    }
}
