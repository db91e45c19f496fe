//! One talk with a client: the context, and for GSSAPI the choice of no security layer.

use std::sync::Arc;

use libgssapi::context::{SecurityContext, ServerCtx};
use libgssapi::credential::Cred;
use libgssapi::error::Error;
use libgssapi::oid::GSS_MECH_KRB5;

use super::acquire::Tokens;
use super::ap_req::{self, Ticket};
use super::failure::{self, Failure};
use super::keys::{Gssapi, Keys, Pair};
use super::layer;
use super::principal::Principal;
use super::rules::NoRule;
use crate::extended_protection::{Bound, Ruling};
use crate::{Channel, ExtendedProtection, Reason};

/// GSS_C_CHANNEL_BOUND_FLAG (MIT 1.19): the client is bound to this channel.
const CHANNEL_BOUND: u32 = libgssapi_sys::GSS_C_CHANNEL_BOUND_FLAG;
/// RFC 5929 §4 and RFC 5056 §2.1: what stands before the hash of the certificate.
const END_POINT: &[u8] = b"tls-server-end-point:";
/// The longest token, in octets: a ticket with the groups of Active Directory has up to 64 KiB.
const MAX_TOKEN: usize = 65_536 + 2_048;

/// The two mechanisms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// GSSAPI: Kerberos' own tokens, and the negotiation of layers (RFC 4752).
    Gssapi,
    /// GSS-SPNEGO: Kerberos inside SPNEGO, and nothing after it.
    Spnego,
}

/// What a client may be bound to, and whether it must be.
#[derive(Clone, Debug)]
pub(crate) struct Bindings {
    protection: ExtendedProtection,
    /// Hashes of certificates (`tls-server-end-point`) that count as this channel's.
    end_points: Vec<Vec<u8>>,
}

impl Bindings {
    /// Those of a channel.
    pub(crate) fn of(channel: &Channel) -> Self {
        Self {
            protection: channel.rule.extended_protection,
            end_points: channel.end_points().map(<[u8]>::to_vec).collect(),
        }
    }

    /// What is compared with the client's binding, one after the other. A channel with nothing to be
    /// bound to is compared with what no client has: the library then tells whether it is bound.
    fn application_data(&self) -> Vec<Vec<u8>> {
        match self.protection {
            ExtendedProtection::None => Vec::new(),
            ExtendedProtection::Audit | ExtendedProtection::Allow | ExtendedProtection::Require
                if self.end_points.is_empty() =>
            {
                vec![END_POINT.to_vec()]
            }
            ExtendedProtection::Audit | ExtendedProtection::Allow | ExtendedProtection::Require => {
                let with_name = |hash: &Vec<u8>| [END_POINT, hash].concat();
                self.end_points.iter().map(with_name).collect()
            }
        }
    }
}

/// Whose ticket it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    /// The client, as its KDC vouches for it.
    pub(crate) client: Principal,
    /// The login that it is.
    pub(crate) login: Result<String, NoRule>,
    /// Whose mailbox is asked for; empty when the client did not say.
    pub(crate) authzid: String,
    /// What the client was bound to.
    pub(crate) bound: Bound,
    /// What follows from that.
    pub(crate) ruling: Ruling,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// The client has to answer this.
    Challenge(Vec<u8>),
    /// It is over, and this was proven.
    Proven(Box<Proven>),
}

/// How far a talk is.
enum Stage {
    /// The context is being made.
    Accepting,
    /// It is made; the client takes our last token, and has to say nothing.
    Answered,
    /// The client chooses a layer.
    Offered,
    /// Over.
    Done,
}

/// A talk with one client. Every step calls the library.
pub(crate) struct Talk {
    gssapi: Arc<Gssapi>,
    flavour: Flavour,
    bindings: Bindings,
    context: Option<ServerCtx>,
    ticket: Option<Ticket>,
    bound: Bound,
    stage: Stage,
}

impl Talk {
    /// Begins a talk.
    pub(crate) fn new(gssapi: Arc<Gssapi>, flavour: Flavour, bindings: Bindings) -> Self {
        Self {
            gssapi,
            flavour,
            bindings,
            context: None,
            ticket: None,
            bound: Bound::Nothing,
            stage: Stage::Accepting,
        }
    }

