//! NTLM: what is refused unseen, who verifies, and what must hold of a proven response.
//!
//! A weak form of NTLM is refused before anybody is asked, so that no domain controller counts it.
//! Then the road is that of a password: throttle, account, proof, state, right, site. The account comes
//! from the directory, whoever verifies.

mod names;
mod words;

use std::sync::{Arc, OnceLock};

use self::names::Named;
use super::{Approved, Desk, Fault, nobody, settle};
use crate::audit::{Entry, NtlmForm, WouldBreak, shown};
use crate::caller::{Digest, Standing};
use crate::clock;
use crate::evidence::NtlmEvidence;
use crate::extended_protection::{Bound, Ruling};
use crate::ntlm::{Demands, Key, Response, Transcript, Weakness, binding};
use crate::throttle::Ticket;
use crate::winbind::{Request, Verdict};
use crate::{Account, Binding, Channel, ExtendedProtection, NtHash, NtlmMode, NtlmVerify, Reason};

/// What a proof came to.
enum Proof {
    /// NTLMv2: the key that protects the messages.
    Keyed(Key),
    /// NTLMv1, which protects nothing.
    Bare,
    /// It is wrong, or whoever verified it refuses the account for this reason.
    Refused(Reason),
}

/// The password behind it is another.
const WRONG: Proof = Proof::Refused(Reason::WrongPassword);

impl From<Weakness> for Fault {
    fn from(weakness: Weakness) -> Self {
        Self::Refused(match weakness {
            Weakness::Integrity => Reason::BadMic,
            Weakness::NoIntegrity => Reason::NoMic,
            Weakness::Stale => Reason::Stale,
            Weakness::OtherServer => Reason::OtherServer,
            Weakness::Malformed => Reason::Malformed,
        })
    }
}

impl Desk {
    pub(super) async fn by_ntlm(
        &self,
        evidence: &NtlmEvidence,
        standing: &Standing,
        entry: &mut Entry,
    ) -> Result<Approved, Fault> {
        let NtlmEvidence {
            transcript,
            channel,
        } = evidence;
        let bound = note(transcript, channel, entry);
        let named = self.named(transcript, entry)?;
        if let Err(reason) = self.admissible(transcript, channel, &named, entry) {
            return Err(Fault::Refused(repeated(reason, transcript, standing)));
        }
        let mut ticket = self.count(named.claim.login.key(), entry).await?;
        let checked = async {
            let actor = self.prover(transcript, &named, &mut ticket, entry).await?;
            let ruling = channel.rule.extended_protection.judge(bound);
            if let Ruling::Refused(reason) = ruling {
                return Err(Fault::Refused(reason));
            }
            let mailbox = named.claim.mailbox.as_ref();
            let identity = self.permit(&actor, mailbox, entry).await?;
            self.note_rules(&actor, ruling, entry);
            Ok(identity)
        };
        match checked.await {
            Ok(identity) => Ok(Approved { identity, ticket }),
            Err(fault) => Err(settle(ticket, fault)),
        }
    }

    /// What is refused whoever it is, before anybody is asked.
    fn admissible(
        &self,
        transcript: &Transcript,
        channel: &Channel,
        named: &Named,
        entry: &Entry,
    ) -> Result<(), Reason> {
        // A domain controller may let the guest in without a password.
        if named.claim.login.user() == "guest" {
            return Err(Reason::Blocked);
        }
        match &transcript.authenticate.response {
            Response::Anonymous => Err(Reason::Anonymous),
            Response::LmOnly => Err(Reason::LmOnly),
            Response::V2(_) => Ok(()),
            Response::V1(_) => {
                let client = entry.record.address;
                let rule = &channel.rule;
                let mut networks = rule.accept_ntlmv1.iter();
                let accepted = networks.any(|network| network.contains(client))
                    && !self.policy.ntlm.require_mic
                    && rule.extended_protection != ExtendedProtection::Require;
                if accepted {
                    Ok(())
                } else {
                    Err(Reason::NtlmV1)
                }
            }
        }
    }

