//! Inside an AUTH exchange, or waiting for the outcome of a login (RFC 5034 §4).
//!
//! Every line is a response or `*`; none is ever executed as a command, and one that the mechanism
//! does not expect ends the exchange (\[MS-OXPOP3\] §3.2.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_auth::{Refusal, RefusalKind};

use super::authorization::Authorization;
use super::command;
use super::reply::Say;
use super::session::{Context, State, Step};
use super::turn::{Ending, Next, Turn};

/// A login that has begun.
pub(super) struct Authenticating {
    by_password: bool,
}

impl Authenticating {
    pub(super) fn by_password() -> Self {
        Self { by_password: true }
    }

    pub(super) fn by_mechanism() -> Self {
        Self { by_password: false }
    }

    /// The challenge line is `+ `, base64 and CRLF, and nothing else: an empty challenge is exactly
    /// `+ ` CRLF, since clients break on anything shorter or longer.
    pub(super) fn challenged(self, challenge: &[u8]) -> Step {
        let line = format!("+ {}\r\n", STANDARD.encode(challenge));
        (
            State::Authenticating(self),
            Turn::new(line.into_bytes(), Next::Read),
        )
    }

    /// A line of the client. An empty one is an empty response.
    pub(super) fn response(self, line: &[u8], context: &Context) -> Step {
        if line == b"*" {
            return leave(context, Say::Cancelled);
        }
        match command::base64(line) {
            Ok(response) => (
                State::Authenticating(self),
                Turn::silent(Next::Step(response)),
            ),
            Err(malformed) => (
                State::Authorization(Authorization::default()),
                context.answer(malformed.say()),
            ),
        }
    }

    /// RFC 5034 §4: after a failure the session is as if AUTH had never been issued.
    pub(super) fn refused(self, refusal: Refusal, context: &Context) -> Step {
        let say = match refusal.kind {
            RefusalKind::Credentials if self.by_password => Say::PasswordRefused,
            RefusalKind::Credentials => Say::AuthRefused,
            // Where nothing may be tried before TLS, AUTH is not a question of the mechanism.
            RefusalKind::Mechanism if context.offer.is_closed() => Say::WrongState,
            RefusalKind::Mechanism => Say::NoMechanism,
            RefusalKind::Unavailable => Say::Unavailable,
        };
        if refusal.close {
            // C0005: after a negative status the server may close.
            return (State::Closed, context.farewell(say, Ending::Closed));
        }
        leave(context, say)
    }
}

fn leave(context: &Context, say: Say) -> Step {
    (
        State::Authorization(Authorization::default()),
        context.answer(say),
    )
}
