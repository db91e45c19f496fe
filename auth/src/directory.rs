//! What the verification asks of whoever keeps the accounts.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use crate::scram::{self, Form, ScramKeys};
use crate::{Account, Description, Fingerprint, Known, Login, NtHash, Overloaded, Reason, Secret};

/// An answer that may take a while. It holds no lock while it waits.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send + 'a>>;

/// Who asks, when it is the server itself.
pub(crate) const OURSELVES: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What became of an account that was found before: as it is now, none when it is gone, or nobody
/// could find out.
pub type Recalled = Result<Option<Arc<Account>>, Unavailable>;

/// A keeper of accounts: the users file, LDAP, Active Directory.
///
/// A directory answers questions and decides nothing: whether a disabled account may log in, or a
/// mailbox of another site be opened, is the verification's business.
pub trait Directory: Send + Sync {
    /// The account that a typed name reaches, if any.
    fn find<'a>(&'a self, login: &'a Login, client: IpAddr) -> Answer<'a, Option<Arc<Account>>>;

    /// The same, and always found out now: for who has proven nothing yet, and sees how long it takes.
    fn look_up<'a>(&'a self, login: &'a Login, client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        self.find(login, client)
    }

    /// Whether the password is the account's. Without an account it does the same work in vain,
    /// so that a name that nobody has takes as long as one that somebody has, and answers
    /// [`Verdict::Wrong`].
    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict>;

    /// The SCRAM keys of an account, or for whoever has none keys that are made up: they look like
    /// stored ones, and are the same whenever the same name is asked for.
    ///
    /// Keys are found under the account's own name alone, never under an alias: two names with the
    /// same salt would tell a stranger that both are names of one account.
    ///
    /// A directory that keeps no keys leaves this as it is.
    fn scram_keys<'a>(
        &'a self,
        login: &'a Login,
        account: Option<&'a Account>,
        client: IpAddr,
    ) -> Answer<'a, ScramAnswer> {
        let _ = (account, client);
        Box::pin(async move {
            let secret = process_secret().ok_or(Unavailable::Trouble)?;
            let keys = ScramKeys::made_up(secret, login.key(), Form::default());
            keys.map(ScramAnswer::MadeUp).ok_or(Unavailable::Trouble)
        })
    }

    /// The account of whom a certificate is, by its fingerprint.
    fn find_certificate<'a>(
        &'a self,
        fingerprint: Fingerprint,
        client: IpAddr,
    ) -> Answer<'a, Option<Arc<Account>>> {
        let _ = (fingerprint, client);
        Box::pin(async { Ok(None) })
    }

    /// What is known of an account, for an administrator; none from a directory that does not say.
    fn describe<'a>(
        &'a self,
        account: &'a Account,
        client: IpAddr,
    ) -> Answer<'a, Option<Description>> {
        let _ = (account, client);
        Box::pin(async { Ok(None) })
    }

    /// What became of accounts that were found before, in their order. Delegates that are named by
    /// their entries are left out.
    ///
    /// Each is looked for under its own name. A directory that can ask for many at once does so.
    fn recall<'a>(
        &'a self,
        accounts: &'a [&'a Known],
    ) -> Pin<Box<dyn Future<Output = Vec<Recalled>> + Send + 'a>> {
        Box::pin(async move {
            let mut recalled = Vec::with_capacity(accounts.len());
            for known in accounts {
                recalled.push(match Login::parse(known.name()) {
                    // Somebody else may have the name as an alias by now.
                    Ok(login) => self
                        .find(&login, OURSELVES)
                        .await
                        .map(|found| found.filter(|account| account.name == known.name())),
                    Err(_) => Ok(None),
                });
            }
            recalled
        })
    }

    /// The NT hash of an account, by which NTLM is verified here; none where it has none, or the
    /// key that it is locked with is not at hand.
    ///
    /// A directory that keeps no NT hashes leaves this as it is.
    fn nt_hash<'a>(&'a self, account: &'a Account, client: IpAddr) -> Answer<'a, Option<NtHash>> {
        let _ = (account, client);
        Box::pin(async { Ok(None) })
    }
}

/// The keys that SCRAM is to go on with.
#[derive(Clone, Debug)]
pub enum ScramAnswer {
    /// The account's own.
    Stored(ScramKeys),
    /// Made up: whatever the client proves, it is not a login.
    MadeUp(ScramKeys),
}

/// A secret to make keys up with where no better one is kept; it lasts as long as the process.
pub(crate) fn process_secret() -> Option<&'static Secret> {
    static SECRET: OnceLock<Option<Secret>> = OnceLock::new();
    SECRET.get_or_init(scram::new_secret).as_ref()
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
    /// The directory refuses the account, and says why; the password may be right.
    Barred(Reason),
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
