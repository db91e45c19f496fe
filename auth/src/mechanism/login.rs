//! LOGIN (draft-murchison-sasl-login, \[MS-XLOGIN\]): a name and a password, each asked for.
//!
//! Obsolete, and as plain as PLAIN; some devices know nothing else. rsasl's own LOGIN asks with the
//! prompts of the draft, `User Name` and `Password` with a NUL behind them, which no server of the
//! field sends: Exchange, Dovecot and Postfix say `Username:` and `Password:`, and devices that look
//! at the prompt look for these. It also refuses a name in the initial response, which clients of
//! Microsoft send, and keeps copies of the password.

use std::io::Write;

use rsasl::mechanism::{
    Authentication, MechanismData, MechanismError, MechanismErrorKind, SessionError, State,
    ThisProvider,
};
use rsasl::prelude::{Mechname, MessageSent};
use rsasl::registry::{Mechanism, Side};

use super::conversation::Collected;
use crate::Secret;
use crate::evidence::Evidence;
use crate::password::MAX_PASSWORD;

/// The longest name, in octets.
const MAX_NAME: usize = 1024;

/// LOGIN as rsasl registers it. The conversation lets the client speak first too.
pub(super) const MECHANISM: Mechanism = Mechanism::build(
    Mechname::const_new_unchecked(b"LOGIN"),
    200,
    None,
    Some(|_| Ok(Box::new(Login::New))),
    Side::Server,
    |_| None,
    |_| true,
);

/// The server's side.
enum Login {
    New,
    AskedForName,
    AskedForPassword(String),
    Done,
}

impl Authentication for Login {
    fn step(
        &mut self,
        session: &mut MechanismData,
        input: Option<&[u8]>,
        writer: &mut dyn Write,
    ) -> Result<State, SessionError> {
        match (std::mem::replace(self, Self::Done), input) {
            (Self::New, None) => {
                writer.write_all(b"Username:")?;
                *self = Self::AskedForName;
                Ok(State::Running)
            }
            (Self::New | Self::AskedForName, Some(octets)) => {
                *self = Self::AskedForPassword(name(octets)?);
                writer.write_all(b"Password:")?;
                Ok(State::Running)
            }
            (Self::AskedForPassword(login), Some(octets)) => {
                let evidence = evidence(login, octets)?;
                session.validate(&ThisProvider::<Collected>::with(&evidence))?;
                Ok(State::Finished(MessageSent::No))
            }
            (Self::AskedForName | Self::AskedForPassword(_), None) => {
                Err(SessionError::InputDataRequired)
            }
            (Self::Done, _) => Err(SessionError::MechanismDone),
        }
    }
}

/// Why an answer is not one of LOGIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum LoginFault {
    #[error("name or password is empty")]
    Empty,
    #[error("name or password is too long")]
    TooLong,
    #[error("name or password is not UTF-8")]
    NotUtf8,
}

impl MechanismError for LoginFault {
    fn kind(&self) -> MechanismErrorKind {
        MechanismErrorKind::Parse
    }
}

/// A name as typed.
fn name(octets: &[u8]) -> Result<String, LoginFault> {
    if octets.is_empty() {
        return Err(LoginFault::Empty);
    }
    if octets.len() > MAX_NAME {
        return Err(LoginFault::TooLong);
    }
    let text = std::str::from_utf8(octets).map_err(|_| LoginFault::NotUtf8)?;
    Ok(text.to_owned())
}

/// The password as typed; as in PLAIN it is text, and never empty.
fn evidence(login: String, password: &[u8]) -> Result<Evidence, LoginFault> {
    if password.is_empty() {
        return Err(LoginFault::Empty);
    }
    if password.len() > MAX_PASSWORD {
        return Err(LoginFault::TooLong);
    }
    std::str::from_utf8(password).map_err(|_| LoginFault::NotUtf8)?;
    Ok(Evidence::Password {
        authzid: None,
        login,
        password: Secret::new(password.to_vec()),
    })
}
