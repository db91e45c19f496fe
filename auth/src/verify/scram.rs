//! SCRAM: the name is counted and looked up before the proof comes, and the rest checked after it.

use std::sync::Arc;

use super::{Approved, Claim, Desk, Fault, claim, settle};
use crate::audit::{Entry, shown};
use crate::directory::ScramAnswer;
use crate::scram::ScramKeys;
use crate::throttle::{Throttled, Ticket};
use crate::{Account, Login, Reason};

/// A claim that was counted and looked up, while its proof is still to come. Dropping it leaves it
/// counted.
pub(crate) struct Candidate {
    mailbox: Option<Login>,
    /// Whose keys were given out; or why no proof can be right.
    account: Result<(Arc<Account>, Ticket), Reason>,
}

impl Candidate {
    /// Why the login is refused when its proof was found wrong for this reason.
    pub(crate) fn refuted(self, reason: Reason) -> Reason {
        match (self.account, reason) {
            (_, Reason::WrongBinding) | (Ok(_), _) => reason,
            (Err(known), _) => known,
        }
    }
}

impl Desk {
    /// Looks a claim up whose proof is still to come, and gives the keys to check it against.
    ///
    /// A name that nobody has, or without keys, or with too many refused logins, goes on with keys
    /// like everybody's and is refused at the end: to end here would tell which it is. Only a
    /// source with too many refused logins gets no more salts.
    pub(crate) async fn candidate(
        &self,
        login: &str,
        authzid: Option<&str>,
        entry: &mut Entry,
    ) -> Result<(Candidate, ScramKeys), Fault> {
        let Claim { login, mailbox } = claim(login, authzid, entry)?;
        let ticket = match self.count(login.key(), entry).await {
            Ok(ticket) => Ok(ticket),
            Err(why @ (Throttled::Busy | Throttled::Source)) => return Err(why.into()),
            Err(Throttled::Account) => Err(Reason::Throttled),
        };
        let client = entry.record.address;
        let asked = async {
            let found = self.directory.look_up(&login, client).await?;
            let keys = self.directory.scram_keys(&login, found.as_deref(), client);
            Ok::<_, Fault>((keys.await?, found))
        };
        let (answer, found) = match asked.await {
            Ok(answered) => answered,
            Err(fault) => return Err(ticket.map_or(fault, |ticket| settle(ticket, fault))),
        };
        if let Some(account) = &found {
            entry.record.account = Some(shown(&account.name));
        }
        let counted = match (ticket, &found) {
            (Ok(ticket), Some(account)) => self.reached(ticket, account).await,
            (ticket, _) => ticket,
        };
        let (keys, known) = match (answer, found) {
            (ScramAnswer::Stored(keys), Some(account)) => (keys, Ok(account)),
            (ScramAnswer::MadeUp(keys), Some(_)) => (keys, Err(Reason::NoKeys)),
            (ScramAnswer::Stored(keys) | ScramAnswer::MadeUp(keys), None) => {
                (keys, Err(Reason::UnknownUser))
            }
        };
        // A ticket that goes with a reason is dropped here, and so stays counted.
        let account = counted.and_then(|ticket| Ok((known?, ticket)));
        Ok((Candidate { mailbox, account }, keys))
    }

    /// The rest of the checks, once the proof was right.
    pub(crate) async fn conclude(
        &self,
        candidate: Candidate,
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        let Candidate { mailbox, account } = candidate;
        let (actor, ticket) = account.map_err(Fault::Refused)?;
        match self.permit(&actor, mailbox.as_ref(), entry).await {
            Ok(identity) => Ok(Approved { identity, ticket }),
            Err(fault) => Err(settle(ticket, fault)),
        }
    }
}
