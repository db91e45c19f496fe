//! GSSAPI (RFC 4752) and GSS-SPNEGO: what rsasl needs to know of [`crate::gssapi`].
//!
//! The talk is made by the conversation and handed in with each step, as a mechanism of rsasl
//! starts with nothing of ours. What came of the context is the evidence, a failure too: it is
//! for the record, and the client is refused like everybody else.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use rsasl::mechanism::{
    Authentication, EmptyProvider, MechanismData, SessionError, State, ThisProvider,
};
use rsasl::prelude::{Mechname, MessageSent};
use rsasl::property::SizedProperty;
use rsasl::registry::{Mechanism, Side};

use super::conversation::Collected;
use crate::evidence::Evidence;
use crate::gssapi::{Failure, Said, Talk};

/// RFC 4752: Kerberos' own tokens.
pub(super) const GSSAPI: Mechanism = mechanism(b"GSSAPI");
/// Kerberos inside SPNEGO (RFC 4178).
pub(super) const SPNEGO: Mechanism = mechanism(b"GSS-SPNEGO");

const fn mechanism(name: &'static [u8]) -> Mechanism {
    Mechanism::build(
        Mechname::const_new_unchecked(name),
        400,
        None,
        Some(|_| Ok(Box::new(Steps))),
        Side::Client,
        |_| None,
        |_| true,
    )
}

/// The name under which the conversation hands its talk in.
pub(super) struct TalkWanted;

impl SizedProperty<'_> for TalkWanted {
    type Value = TalkCell;
}

/// A talk that is stepped by one thread after another.
pub(super) type TalkCell = std::sync::Arc<Mutex<Talk>>;

/// The server's side. All that it remembers is in the talk.
struct Steps;

impl Authentication for Steps {
    fn step(
        &mut self,
        session: &mut MechanismData,
        input: Option<&[u8]>,
        writer: &mut dyn Write,
    ) -> Result<State, SessionError> {
        let said = input.ok_or(SessionError::InputDataRequired)?;
        let outcome: Result<Said, Failure> =
            session.need_with::<TalkWanted, _, _>(&EmptyProvider, |talk| {
                let mut talk = talk.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(talk.step(said))
            })?;
        let context = match outcome {
            Ok(Said::Challenge(challenge)) => {
                writer.write_all(&challenge)?;
                return Ok(State::Running);
            }
            Ok(Said::Proven(proven)) => Ok(proven),
            Err(failure) => Err(failure),
        };
        let evidence = Evidence::Context(context);
        session.validate(&ThisProvider::<Collected>::with(&evidence))?;
        Ok(State::Finished(MessageSent::No))
    }
}
