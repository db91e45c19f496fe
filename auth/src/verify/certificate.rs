//! The certificate of the TLS connection: EXTERNAL.

use std::sync::Arc;

use super::{Approved, Claim, Desk, Fault, claim, settle};
use crate::audit::{Entry, shown};
use crate::certificate::{self, CertificateName, Fingerprint, Names};
use crate::directory::Name;
use crate::{Account, Login, Reason, clock};

impl Desk {
    /// EXTERNAL: the holder of the channel's certificate.
    pub(super) async fn by_certificate(
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
    /// Names of one kind that reach two accounts reach none. An authority has proven them, mail
    /// addresses too: who has the address now is not who has the certificate.
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
                let Some(found) = self.directory.find(Name::Principal(&login), client).await?
                else {
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
}
