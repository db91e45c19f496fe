//! Open sessions: whether whoever holds them could still log in.
//!
//! Nobody's credentials are at hand any more, so only the checks of the account are made again: whether it
//! is still the same, state, right of a delegate, site. Where the directory cannot find out, nothing is said.

use std::collections::HashMap;

use super::{Desk, Fault};
use crate::directory::{OURSELVES, Recalled, Unavailable};
use crate::{Account, Holder, Known, Login, Name, Reason};

/// What came of looking at open sessions.
#[derive(Debug, Default)]
pub struct Recheck {
    /// Those that may not go on, by their places in the question, and why.
    pub barred: Vec<(usize, Reason)>,
    /// Of how many nobody could find out.
    pub undecided: usize,
}

impl Desk {
    /// Looks at open sessions.
    pub(crate) async fn recheck(&self, holders: &[&Holder]) -> Recheck {
        let mut places = HashMap::new();
        let mut actors: Vec<&Known> = Vec::new();
        for holder in holders {
            places.entry(holder.actor()).or_insert_with(|| {
                actors.push(holder.actor());
                actors.len() - 1
            });
        }
        let recalled = self.directory.recall(&actors).await;
        let mut outcome = Recheck::default();
        for (number, holder) in holders.iter().enumerate() {
            let place = places.get(holder.actor());
            let actor = place.and_then(|place| recalled.get(*place));
            match self.may_go_on(holder, actor).await {
                Ok(()) => {}
                Err(Fault::Refused(reason)) => outcome.barred.push((number, reason)),
                Err(Fault::Unavailable(_)) => outcome.undecided += 1,
            }
        }
        outcome
    }

    async fn may_go_on(&self, holder: &Holder, actor: Option<&Recalled>) -> Result<(), Fault> {
        let found = actor.map_or(Err(Unavailable::Trouble), Clone::clone)?;
        let actor = found.ok_or(Fault::Refused(Reason::UnknownUser))?;
        same(holder.actor(), &actor)?;
        self.check_state(&actor)?;
        if holder.delegate().is_none() {
            return self.check_site(&actor);
        }
        // Whose delegates somebody is, the directory says only when it is asked for the mailbox
        // alone. There are few of them.
        let mailbox = match Login::parse(holder.mailbox().name()) {
            Ok(login) => self.directory.look_up(Name::Own(&login), OURSELVES).await?,
            Err(_) => None,
        };
        let mailbox = mailbox.ok_or(Fault::Refused(Reason::UnknownMailbox))?;
        same(holder.mailbox(), &mailbox)?;
        if !mailbox.delegates.contains(&actor.name) {
            return Err(Fault::Refused(Reason::NoRight));
        }
        self.check_state(&mailbox)?;
        self.check_site(&mailbox)
    }
}

/// An old name may be given to somebody new, who is not to be read by whoever had it.
fn same(known: &Known, account: &Account) -> Result<(), Fault> {
    if known.is_replaced_by(account) {
        return Err(Fault::Refused(Reason::Replaced));
    }
    Ok(())
}