    /// The account whose proof this is, by whoever has to verify it.
    async fn prover(
        &self,
        transcript: &Transcript,
        named: &Named,
        ticket: &mut Ticket,
        entry: &mut Entry,
    ) -> Result<Arc<Account>, Fault> {
        let policy = &self.policy.ntlm;
        let here = match policy.verify {
            NtlmVerify::Local => true,
            NtlmVerify::Winbind => false,
            NtlmVerify::Both => policy.is_local(&named.domain),
        };
        let found = if here {
            self.find_named(named, entry).await?
        } else if transcript.is_plainly_spelled() {
            self.find_proven(&transcript.authenticate, named, entry)
                .await?
        } else {
            None
        };
        if let Some(account) = &found {
            entry.record.account = Some(shown(&account.name));
            ticket.reached(&account.name, self.clock.elapsed()).await?;
        }
        let name = found.as_ref().map(|account| &*account.name);
        if policy.mode == NtlmMode::Off && !policy.survives_off(entry.record.address, name) {
            return Err(Fault::Refused(Reason::NtlmOff));
        }
        let proof = if here {
            self.by_hash(transcript, found.as_deref(), entry).await?
        } else {
            self.by_controller(transcript, entry).await?
        };
        self.judge(transcript, &proof)?;
        let said_yes = "the domain controller said yes";
        found.ok_or_else(|| nobody(said_yes, &named.claim.login, entry))
    }

    /// Verifies with the account's NT hash. For nobody, and for whoever has none, the same work is
    /// done with a made-up one.
    async fn by_hash(
        &self,
        transcript: &Transcript,
        account: Option<&Account>,
        entry: &Entry,
    ) -> Result<Proof, Fault> {
        let client = entry.record.address;
        let hash = match account {
            Some(account) => self.directory.nt_hash(account, client).await?,
            None => None,
        };
        let key = hash.as_ref().map_or_else(|| made_up().key(), NtHash::key);
        let proof = match &transcript.authenticate.response {
            Response::V2(response) => transcript.prove(response, key).map_or(WRONG, Proof::Keyed),
            Response::V1(response) if transcript.proves_v1(response, key) => Proof::Bare,
            Response::V1(_) | Response::LmOnly | Response::Anonymous => WRONG,
        };
        match (account, hash) {
            (None, _) => Err(Fault::Refused(Reason::UnknownUser)),
            (Some(_), None) => Err(Fault::Refused(Reason::NoNtHash)),
            (Some(_), Some(_)) => Ok(proof),
        }
    }

    /// Asks a domain controller.
    async fn by_controller(&self, transcript: &Transcript, entry: &Entry) -> Result<Proof, Fault> {
        let trouble = Fault::Unavailable(Reason::DirectoryTrouble);
        let winbind = self.winbind.as_ref().ok_or(trouble)?;
        let (server_challenge, response) = match &transcript.authenticate.response {
            Response::V2(response) => (
                transcript.challenge.server_challenge,
                [&response.proof[..], &response.temp].concat(),
            ),
            Response::V1(response) => (
                transcript.v1_challenge(response),
                response.response.to_vec(),
            ),
            Response::LmOnly | Response::Anonymous => return Ok(WRONG),
        };
        let is_v2 = matches!(transcript.authenticate.response, Response::V2(_));
        let request = Request {
            user: transcript.authenticate.user.clone(),
            domain: transcript.authenticate.domain.clone(),
            server_challenge,
            response,
        };
        Ok(match winbind.check(request, entry.record.address).await? {
            Verdict::Right(key) if is_v2 => Proof::Keyed(key),
            Verdict::Right(_) => Proof::Bare,
            Verdict::Wrong(words) => {
                let session = entry.record.session;
                tracing::debug!(session, words, "the domain controller refused a login");
                Proof::Refused(words::meaning(&words))
            }
            Verdict::Trouble(_) => return Err(trouble),
        })
    }

