//! From evidence to an identity: every check of a login, once, in one order.
//!
//! Throttle, account, password, state of the account, right of a delegate, site. The checks of an
//! account come only after its password was right, so that the record's reason is true and a
//! stranger's guess tells nothing. Every "no" is the same to the client.

use std::sync::Arc;

use crate::audit::{Entry, shown};
use crate::caller::{Digest, Standing};
use crate::clock::Clock;
use crate::directory::{Directory, Unavailable, Verdict};
use crate::evidence::Evidence;
use crate::source::Source;
use crate::throttle::{Limits, Throttle, Ticket};
use crate::{Account, CrossSite, Identity, Login, Policy, Reason, Secret};

/// What all attempts share.
pub(crate) struct Desk {
    pub(crate) policy: Policy,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) clock: Clock,
}

/// Why a login did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The client is refused, always with the same words.
    Refused(Reason),
    /// The server could not find out.
    Unavailable(Reason),
}

impl From<Unavailable> for Fault {
    fn from(fault: Unavailable) -> Self {
        Self::Unavailable(match fault {
            Unavailable::Overloaded => Reason::Overloaded,
            Unavailable::Trouble => Reason::DirectoryTrouble,
        })
    }
}

/// A claim taken apart, before anything is known of it.
struct Claim {
    login: Login,
    mailbox: Option<Login>,
    password: Secret,
}

impl Desk {
    /// Verifies the evidence of one attempt, and fills in its record on the way.
    pub(crate) async fn verify(
        &self,
        evidence: Evidence,
        standing: &Standing,
        entry: &mut Entry,
    ) -> Result<Identity, Fault> {
        let Evidence::Password {
            authzid,
            login,
            password,
        } = evidence;
        entry.record.login = Some(shown(&login));
        entry.record.mailbox = authzid.as_deref().map(shown);
        let parse =
            |typed: &str| Login::parse(typed).map_err(|_| Fault::Refused(Reason::Malformed));
        let claim = Claim {
            login: parse(&login)?,
            mailbox: authzid.as_deref().map(parse).transpose()?,
            password,
        };
        let asked = authzid.unwrap_or_default();
        let digest = Digest::of(&[asked.as_bytes(), login.as_bytes(), claim.password.expose()]);
        if digest
            .as_ref()
            .is_some_and(|digest| standing.remembers(digest))
        {
            return Err(Fault::Refused(Reason::Repeated));
        }
        let outcome = self.throttled(&claim, entry).await;
        // What the throttle refused was not looked at, and may be right once its time is over.
        if let (Err(Fault::Refused(reason)), Some(digest)) = (&outcome, digest)
            && *reason != Reason::Throttled
        {
            standing.remember(digest);
        }
        outcome
    }

    /// Counts the attempt while it is verified.
    async fn throttled(&self, claim: &Claim, entry: &mut Entry) -> Result<Identity, Fault> {
        let source = Source::of(entry.record.address);
        let limits = Limits::from(&self.policy);
        let begun = self
            .throttle
            .begin(source, claim.login.key(), limits, self.clock.elapsed());
        let mut ticket = begun.map_err(|_| Fault::Refused(Reason::Throttled))?;
        let outcome = self.checked(claim, &mut ticket, entry).await;
        match outcome {
            Ok(_) => ticket.granted(self.clock.elapsed()),
            Err(Fault::Unavailable(_) | Fault::Refused(Reason::Throttled)) => ticket.give_back(),
            // Dropped, it stays counted.
            Err(Fault::Refused(_)) => drop(ticket),
        }
        outcome
    }

    async fn checked(
        &self,
        claim: &Claim,
        ticket: &mut Ticket,
        entry: &mut Entry,
    ) -> Result<Identity, Fault> {
        let actor = self.authenticate(claim, ticket, entry).await?;
        self.check_state(&actor)?;
        let mailbox = self.mailbox(claim, &actor, entry).await?;
        entry.record.site = mailbox.site.as_ref().map(|site| shown(site.as_str()));
        self.check_site(&mailbox)?;
        Ok(Identity::new(mailbox, actor.name.clone()))
    }

    /// Who it is: the account whose password this is.
    async fn authenticate(
        &self,
        claim: &Claim,
        ticket: &mut Ticket,
        entry: &mut Entry,
    ) -> Result<Arc<Account>, Fault> {
        let client = entry.record.address;
        let found = self.directory.find(&claim.login, client).await?;
        if let Some(account) = &found {
            entry.record.account = Some(shown(&account.name));
            let counted = ticket.reached(&account.name, self.clock.elapsed());
            counted.map_err(|_| Fault::Refused(Reason::Throttled))?;
        }
        let verdict = self
            .directory
            .verify(found.as_deref(), &claim.password, client)
            .await?;
        let account = found.ok_or(Fault::Refused(Reason::UnknownUser))?;
        match verdict {
            Verdict::Right => Ok(account),
            Verdict::Wrong => Err(Fault::Refused(Reason::WrongPassword)),
            Verdict::NoPassword => Err(Fault::Refused(Reason::NoPassword)),
        }
    }

    /// Whether the account may be used at all.
    fn check_state(&self, account: &Account) -> Result<(), Fault> {
        if account.disabled {
            return Err(Fault::Refused(Reason::Disabled));
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
        claim: &Claim,
        actor: &Arc<Account>,
        entry: &mut Entry,
    ) -> Result<Arc<Account>, Fault> {
        let Some(asked) = &claim.mailbox else {
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
    fn check_site(&self, mailbox: &Account) -> Result<(), Fault> {
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
