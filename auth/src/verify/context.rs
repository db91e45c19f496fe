//! A context of Kerberos: GSSAPI and GSS-SPNEGO.

use super::{Approved, Claim, Desk, Fault, claim, nobody, settle};
use crate::audit::{Entry, shown};
use crate::directory::Name;
use crate::extended_protection::{Bound, Ruling};
use crate::gssapi::{Failure, Proven, is_self};
use crate::mechanism::prepare_authzid;
use crate::{Binding, Reason};

impl Desk {
    /// The account whose principal the ticket is of, and the mailbox that is asked for.
    ///
    /// A ticket that is not good is counted against nobody: nothing can be guessed with it.
    pub(super) async fn by_context(
        &self,
        context: Result<Box<Proven>, Failure>,
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        let proven = context.map_err(|failure| failed(failure, entry))?;
        entry.record.login = Some(shown(&proven.client.to_string()));
        entry.record.binding = match proven.bound {
            Bound::Nothing => Binding::None,
            Bound::Here => Binding::TlsServerEndPoint,
            Bound::Elsewhere | Bound::Unknown => Binding::Wrong,
        };
        let would_break = match proven.ruling {
            Ruling::Accepted => Vec::new(),
            Ruling::Noted(would_break) => vec![would_break],
            Ruling::Refused(reason) => {
                return Err(failed(Failure::explained(reason, about(reason)), entry));
            }
        };
        let login = proven.login.as_ref().map_err(|why| {
            let detail = format!("the ticket is good, but no login is this principal's: {why}");
            failed(Failure::explained(Reason::NoPrincipalRule, detail), entry)
        })?;
        let asked =
            prepare_authzid(&proven.authzid).map_err(|_| Fault::Refused(Reason::Malformed))?;
        let asked = asked.filter(|asked| !is_self(asked, &proven.client, login));
        let Claim { login, mailbox } = claim(login, asked.as_deref(), entry)?;
        // Not what the login is called here, but what the client said.
        entry.record.login = Some(shown(&proven.client.to_string()));
        let mut ticket = self.count(login.key(), entry).await?;
        let checked = async {
            let found = self.directory.find(Name::Own(&login), entry.record.address);
            let found = found.await?;
            let actor = found.ok_or_else(|| nobody("the ticket is good", &login, entry))?;
            entry.record.account = Some(shown(&actor.name));
            ticket.reached(&actor.name, self.clock.elapsed()).await?;
            self.permit(&actor, mailbox.as_ref(), entry).await
        };
        match checked.await {
            Ok(identity) => {
                entry.record.would_break = would_break;
                Ok(Approved { identity, ticket })
            }
            Err(fault) => Err(settle(ticket, fault)),
        }
    }
}

/// Notes why, and says whose fault it is.
fn failed(failure: Failure, entry: &mut Entry) -> Fault {
    entry.record.detail = failure.detail;
    if failure.reason.is_trouble() {
        Fault::Unavailable(failure.reason)
    } else {
        Fault::Refused(failure.reason)
    }
}

/// What an administrator should know of a refused binding.
fn about(reason: Reason) -> &'static str {
    if reason == Reason::NoBinding {
        "the client is bound to no TLS channel, and extended_protection requires that it is"
    } else {
        "the client is bound to another TLS channel: its login was relayed, or something between it \
         and this server ends TLS with a certificate that tls.extra_certificates does not name"
    }
}
