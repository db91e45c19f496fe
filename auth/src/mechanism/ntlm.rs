//! NTLM (\[MS-OXPOP3\] 2.2.1, \[MS-NLMP\]): NEGOTIATE, our CHALLENGE, AUTHENTICATE.
//!
//! The challenge is made once, for one attempt on one connection, and goes with it. What the client
//! says is read here and judged elsewhere.

use std::io::Write;

use rsasl::mechanism::{
    Authentication, EmptyProvider, MechanismData, MechanismError, MechanismErrorKind, SessionError,
    State, ThisProvider,
};
use rsasl::prelude::{Mechname, MessageSent};
use rsasl::property::SizedProperty;
use rsasl::registry::{Mechanism, Side};

use crate::clock;
use crate::ntlm::{Authenticate, Challenge, Malformed, Negotiate, NtlmNames, Transcript};

/// NTLM as rsasl registers it: the client speaks first.
pub(super) const MECHANISM: Mechanism = Mechanism::build(
    Mechname::const_new_unchecked(b"NTLM"),
    250,
    None,
    Some(|_| Ok(Box::new(Ntlm::New))),
    Side::Client,
    |_| None,
    |_| true,
);

/// What the server says of itself.
pub(super) struct Shown;

impl SizedProperty<'_> for Shown {
    type Value = NtlmNames;
}

/// The messages, at the end.
pub(super) struct Spoken;

impl SizedProperty<'_> for Spoken {
    type Value = Transcript;
}

/// The server's side.
enum Ntlm {
    New,
    Challenged(Negotiate, Challenge),
    Done,
}

impl Authentication for Ntlm {
    fn step(
        &mut self,
        session: &mut MechanismData,
        input: Option<&[u8]>,
        writer: &mut dyn Write,
    ) -> Result<State, SessionError> {
        let message = input.ok_or(SessionError::InputDataRequired)?;
        match std::mem::replace(self, Self::Done) {
            Self::New => {
                let negotiate = Negotiate::parse(message)?;
                let challenge = session.need_with::<Shown, _, _>(&EmptyProvider, |names| {
                    Ok(challenge(&negotiate, names)?)
                })?;
                writer.write_all(&challenge.raw)?;
                *self = Self::Challenged(negotiate, challenge);
                Ok(State::Running)
            }
            Self::Challenged(negotiate, challenge) => {
                // The names are written as we have agreed, whatever this message's flags say.
                let authenticate = Authenticate::parse(message, challenge.encoding())?;
                let transcript = Transcript {
                    negotiate,
                    challenge,
                    authenticate,
                };
                session.validate(&ThisProvider::<Spoken>::with(&transcript))?;
                Ok(State::Finished(MessageSent::No))
            }
            Self::Done => Err(SessionError::MechanismDone),
        }
    }
}

fn challenge(negotiate: &Negotiate, names: &NtlmNames) -> Result<Challenge, NtlmFault> {
    let mut number = [0; 8];
    getrandom::fill(&mut number).map_err(|_| NtlmFault::Random)?;
    Ok(Challenge::answer(
        negotiate,
        names,
        number,
        clock::filetime(),
    )?)
}

/// Why there is no CHALLENGE.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum NtlmFault {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the system gives no random numbers")]
    Random,
}

impl MechanismError for NtlmFault {
    fn kind(&self) -> MechanismErrorKind {
        MechanismErrorKind::Parse
    }
}

impl MechanismError for Malformed {
    fn kind(&self) -> MechanismErrorKind {
        MechanismErrorKind::Parse
    }
}
