//! From evidence to an identity: every check of a login, once, in one order.
//!
//! Throttle, account, password or proof, state of the account, right of a delegate, site. The checks
//! of an account come only after its password was right, so that the record's reason is true and a
//! stranger's guess tells nothing. Every "no" is the same to the client.

use std::sync::Arc;

use crate::audit::{Entry, shown};
use crate::caller::{Digest, Standing};
use crate::certificate::{self, CertificateName, Fingerprint, Names};
use crate::clock::{self, Clock};
use crate::directory::{Directory, ScramAnswer, Unavailable, Verdict};
use crate::evidence::Evidence;
use crate::scram::ScramKeys;
use crate::source::Source;
use crate::throttle::{Limits, Throttle, Throttled, Ticket};
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

impl From<Throttled> for Fault {
    fn from(why: Throttled) -> Self {
        match why {
            Throttled::Account | Throttled::Source => Self::Refused(Reason::Throttled),
            Throttled::Busy => Self::Unavailable(Reason::Overloaded),
        }
    }
}

/// A claim taken apart, before anything is known of it.
struct Claim {
    login: Login,
    mailbox: Option<Login>,
}

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

/// A login that passed every check. It stays counted until it is granted.
pub(crate) struct Approved {
    identity: Identity,
    ticket: Ticket,
}

impl Desk {
    /// Verifies the evidence of one attempt, and fills in its record on the way.
    pub(crate) async fn verify(
        &self,
        evidence: Evidence,
        standing: &Standing,
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        match evidence {
            Evidence::Password {
                authzid,
                login,
                password,
            } => {
                let claim = claim(&login, authzid.as_deref(), entry)?;
                let asked = authzid.unwrap_or_default();
                let parts = [asked.as_bytes(), login.as_bytes(), password.expose()];
                let digest = Digest::of(&parts);
                let known = digest.as_ref();
                if known.is_some_and(|digest| standing.remembers(digest)) {
                    return Err(Fault::Refused(Reason::Repeated));
                }
                let outcome = self.by_password(claim, &password, entry).await;
                // What the throttle refused was not looked at, and may be right once its time
                // is over.
                if let (Err(Fault::Refused(reason)), Some(digest)) = (&outcome, digest)
                    && *reason != Reason::Throttled
                {
                    standing.remember(digest);
                }
                outcome
            }
            Evidence::Certificate {
                authzid,
                certificate,
            } => {
                self.by_certificate(authzid.as_deref(), &certificate, entry)
                    .await
            }
        }
    }

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
            let found = self.directory.find(&login, client).await?;
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

    /// The login is granted: it counts no more.
    pub(crate) fn grant(&self, approved: Approved) -> Identity {
        approved.ticket.granted(self.clock.elapsed());
        approved.identity
    }

    async fn by_password(
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

    /// EXTERNAL: the holder of the channel's certificate.
    async fn by_certificate(
        &self,
        authzid: Option<&str>,
        certificate: &[u8],
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        let fingerprint = Fingerprint::of(certificate);
        let name = fingerprint.to_string();
        let Claim { mailbox, .. } = claim(&name, authzid, entry)?;
        let mut ticket = self.count(&name, entry).await?;
        let checked = async {
            let names = certificate::read(certificate, clock::unix_seconds());
            let names = names.map_err(|_| Fault::Refused(Reason::InvalidCertificate))?;
            let actor = self.holder(fingerprint, &names, entry).await?;
            entry.record.account = Some(shown(&actor.name));
            ticket.reached(&actor.name, self.clock.elapsed()).await?;
            self.permit(&actor, mailbox.as_ref(), entry).await
        };
        match checked.await {
            Ok(identity) => Ok(Approved { identity, ticket }),
            Err(fault) => Err(settle(ticket, fault)),
        }
    }

    /// The account that a certificate reaches, by the first way of the policy that reaches one.
    /// Names of one kind that reach two accounts reach none.
    async fn holder(
        &self,
        fingerprint: Fingerprint,
        names: &Names,
        entry: &Entry,
    ) -> Result<Arc<Account>, Fault> {
        let client = entry.record.address;
        for way in &self.policy.certificate_names {
            let names = match way {
                CertificateName::Fingerprint => {
                    let found = self.directory.find_certificate(fingerprint, client).await?;
                    if let Some(account) = found {
                        return Ok(account);
                    }
                    continue;
                }
                CertificateName::Upn => &names.upn,
                CertificateName::Email => &names.email,
            };
            let mut holder: Option<Arc<Account>> = None;
            for login in names.iter().filter_map(|name| Login::parse(name).ok()) {
                let Some(found) = self.directory.find(&login, client).await? else {
                    continue;
                };
                if holder
                    .as_ref()
                    .is_some_and(|other| other.name != found.name)
                {
                    return Err(Fault::Refused(Reason::AmbiguousCertificate));
                }
                holder = Some(found);
            }
            if let Some(account) = holder {
                return Ok(account);
            }
        }
        Err(Fault::Refused(Reason::UnknownCertificate))
    }

    /// Counts an attempt on a name that is about to be looked at.
    async fn count(&self, name: &str, entry: &Entry) -> Result<Ticket, Throttled> {
        let source = Source::of(entry.record.address);
        let limits = Limits::from(&self.policy);
        self.throttle
            .begin(source, name, limits, self.clock.elapsed())
            .await
    }

    /// Counts an attempt under the account's own name too.
    async fn reached(&self, mut ticket: Ticket, account: &Account) -> Result<Ticket, Reason> {
        let reached = ticket.reached(&account.name, self.clock.elapsed()).await;
        if reached.is_ok() {
            return Ok(ticket);
        }
        ticket.give_back();
        Err(Reason::Throttled)
    }

    /// The checks of the account, after its credentials were found right.
    async fn permit(
        &self,
        actor: &Arc<Account>,
        asked: Option<&Login>,
        entry: &mut Entry,
    ) -> Result<Identity, Fault> {
        self.check_state(actor)?;
        let mailbox = self.mailbox(asked, actor, entry).await?;
        entry.record.site = mailbox.site.as_ref().map(|site| shown(site.as_str()));
        self.check_site(&mailbox)?;
        Ok(Identity::new(mailbox, actor.name.clone()))
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
        let found = self.directory.find(login, client).await?;
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
    /// Whether the account may be used at all.
    fn check_state(&self, account: &Account) -> Result<(), Fault> {
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

/// Takes the names of a claim apart, and notes them in the record.
fn claim(login: &str, authzid: Option<&str>, entry: &mut Entry) -> Result<Claim, Fault> {
    entry.record.login = Some(shown(login));
    entry.record.mailbox = authzid.map(shown);
    let parse = |typed: &str| Login::parse(typed).map_err(|_| Fault::Refused(Reason::Malformed));
    Ok(Claim {
        login: parse(login)?,
        mailbox: authzid.map(parse).transpose()?,
    })
}

/// What becomes of the count of a login that did not come about.
fn settle(ticket: Ticket, fault: Fault) -> Fault {
    match fault {
        Fault::Unavailable(_) | Fault::Refused(Reason::Throttled) => ticket.give_back(),
        // Dropped, it stays counted.
        Fault::Refused(_) => drop(ticket),
    }
    fault
}
