//! Local accounts first, then those of an LDAP directory.
//!
//! A local account needs no directory: while that is in trouble, local users go on. An account of
//! the directory never gets the name of a local one, as whoever has the name has the mailbox.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use crate::audit::shown;
use crate::directory::{Answer, Directory, OURSELVES, Recalled, ScramAnswer, Verdict};
use crate::{Account, Description, Fingerprint, Known, Login, NtHash, Secret, Unavailable};

/// Two keepers of accounts, asked in this order.
pub struct Directories {
    local: Arc<dyn Directory>,
    ldap: Arc<dyn Directory>,
}

impl Directories {
    /// The local accounts, and those of a directory whose accounts have entries.
    pub fn new(local: Arc<dyn Directory>, ldap: Arc<dyn Directory>) -> Self {
        Self { local, ldap }
    }

    /// Who keeps an account: a local one has no entry.
    fn keeper(&self, account: &Account) -> &Arc<dyn Directory> {
        match account.entry {
            Some(_) => &self.ldap,
            None => &self.local,
        }
    }

    /// Whether an account's name is also a local one's: two people would share a mailbox.
    async fn is_taken(&self, account: &Account, client: IpAddr) -> Result<bool, Unavailable> {
        let Ok(login) = Login::parse(&account.name) else {
            return Ok(true);
        };
        Ok(self.local.find(&login, client).await?.is_some())
    }

    /// What the directory has found, unless its name is a local account's.
    async fn nobody_elses(
        &self,
        found: Answer<'_, Option<Arc<Account>>>,
        client: IpAddr,
    ) -> Result<Option<Arc<Account>>, Unavailable> {
        let Some(account) = found.await? else {
            return Ok(None);
        };
        if self.is_taken(&account, client).await? {
            tracing::warn!(
                account = shown(&account.name),
                entry = account.entry.as_deref().map(shown),
                "an entry of the directory has the name of a local account, so nobody may log in to it: \
                 rename one of them, or set ldap.domain"
            );
            return Ok(None);
        }
        Ok(Some(account))
    }
}

impl Directory for Directories {
    fn find<'a>(&'a self, login: &'a Login, client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            match self.local.find(login, client).await? {
                Some(account) => Ok(Some(account)),
                None => {
                    self.nobody_elses(self.ldap.find(login, client), client)
                        .await
                }
            }
        })
    }

    fn look_up<'a>(&'a self, login: &'a Login, client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            match self.local.look_up(login, client).await? {
                Some(account) => Ok(Some(account)),
                None => {
                    self.nobody_elses(self.ldap.look_up(login, client), client)
                        .await
                }
            }
        })
    }

    /// For a name that nobody has, the directory does the work in vain: most users are there.
    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict> {
        let keeper = account.map_or(&self.ldap, |account| self.keeper(account));
        keeper.verify(account, password, client)
    }

    /// The directory keeps no keys.
    fn scram_keys<'a>(
        &'a self,
        login: &'a Login,
        account: Option<&'a Account>,
        client: IpAddr,
    ) -> Answer<'a, ScramAnswer> {
        let local = account.filter(|account| account.entry.is_none());
        self.local.scram_keys(login, local, client)
    }

    /// The directory keeps no fingerprints.
    fn find_certificate<'a>(
        &'a self,
        fingerprint: Fingerprint,
        client: IpAddr,
    ) -> Answer<'a, Option<Arc<Account>>> {
        self.local.find_certificate(fingerprint, client)
    }

    /// Trouble with the directory says nothing about local accounts.
    fn recall<'a>(
        &'a self,
        accounts: &'a [&'a Known],
    ) -> Pin<Box<dyn Future<Output = Vec<Recalled>> + Send + 'a>> {
        Box::pin(async move {
            let is_local = |known: &Known| known.entry().is_none();
            let (here, there): (Vec<_>, Vec<_>) =
                accounts.iter().copied().partition(|known| is_local(known));
            let mut here = self.local.recall(&here).await.into_iter();
            let mut there = self.ldap.recall(&there).await.into_iter();
            let mut recalled = Vec::with_capacity(accounts.len());
            for known in accounts {
                let next = if is_local(known) {
                    here.next()
                } else {
                    there.next()
                };
                let mut now = next.unwrap_or(Err(Unavailable::Trouble));
                if let Ok(Some(account)) = &now
                    && !is_local(known)
                    && self.is_taken(account, OURSELVES).await.unwrap_or(false)
                {
                    now = Ok(None);
                }
                recalled.push(now);
            }
            recalled
        })
    }

    fn describe<'a>(
        &'a self,
        account: &'a Account,
        client: IpAddr,
    ) -> Answer<'a, Option<Description>> {
        self.keeper(account).describe(account, client)
    }

    fn nt_hash<'a>(&'a self, account: &'a Account, client: IpAddr) -> Answer<'a, Option<NtHash>> {
        self.keeper(account).nt_hash(account, client)
    }
}

impl std::fmt::Debug for Directories {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directories").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
