//! The names of an NTLM message: which account they mean, to a hash of ours and to a domain controller.

use std::sync::Arc;

use crate::audit::{Entry, shown};
use crate::directory::Name;
use crate::ntlm::{Authenticate, Response, Transcript};
use crate::verify::{Claim, Desk, Fault};
use crate::{Account, Login, Reason};

/// A claim, and the domain of its name.
pub(super) struct Named {
    pub(super) claim: Claim,
    /// In lower case; empty where none was named.
    pub(super) domain: String,
}

impl Desk {
    /// Takes the names apart. NTLM has no authorization identity: where the policy lets it, a mailbox
    /// stands behind a slash in the user's name.
    pub(super) fn named(&self, transcript: &Transcript, entry: &mut Entry) -> Result<Named, Fault> {
        let (user, domain) = (
            &*transcript.authenticate.user,
            &transcript.authenticate.domain,
        );
        let split = user.rsplit_once('/').filter(|_| self.policy.ntlm.delegate);
        let split = split.filter(|(user, mailbox)| !user.is_empty() && !mailbox.is_empty());
        let (user, mailbox) = split.map_or((user, None), |(user, mailbox)| (user, Some(mailbox)));
        let typed = if domain.is_empty() {
            user.to_owned()
        } else {
            format!("{domain}\\{user}")
        };
        entry.record.login = Some(shown(&typed));
        entry.record.mailbox = mailbox.map(shown);
        if matches!(transcript.authenticate.response, Response::Anonymous) {
            return Err(Fault::Refused(Reason::Anonymous));
        }
        // A domain alone is nobody's name, whatever a domain controller would make of it.
        if user.is_empty() {
            return Err(Fault::Refused(Reason::Malformed));
        }
        let parse =
            |typed: &str| Login::parse(typed).map_err(|_| Fault::Refused(Reason::Malformed));
        let login = parse(&typed)?;
        Ok(Named {
            domain: login.realm().unwrap_or_default().to_owned(),
            claim: Claim {
                mailbox: mailbox.map(parse).transpose()?,
                login,
            },
        })
    }

    /// The account of a name as it stands, or in a local domain of the user's name alone. The proof
    /// is then checked against its own NT hash.
    pub(super) async fn find_named(
        &self,
        named: &Named,
        entry: &Entry,
    ) -> Result<Option<Arc<Account>>, Fault> {
        let (login, client) = (&named.claim.login, entry.record.address);
        let found = self.directory.find(Name::Typed(login), client).await?;
        let is_local = !named.domain.is_empty() && self.policy.ntlm.is_local(&named.domain);
        if found.is_some() || !is_local {
            return Ok(found);
        }
        match Login::parse(login.user()) {
            Ok(short) => Ok(self.directory.find(Name::Typed(&short), client).await?),
            Err(_) => Ok(None),
        }
    }

    /// The account of a name that a domain controller proves. It is asked for user and domain as they
    /// stand, so a user that we would take apart is nobody here: the controller may know somebody of
    /// that very name.
    pub(super) async fn find_proven(
        &self,
        authenticate: &Authenticate,
        named: &Named,
        entry: &Entry,
    ) -> Result<Option<Arc<Account>>, Fault> {
        let (user, domain) = (&*authenticate.user, &authenticate.domain);
        if user.contains(['/', '\\']) {
            return Ok(None);
        }
        let login = &named.claim.login;
        let whole = self.in_own_domain(user);
        let name = match (domain.is_empty(), user.contains('@')) {
            (true, true) => Name::Principal(login),
            (true, false) => Name::Own(whole.as_ref().unwrap_or(login)),
            (false, _) => Name::Own(login),
        };
        Ok(self.directory.find(name, entry.record.address).await?)
    }

    /// A user of whom no domain is said is one of the controller's own domain, which may be another than
    /// the directory's.
    fn in_own_domain(&self, user: &str) -> Option<Login> {
        let domain = self.policy.ntlm.names.domain.as_ref()?;
        Login::parse(&format!("{domain}\\{user}")).ok()
    }
}
