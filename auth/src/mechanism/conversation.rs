//! One conversation of a mechanism with a client, driven by rsasl.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::config::SASLConfig;
use rsasl::mechanism::State;
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::prelude::{ChannelBindingCallback, SASLServer, Session, SessionError, Validation};
use rsasl::property::{AuthzId, SizedProperty};
use rsasl::registry::Registry;
use rsasl::validate::{Validate, ValidationError};

use super::gssapi::{TalkCell, TalkWanted};
use super::ntlm::{Shown, Spoken};
use super::scram::{self, Binding, ClientFirst, Offer};
use super::{Collects, MechanismSpec, authzid};
use crate::evidence::{Evidence, NtlmEvidence};
use crate::gssapi::{Bindings, Gssapi, Talk};
use crate::ntlm::NtlmNames;
use crate::scram::ScramKeys;
use crate::{Channel, Reason};

/// The longest answer of a client that a mechanism looks at, in octets. A Kerberos ticket with
/// many groups has up to 64 KiB.
const MAX_RESPONSE: usize = 96 * 1024;
/// The most answers in one conversation; GSSAPI needs three or four.
const MAX_STEPS: u32 = 10;

/// The name under which a mechanism hands its evidence to [`Collector`].
pub(super) struct Collected;

impl SizedProperty<'_> for Collected {
    type Value = Evidence;
}

impl Validation for Collected {
    type Value = Gathered;
}

/// What comes out of a mechanism, unlooked at.
pub(super) enum Gathered {
    /// Something to verify.
    Evidence(Evidence),
    /// The proof fits the keys that were put in.
    ProofFits,
}

/// Takes the evidence out of a mechanism and lets it out at the other end; gives SCRAM its keys and
/// NTLM its names.
struct Collector {
    collects: Collects,
    keys: Arc<OnceLock<ScramKeys>>,
    names: Arc<NtlmNames>,
    channel: Channel,
    talk: Option<TalkCell>,
}

impl SessionCallback for Collector {
    fn callback(
        &self,
        _session: &SessionData,
        _context: &Context,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if let Some(talk) = &self.talk {
            request.satisfy::<TalkWanted>(talk)?;
        }
        if let Some(keys) = self.keys.get() {
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                keys.form().iterations,
                keys.salt(),
                keys.stored_key(),
                keys.server_key(),
            ))?;
        }
        request.satisfy::<Shown>(&self.names)?;
        Ok(())
    }

    fn validate(
        &self,
        _session: &SessionData,
        context: &Context,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let gathered = match self.collects {
            Collects::Messages | Collects::Context(_) => {
                let evidence = context.get_ref::<Collected>();
                evidence.map(|evidence| Gathered::Evidence(evidence.clone()))
            }
            // rsasl asks for this when a proof was right, and then only.
            Collects::Scram { .. } => self.keys.get().map(|_| Gathered::ProofFits),
            Collects::Certificate => self.certificate(context).map(Gathered::Evidence),
            Collects::Ntlm => self.ntlm(context).map(Gathered::Evidence),
        };
        if let Some(gathered) = gathered {
            validate.finalize::<Collected>(gathered);
        }
        Ok(())
    }
}

impl Collector {
    fn certificate(&self, context: &Context) -> Option<Evidence> {
        let asked = context.get_ref::<AuthzId>().unwrap_or_default();
        Some(Evidence::Certificate {
            authzid: authzid::prepare(asked).ok()?,
            certificate: self.channel.tls.as_ref()?.client_certificate.clone()?,
        })
    }

    fn ntlm(&self, context: &Context) -> Option<Evidence> {
        let transcript = context.get_ref::<Spoken>()?.clone();
        let channel = self.channel.clone();
        Some(Evidence::Ntlm(Box::new(NtlmEvidence {
            transcript,
            channel,
        })))
    }
}

/// The bindings of a channel, for rsasl.
struct ChannelBindings(Channel);

impl ChannelBindingCallback for ChannelBindings {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        Binding::named(name, &self.0)?.data(&self.0)
    }
}

