//! A name and a password: PLAIN, LOGIN, and USER with PASS.

use std::sync::Arc;

use super::{Approved, Claim, Desk, Fault, settle};
use crate::audit::{Entry, shown};
use crate::directory::{Name, Verdict};
use crate::throttle::Ticket;
use crate::{Account, Login, Reason, Secret};

impl Desk {
    pub(super) async fn by_password(
        &self,
        claim: Claim,
        password: &Secret,
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        let Claim { login, mailbox } = claim;
        let mut ticket = self.count(login.key(), entry).await?;
        let checked = async {
            let actor = self.authenticate(&login, password, &mut ticket, entry);
            let actor = actor.await?;
            self.permit(&actor, mailbox.as_ref(), entry).await
        };
        match checked.await {
            Ok(identity) => Ok(Approved { identity, ticket }),
            Err(fault) => Err(settle(ticket, fault)),
        }
    }

    /// Who it is: the account whose password this is.
    async fn authenticate(
        &self,
        login: &Login,
        password: &Secret,
        ticket: &mut Ticket,
        entry: &mut Entry,
    ) -> Result<Arc<Account>, Fault> {
        let client = entry.record.address;
        let found = self.directory.find(Name::Typed(login), client).await?;
        if let Some(account) = &found {
            entry.record.account = Some(shown(&account.name));
            ticket.reached(&account.name, self.clock.elapsed()).await?;
        }
        let verdict = self
            .directory
            .verify(found.as_deref(), password, client)
            .await?;
        let account = found.ok_or(Fault::Refused(Reason::UnknownUser))?;
        match verdict {
            Verdict::Right => Ok(account),
            Verdict::Wrong => Err(Fault::Refused(Reason::WrongPassword)),
            Verdict::NoPassword => Err(Fault::Refused(Reason::NoPassword)),
            Verdict::Barred(reason) => Err(Fault::Refused(reason)),
        }
    }
}
