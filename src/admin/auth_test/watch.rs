//! A keeper of accounts that notes what a login asks of it. The answers are those of the real one.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use postern_auth::{
    Account, Answer, Description, Directory, Fingerprint, Login, Name, NtHash, ScramAnswer, Secret,
    Unavailable, Verdict,
};

/// One thing that was asked, and the answer. Neither has a secret in it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The account of a name was looked for.
    Looked {
        key: String,
        found: Result<Option<Arc<Account>>, Unavailable>,
    },
    /// The password was looked at; without an account, in vain.
    Password {
        account: Option<String>,
        verdict: Result<Verdict, Unavailable>,
    },
    /// SCRAM keys were asked for: whether they are the account's, or made up.
    Keys(Result<bool, Unavailable>),
    /// The NT hash was asked for: whether there is one.
    NtHash(Result<bool, Unavailable>),
}

/// Notes every question.
pub(super) struct Watched {
    keeper: Arc<dyn Directory>,
    steps: Mutex<Vec<Step>>,
}

impl Watched {
    pub(super) fn new(keeper: Arc<dyn Directory>) -> Self {
        Self {
            keeper,
            steps: Mutex::default(),
        }
    }

    /// What was asked, in order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.clone()
    }

    fn note(&self, step: Step) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push(step);
    }
}

impl Directory for Watched {
    fn find<'a>(&'a self, name: Name<'a>, client: IpAddr) -> Answer<'a, Option<Arc<Account>>> {
        Box::pin(async move {
            let found = self.keeper.find(name, client).await;
            self.note(Step::Looked {
                key: name.login().key().to_owned(),
                found: found.clone(),
            });
            found
        })
    }

    fn verify<'a>(
        &'a self,
        account: Option<&'a Account>,
        password: &'a Secret,
        client: IpAddr,
    ) -> Answer<'a, Verdict> {
        Box::pin(async move {
            let verdict = self.keeper.verify(account, password, client).await;
            self.note(Step::Password {
                account: account.map(|account| account.name.clone()),
                verdict,
            });
            verdict
        })
    }

    fn scram_keys<'a>(
        &'a self,
        login: &'a Login,
        account: Option<&'a Account>,
        client: IpAddr,
    ) -> Answer<'a, ScramAnswer> {
        Box::pin(async move {
            let keys = self.keeper.scram_keys(login, account, client).await;
            let stored = keys.as_ref();
            let stored = stored.map(|keys| matches!(keys, ScramAnswer::Stored(_)));
            self.note(Step::Keys(stored.map_err(|fault| *fault)));
            keys
        })
    }

    fn find_certificate<'a>(
        &'a self,
        fingerprint: Fingerprint,
        client: IpAddr,
    ) -> Answer<'a, Option<Arc<Account>>> {
        self.keeper.find_certificate(fingerprint, client)
    }

    fn describe<'a>(
        &'a self,
        account: &'a Account,
        client: IpAddr,
    ) -> Answer<'a, Option<Description>> {
        self.keeper.describe(account, client)
    }

    fn nt_hash<'a>(&'a self, account: &'a Account, client: IpAddr) -> Answer<'a, Option<NtHash>> {
        Box::pin(async move {
            let hash = self.keeper.nt_hash(account, client).await;
            let there = hash.as_ref().map(Option::is_some);
            self.note(Step::NtHash(there.map_err(|fault| *fault)));
            hash
        })
    }
}