    /// What must hold besides the proof.
    fn judge(&self, transcript: &Transcript, proof: &Proof) -> Result<(), Fault> {
        match (proof, &transcript.authenticate.response) {
            (Proof::Keyed(key), Response::V2(response)) => {
                let policy = &self.policy.ntlm;
                let demands = Demands {
                    integrity: policy.require_mic,
                    window: policy.max_skew.as_secs(),
                    targets: policy.targets.clone(),
                };
                let now = clock::filetime();
                Ok(transcript.judge(response, key, &demands, now)?)
            }
            (Proof::Bare, Response::V1(_)) => Ok(()),
            (Proof::Refused(reason), _) => Err(Fault::Refused(*reason)),
            (Proof::Keyed(_) | Proof::Bare, _) => Err(Fault::Refused(Reason::WrongPassword)),
        }
    }

    /// The stricter rules under which a login that is granted would be refused.
    fn note_rules(&self, actor: &Account, ruling: Ruling, entry: &mut Entry) {
        let policy = &self.policy.ntlm;
        let survives = policy.survives_off(entry.record.address, Some(&actor.name));
        let off = (policy.mode == NtlmMode::Audit && !survives).then_some(WouldBreak::NtlmOff);
        let protection = match ruling {
            Ruling::Noted(rule) => Some(rule),
            Ruling::Accepted | Ruling::Refused(_) => None,
        };
        entry.record.would_break = off.into_iter().chain(protection).collect();
    }
}

/// Notes what a client says of itself, none of it proven, and compares its binding.
fn note(transcript: &Transcript, channel: &Channel, entry: &mut Entry) -> Bound {
    let authenticate = &transcript.authenticate;
    let (form, says) = match &authenticate.response {
        Response::Anonymous => (NtlmForm::Anonymous, None),
        Response::LmOnly => (NtlmForm::Lm, None),
        Response::V1(_) => (NtlmForm::V1, None),
        Response::V2(response) => (NtlmForm::V2, response.says().ok()),
    };
    let workstation = Some(&authenticate.workstation).filter(|name| !name.is_empty());
    let bound = bound(says.unwrap_or_default().binding, channel);
    let record = &mut entry.record;
    record.ntlm = Some(form);
    record.workstation = workstation.map(|name| shown(name));
    record.mic = Some(says.unwrap_or_default().integrity);
    record.binding = match bound {
        Bound::Nothing => Binding::None,
        Bound::Here => Binding::TlsServerEndPoint,
        Bound::Elsewhere | Bound::Unknown => Binding::Wrong,
    };
    bound
}

/// What a client is bound to. A binding is no secret.
fn bound(said: Option<[u8; 16]>, channel: &Channel) -> Bound {
    let Some(said) = said else {
        return Bound::Nothing;
    };
    let mut ours = channel.end_points().filter_map(binding).peekable();
    if ours.peek().is_none() {
        Bound::Unknown
    } else if ours.any(|own| own == said) {
        Bound::Here
    } else {
        Bound::Elsewhere
    }
}

/// A client that tries again what was refused unseen does not count once more. The reason does not
/// depend on whether anybody has the name, so this tells nothing.
fn repeated(reason: Reason, transcript: &Transcript, standing: &Standing) -> Reason {
    let (user, domain) = (
        &transcript.authenticate.user,
        &transcript.authenticate.domain,
    );
    let parts = ["NTLM", reason.as_str(), domain, user].map(str::as_bytes);
    match Digest::of(&parts) {
        Some(digest) if standing.remembers(&digest) => Reason::Repeated,
        Some(digest) => {
            standing.remember(digest);
            reason
        }
        None => reason,
    }
}

/// The hash of nobody's password.
fn made_up() -> &'static NtHash {
    static HASH: OnceLock<NtHash> = OnceLock::new();
    HASH.get_or_init(|| {
        let mut octets = [0; 16];
        // Whoever knew it would gain nothing: nobody is let in with it.
        let _ = getrandom::fill(&mut octets);
        NtHash::from_octets(octets)
    })
}
