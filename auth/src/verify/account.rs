//! The checks of the account, once its credentials were found right: state, right, site.

use std::sync::Arc;

use super::{Desk, Fault};
use crate::audit::{Entry, shown};
use crate::{Account, CrossSite, Identity, Login, Reason};

impl Desk {
    /// The checks of the account, after its credentials were found right.
    pub(super) async fn permit(
        &self,
        actor: &Arc<Account>,
        asked: Option<&Login>,
        entry: &mut Entry,
    ) -> Result<Identity, Fault> {
        self.check_state(actor)?;
        let mailbox = self.mailbox(asked, actor, entry).await?;
        entry.record.site = mailbox.site.as_ref().map(|site| shown(site.as_str()));
        self.check_site(&mailbox)?;
        Ok(Identity::new(mailbox, Arc::clone(actor)))
    }

    /// Whether the account may be used at all.
    pub(super) fn check_state(&self, account: &Account) -> Result<(), Fault> {
        if account.disabled {
            return Err(Fault::Refused(Reason::Disabled));
        }
        if let Some(reason) = account.barred {
            return Err(Fault::Refused(reason));
        }
        if account.pop3_off {
            return Err(Fault::Refused(Reason::Pop3Off));
        }
        // `administrator` in the list also means `administrator@corp.test`.
        let short = account
            .name
            .rsplit_once('@')
            .map_or(account.name.as_str(), |(user, _)| user);
        let is = |blocked: &String| {
            blocked.eq_ignore_ascii_case(&account.name) || blocked.eq_ignore_ascii_case(short)
        };
        if self.policy.blocked_accounts.iter().any(is) {
            return Err(Fault::Refused(Reason::Blocked));
        }
        Ok(())
    }

    /// Whose mailbox is to be opened: the account's own, or one whose delegate it is.
    ///
    /// RFC 4616 §2: the server verifies that the authentication identity may act as the
    /// authorization identity.
    async fn mailbox(
        &self,
        asked: Option<&Login>,
        actor: &Arc<Account>,
        entry: &mut Entry,
    ) -> Result<Arc<Account>, Fault> {
        let Some(asked) = asked else {
            return Ok(Arc::clone(actor));
        };
        let found = self.directory.find(asked, entry.record.address).await?;
        if found
            .as_ref()
            .is_some_and(|mailbox| mailbox.name == actor.name)
        {
            return Ok(Arc::clone(actor));
        }
        entry.record.delegate = entry.record.account.take();
        let mailbox = found.ok_or(Fault::Refused(Reason::UnknownMailbox))?;
        entry.record.account = Some(shown(&mailbox.name));
        if !mailbox.delegates.contains(&actor.name) {
            return Err(Fault::Refused(Reason::NoRight));
        }
        self.check_state(&mailbox)?;
        Ok(mailbox)
    }

    /// C0010 of \[MS-STANXPOP3\]. A mailbox without a site is here; and without a site of its own
    /// the server has nothing to compare with, so the rule is off.
    pub(super) fn check_site(&self, mailbox: &Account) -> Result<(), Fault> {
        let elsewhere = match (&self.policy.site, &mailbox.site) {
            (Some(here), Some(there)) => here != there,
            (None, _) | (_, None) => false,
        };
        match self.policy.cross_site {
            CrossSite::Refuse if elsewhere => Err(Fault::Refused(Reason::OtherSite)),
            CrossSite::Refuse | CrossSite::Direct => Ok(()),
        }
    }
}
