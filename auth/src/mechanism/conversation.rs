//! One conversation of a mechanism with a client, driven by rsasl.

use std::fmt;

use rsasl::callback::{Context, SessionCallback, SessionData};
use rsasl::config::SASLConfig;
use rsasl::mechanism::State;
use rsasl::prelude::{SASLServer, Session, SessionError, Validation};
use rsasl::property::SizedProperty;
use rsasl::registry::{Mechanism, Registry};
use rsasl::validate::{Validate, ValidationError};

use super::{MECHANISMS, MechanismSpec};
use crate::evidence::Evidence;

/// The longest answer of a client that a mechanism looks at, in octets. A Kerberos ticket with
/// many groups has up to 64 KiB.
const MAX_RESPONSE: usize = 96 * 1024;
/// The most answers in one conversation; GSSAPI needs three or four.
const MAX_STEPS: u32 = 10;

/// What rsasl registers: the mechanisms of the table.
static REGISTERED: [Mechanism; MECHANISMS.len()] = registered();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which checks the bounds"
)]
const fn registered() -> [Mechanism; MECHANISMS.len()] {
    let mut all = [MECHANISMS[0].sasl; MECHANISMS.len()];
    let mut row = 1;
    while row < all.len() {
        all[row] = MECHANISMS[row].sasl;
        row += 1;
    }
    all
}

/// The name under which a mechanism hands its evidence to [`Collector`].
pub(super) struct Collected;

impl SizedProperty<'_> for Collected {
    type Value = Evidence;
}

impl Validation for Collected {
    type Value = Evidence;
}

/// Takes the evidence out of a mechanism and lets it out at the other end, unlooked at.
struct Collector;

impl SessionCallback for Collector {
    fn validate(
        &self,
        _session: &SessionData,
        context: &Context,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        if let Some(evidence) = context.get_ref::<Collected>() {
            validate.finalize::<Collected>(evidence.clone());
        }
        Ok(())
    }
}

/// A conversation that goes on. Dropping it is giving it up.
pub(crate) struct Conversation {
    session: Session<Collected>,
    steps: u32,
}

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// The client has to answer this.
    Challenge(Conversation, Vec<u8>),
    /// It is over and there is something to verify.
    Evidence(Evidence),
    /// It is over and nothing was collected: not a login, whatever the mechanism thinks.
    NoEvidence,
    /// The answer was not one of the mechanism's.
    Malformed,
}

impl Conversation {
    /// Begins a conversation; none when rsasl cannot.
    pub(crate) fn begin(spec: &MechanismSpec) -> Option<Self> {
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(&REGISTERED))
            .with_callback(Collector)
            .ok()?;
        let session = SASLServer::<Collected>::new(config).start_suggested(spec.sasl.mechanism);
        Some(Self {
            session: session.ok()?,
            steps: 0,
        })
    }

    /// Carries the client's answer in. `None` is right only as the first call, when the client
    /// sent no initial response.
    ///
    /// A mechanism that takes long (C libraries) would be stepped in the pool here, and nobody
    /// else needs to know; that is why this is asynchronous.
    pub(crate) async fn step(mut self, response: Option<&[u8]>) -> Step {
        self.steps += 1;
        let first = self.steps == 1;
        let server_first = self.session.are_we_first();
        match response {
            // RFC 5034 §4: a mechanism in which the client speaks first gets an empty challenge.
            None if first && !server_first => return Step::Challenge(self, Vec::new()),
            None if !first => return Step::Malformed,
            // RFC 5034 §4: an initial response to a mechanism in which the server speaks first.
            Some(_) if first && server_first => return Step::Malformed,
            Some(octets) if octets.len() > MAX_RESPONSE => return Step::Malformed,
            None | Some(_) => {}
        }
        if self.steps > MAX_STEPS {
            return Step::Malformed;
        }
        let mut challenge = Vec::new();
        match self.session.step(response, &mut challenge) {
            Ok(State::Running) => Step::Challenge(self, challenge),
            Ok(State::Finished(_)) => match self.session.validation() {
                Some(evidence) => Step::Evidence(evidence),
                None => Step::NoEvidence,
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

/// What may be said of an error: our own mechanisms' errors carry nothing of the client's.
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