    /// Takes what the client says. After an error the talk is over.
    pub(crate) fn step(&mut self, said: &[u8]) -> Result<Said, Failure> {
        if said.len() > MAX_TOKEN {
            return Err(Failure::plain(Reason::Malformed));
        }
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Accepting => self.accept(said),
            // RFC 4752 §3.2: our token is answered with nothing.
            Stage::Answered if said.is_empty() => self.accepted(),
            Stage::Offered => self.chosen(said),
            Stage::Answered | Stage::Done => Err(Failure::plain(Reason::Malformed)),
        }
    }

    fn accept(&mut self, token: &[u8]) -> Result<Said, Failure> {
        // The library calls an empty token a lack of credentials.
        if token.is_empty() {
            return Err(Failure::plain(Reason::Malformed));
        }
        if self.ticket.is_none() {
            self.ticket = ap_req::read(token);
        }
        let keys = self.gssapi.keys();
        let Some(keys) = keys.as_ref() else {
            let detail = "the keytab went bad while the client was logging in";
            return Err(Failure::explained(Reason::KerberosTrouble, detail));
        };
        let accepted = match (self.context.take(), self.pair(keys)) {
            (Some(context), _) => self.go_on(context, token),
            (None, Some(pair)) => self.begin(pair, token),
            // Never without a credential: the library would take the keys of the system.
            (None, None) => return Err(Failure::plain(Reason::KerberosTrouble)),
        };
        let (context, answer) = accepted.map_err(|error| {
            let error = self.as_numbered(keys, token, error);
            // The library has read the keytab just now, and the list may be of a second ago.
            let now = self.gssapi.settings.usable();
            let listed = now.as_ref().unwrap_or(&keys.listed);
            failure::classify(&error, self.ticket.as_ref(), listed)
        })?;
        let complete = context.is_complete();
        self.context = Some(context);
        if !complete {
            self.stage = Stage::Accepting;
            return Ok(Said::Challenge(answer.unwrap_or_default()));
        }
        self.check()?;
        match answer {
            Some(answer) => {
                self.stage = Stage::Answered;
                Ok(Said::Challenge(answer))
            }
            None => self.accepted(),
        }
    }

    /// Takes the first token. The client's binding is compared within the library, with one at a
    /// time; the first look notes the authenticator, so that the others must not take it for a
    /// replay of itself. A client that is bound elsewhere is judged once it is known who it is.
    fn begin(&mut self, pair: &Pair, token: &[u8]) -> Result<Accepted, Error> {
        let Pair { noting, again } = pair;
        let compared = self.bindings.application_data();
        let mut outcome = accept_with(noting, token, compared.first());
        for data in compared.iter().skip(1) {
            if !outcome.as_ref().is_err_and(failure::is_bad_bindings) {
                break;
            }
            outcome = accept_with(again, token, Some(data));
        }
        if outcome.as_ref().is_err_and(failure::is_bad_bindings) {
            outcome = accept_with(again, token, None);
            self.bound = if self.bindings.end_points.is_empty() {
                Bound::Unknown
            } else {
                Bound::Elsewhere
            };
        }
        outcome
    }

    /// SPNEGO renumbers the errors of Kerberos in each process anew. What is inside is shown to Kerberos
    /// itself, first without a memory: only when nothing else is wrong with it, the memory was what refused.
    fn as_numbered(&self, keys: &Keys, token: &[u8], error: Error) -> Error {
        let inside = ap_req::of_krb5(token).zip(keys.pair(Tokens::Krb5, self.ticket.as_ref()));
        match inside {
            Some((inside, pair)) if self.is_renumbered(&error) => {
                let again = accept_with(&pair.again, inside, None).err();
                let noting = || accept_with(&pair.noting, inside, None).err();
                again.or_else(noting).unwrap_or(error)
            }
            _ => error,
        }
    }

    fn is_renumbered(&self, error: &Error) -> bool {
        self.flavour == Flavour::Spnego && self.ticket.is_some() && !failure::is_bad_bindings(error)
    }

    fn pair<'a>(&self, keys: &'a Keys) -> Option<&'a Pair> {
        let tokens = match self.flavour {
            Flavour::Gssapi => Tokens::Krb5,
            Flavour::Spnego => Tokens::Spnego,
        };
        keys.pair(tokens, self.ticket.as_ref())
    }

    fn go_on(&self, mut context: ServerCtx, token: &[u8]) -> Result<Accepted, Error> {
        let compared = self.bindings.application_data();
        let answer = context.step(token, compared.first().map(Vec::as_slice))?;
        Ok((context, answer.map(|answer| answer.to_vec())))
    }

    /// What must hold of a context besides that the library made it.
    fn check(&mut self) -> Result<(), Failure> {
        let context = self
            .context
            .as_ref()
            .ok_or(Failure::plain(Reason::Malformed))?;
        let krb5 = context
            .mechanism()
            .is_ok_and(|mechanism| mechanism == GSS_MECH_KRB5);
        // A ticket that cannot be read here was not looked at, though the library took it.
        let ticket = self.ticket.as_ref().filter(|_| krb5);
        let ticket = ticket.ok_or(Failure::plain(Reason::Malformed))?;
        if ticket.enctype.is_weak() && !self.gssapi.settings.weak_keys {
            return Err(Failure::explained(
                Reason::WeakKey,
                failure::weak_key(ticket),
            ));
        }
        if context
            .flags()
            .is_ok_and(|flags| flags.bits() & CHANNEL_BOUND != 0)
        {
            self.bound = Bound::Here;
        }
        Ok(())
    }

    /// The context is made, and the client has our last token.
    fn accepted(&mut self) -> Result<Said, Failure> {
        match (self.flavour, self.context.as_mut()) {
            (Flavour::Spnego, _) => self.proven(String::new()),
            (Flavour::Gssapi, Some(context)) => {
                let offer = context.wrap(false, &layer::OFFER);
                let offer = offer.map_err(|_| Failure::plain(Reason::Malformed))?;
                self.stage = Stage::Offered;
                Ok(Said::Challenge(offer.to_vec()))
            }
            (Flavour::Gssapi, None) => Err(Failure::plain(Reason::Malformed)),
        }
    }

    /// RFC 4752 §3.2: the client's choice, and whose mailbox it asks for.
    fn chosen(&mut self, said: &[u8]) -> Result<Said, Failure> {
        let malformed = || Failure::plain(Reason::Malformed);
        let context = self.context.as_mut().ok_or_else(malformed)?;
        let answer = context.unwrap(said).map_err(|error| {
            let detail = format!("the answer to the offer of layers cannot be opened: {error}");
            Failure::explained(Reason::Malformed, crate::audit::shown(&detail))
        })?;
        let authzid = layer::choice(&answer)
            .map_err(|why| Failure::explained(Reason::Malformed, why.to_string()))?
            .to_owned();
        self.proven(authzid)
    }

    fn proven(&mut self, authzid: String) -> Result<Said, Failure> {
        let context = self
            .context
            .take()
            .ok_or(Failure::plain(Reason::Malformed))?;
        let name = |name: Result<libgssapi::name::Name, Error>| {
            let text = name.and_then(|name| name.display_name()).ok()?;
            Principal::parse(std::str::from_utf8(&text).ok()?)
        };
        let names = name(context.source_name()).zip(name(context.target_name()));
        let (client, service) = names.ok_or_else(|| {
            Failure::explained(
                Reason::NoPrincipalRule,
                "the principal has a name that is not text",
            )
        })?;
        Ok(Said::Proven(Box::new(Proven {
            login: self.gssapi.settings.rules.login(&client, service.realm()),
            client,
            authzid,
            bound: self.bound,
            ruling: self.bindings.protection.judge(self.bound),
        })))
    }
}

/// A context, and what it says to the client.
pub(super) type Accepted = (ServerCtx, Option<Vec<u8>>);

pub(super) fn accept_with(
    credential: &Cred,
    token: &[u8],
    binding: Option<&Vec<u8>>,
) -> Result<Accepted, Error> {
    let mut context = ServerCtx::new(Some(credential.clone()));
    let answer = context.step(token, binding.map(Vec::as_slice))?;
    Ok((context, answer.map(|answer| answer.to_vec())))
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Talk")
            .field("flavour", &self.flavour)
            .finish_non_exhaustive()
    }
}