/// A conversation that goes on. Dropping it is giving it up.
pub(crate) struct Conversation {
    session: Session<Collected, ChannelBindings>,
    spec: &'static MechanismSpec,
    channel: Channel,
    plus_is_offered: bool,
    keys: Arc<OnceLock<ScramKeys>>,
    /// Who steps a mechanism that calls the library of Kerberos, and for whom.
    workers: Option<(Arc<Gssapi>, IpAddr)>,
    steps: u32,
}

/// Where a conversation takes place.
pub(crate) struct Surroundings<'a> {
    /// The connection.
    pub(crate) channel: &'a Channel,
    /// The client.
    pub(crate) client: IpAddr,
    /// Whether a mechanism that binds is offered on this channel.
    pub(crate) plus_is_offered: bool,
    /// What NTLM shows.
    pub(crate) names: &'a Arc<NtlmNames>,
    /// Kerberos, where it is configured.
    pub(crate) gssapi: Option<&'a Arc<Gssapi>>,
}

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// The client has to answer this.
    Challenge(Box<Conversation>, Vec<u8>),
    /// It goes on once the directory has said which keys the login has.
    Keys(Box<KeysWanted>),
    /// The proof fits the keys. The message says so to the client, and may be sent only when the
    /// login is granted.
    Proven(Vec<u8>),
    /// The proof does not fit, or the binding is not this channel's.
    Unproven(Reason),
    /// It is over and there is something to verify.
    Evidence(Evidence),
    /// It is over and nothing was collected: not a login, whatever the mechanism thinks.
    NoEvidence,
    /// The answer was not one of the mechanism's.
    Malformed,
    /// Too much waits for the workers.
    Overloaded,
}

/// A conversation that waits for keys.
#[derive(Debug)]
pub(crate) struct KeysWanted {
    conversation: Box<Conversation>,
    message: Vec<u8>,
    /// The name as the client sent it, decoded.
    pub(crate) login: String,
    /// Whose mailbox is to be opened, if not the login's own; prepared.
    pub(crate) authzid: Option<String>,
    /// What the client binds to.
    pub(crate) binding: Binding,
}

impl KeysWanted {
    /// Goes on with these keys.
    pub(crate) fn with(self, keys: ScramKeys) -> Step {
        let _ = self.conversation.keys.set(keys);
        self.conversation.advance(Some(&self.message))
    }
}

impl Conversation {
    /// Begins a conversation; none when rsasl cannot, or there is no Kerberos for one that needs it.
    pub(crate) fn begin(
        spec: &'static MechanismSpec,
        surroundings: &Surroundings<'_>,
    ) -> Option<Box<Self>> {
        let channel = surroundings.channel;
        let workers = surroundings.gssapi.filter(|_| spec.needs_keys());
        let workers = workers.map(|gssapi| (Arc::clone(gssapi), surroundings.client));
        let talk = match spec.collects {
            Collects::Context(flavour) => {
                let (gssapi, _) = workers.as_ref()?;
                let talk = Talk::new(Arc::clone(gssapi), flavour, Bindings::of(channel));
                Some(Arc::new(Mutex::new(talk)))
            }
            Collects::Messages
            | Collects::Scram { .. }
            | Collects::Certificate
            | Collects::Ntlm => None,
        };
        let keys = Arc::new(OnceLock::new());
        let collector = Collector {
            collects: spec.collects,
            keys: Arc::clone(&keys),
            names: Arc::clone(surroundings.names),
            channel: channel.clone(),
            talk,
        };
        // This mechanism alone: rsasl would else refuse the `y` flag where it knows a -PLUS,
        // whether or not that is offered.
        let registry = Registry::with_mechanisms(std::slice::from_ref(&spec.sasl));
        let config = SASLConfig::builder()
            .with_registry(registry)
            .with_callback(collector)
            .ok()?;
        let server = SASLServer::<Collected, _>::with_cb(config, ChannelBindings(channel.clone()));
        Some(Box::new(Self {
            session: server.start_suggested(spec.sasl.mechanism).ok()?,
            spec,
            channel: channel.clone(),
            plus_is_offered: surroundings.plus_is_offered,
            keys,
            workers,
            steps: 0,
        }))
    }

    /// Carries the client's answer in. `None` is right only as the first call, when the client
    /// sent no initial response.
    ///
    /// A mechanism that calls the library of Kerberos is stepped in the pool, and nobody else needs
    /// to know; that is why this is asynchronous.
    pub(crate) async fn step(mut self: Box<Self>, response: Option<&[u8]>) -> Step {
        self.steps += 1;
        let first = self.steps == 1;
        let server_first = self.session.are_we_first();
        match response {
            // RFC 5034 §4: a mechanism in which the client speaks first gets an empty challenge.
            None if first && !server_first => return Step::Challenge(self, Vec::new()),
            None if !first => return Step::Malformed,
            // RFC 5034 §4: an initial response to a mechanism in which the server speaks first.
            Some(_) if first && server_first && !self.spec.either_first => return Step::Malformed,
            Some(octets) if octets.len() > MAX_RESPONSE => return Step::Malformed,
            None | Some(_) => {}
        }
        if self.steps > MAX_STEPS {
            return Step::Malformed;
        }
        match (self.spec.collects, response) {
            (Collects::Scram { plus }, Some(message)) => self.scram(plus, message),
            (Collects::Scram { .. }, None) => Step::Malformed,
            (Collects::Messages | Collects::Certificate | Collects::Ntlm, _) => {
                self.advance(response)
            }
            (Collects::Context(_), message) => self.work(message).await,
        }
    }

    /// Looks at a message of SCRAM before rsasl does.
    fn scram(self: Box<Self>, plus: bool, message: &[u8]) -> Step {
        if self.keys.get().is_some() {
            return if scram::is_client_final(message) {
                self.advance(Some(message))
            } else {
                Step::Malformed
            };
        }
        let offer = Offer {
            plus,
            plus_is_offered: self.plus_is_offered,
        };
        match scram::client_first(message, offer, &self.channel) {
            Ok(ClientFirst {
                login,
                authzid,
                binding,
            }) => Step::Keys(Box::new(KeysWanted {
                conversation: self,
                message: message.to_vec(),
                login,
                authzid,
                binding,
            })),
            Err(Reason::Malformed) => Step::Malformed,
            Err(reason) => Step::Unproven(reason),
        }
    }

    /// Steps it in the pool: the library reads the keytab, and notes what it saw in a file.
    async fn work(self: Box<Self>, response: Option<&[u8]>) -> Step {
        let (Some((gssapi, client)), Some(message)) = (self.workers.clone(), response) else {
            return Step::Malformed;
        };
        let message = message.to_vec();
        let stepped = gssapi
            .pool()
            .run(client, move || self.advance(Some(&message)));
        stepped.await.unwrap_or(Step::Overloaded)
    }

    fn advance(mut self: Box<Self>, response: Option<&[u8]>) -> Step {
        let mut challenge = Vec::new();
        match self.session.step(response, &mut challenge) {
            Ok(State::Running) => Step::Challenge(self, challenge),
            Ok(State::Finished(_)) => match (self.session.validation(), self.spec.collects) {
                (Some(Gathered::Evidence(evidence)), _) => Step::Evidence(evidence),
                (Some(Gathered::ProofFits), _) => Step::Proven(challenge),
                (None, Collects::Scram { .. }) => Step::Unproven(scram::why_not(&challenge)),
                (
                    None,
                    Collects::Messages
                    | Collects::Certificate
                    | Collects::Ntlm
                    | Collects::Context(_),
                ) => Step::NoEvidence,
            },
            Err(fault) => {
                tracing::debug!(fault = %Detail(&fault), "a SASL answer was not understood");
                Step::Malformed
            }
        }
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// What may be said of an error: the errors of mechanisms carry nothing of the client's.
struct Detail<'a>(&'a SessionError);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_mechanism_error() {
            write!(f, "{}", self.0)
        } else {
            f.write_str("protocol")
        }
    }
}
