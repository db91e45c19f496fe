//! AUTHORIZATION: who are you (RFC 1939 §4). Nothing here asks whether a mailbox exists.

use postern_auth::Secret;

use super::authenticating::Authenticating;
use super::capability;
use super::command::Command;
use super::reply::{self, Say};
use super::session::{Context, State, Step};
use super::turn::{Ending, Next, Turn};

/// Before login. Holds the name that USER gave, for the PASS right behind it.
#[derive(Default)]
pub(super) struct Authorization {
    login: Option<Vec<u8>>,
}

impl Authorization {
    /// A command that is legal here. Whatever it is, a name given by USER serves only the very
    /// next line (RFC 1939 §7: PASS directly after USER).
    pub(super) fn command(self, command: Command<'_>, more: bool, context: &mut Context) -> Step {
        let turn = match command {
            Command::Auth(mechanism, initial) => return begin(mechanism, initial),
            Command::Pass(password) => return self.pass(password, context),
            Command::Stls => return starttls(more, context),
            Command::User(login) => return user(login, context),
            Command::Quit => {
                return (
                    State::Closed,
                    context.farewell(Say::SigningOff, Ending::Quit),
                );
            }
            Command::AuthList => capability::mechanisms(context),
            Command::Capa => capability::capa(context, false),
            Command::Lang(tag) => capability::lang(tag, context),
            Command::Utf8 => {
                context.utf8 = true;
                Turn::new(reply::ok(), Next::Read)
            }
            Command::Dele(_)
            | Command::List(_)
            | Command::Noop
            | Command::Retr(_)
            | Command::Rset
            | Command::Stat
            | Command::Top(..)
            | Command::Uidl(_) => context.answer(Say::WrongState),
        };
        (State::Authorization(Self::default()), turn)
    }

    fn pass(self, password: Secret, context: &Context) -> Step {
        match self.login {
            Some(login) if context.offer.password => {
                let next = Next::Password { login, password };
                (
                    State::Authenticating(Authenticating::by_password()),
                    Turn::silent(next),
                )
            }
            _ => stay(context, Say::WrongState),
        }
    }
}

/// USER is refused only by the rule of the connection, alike for every name (V0008 to V0010).
fn user(login: &[u8], context: &Context) -> Step {
    if !context.offer.password {
        return stay(context, Say::WrongState);
    }
    let login = Some(login.to_vec());
    (
        State::Authorization(Authorization { login }),
        Turn::new(reply::ok(), Next::Read),
    )
}

/// Whether the mechanism is offered here is asked of the authenticator, who records what is refused.
fn begin(mechanism: &str, initial_response: Option<Secret>) -> Step {
    let next = Next::Begin {
        mechanism: mechanism.to_owned(),
        initial_response,
    };
    (
        State::Authenticating(Authenticating::by_mechanism()),
        Turn::silent(next),
    )
}

/// RFC 2595 §4. Octets behind STLS came from whoever is on the path: they are never executed, so
/// the connection ends. After UTF8 there is no STLS (RFC 6856 §2.1).
fn starttls(more: bool, context: &Context) -> Step {
    if !context.offer.starttls || context.utf8 {
        return stay(context, Say::WrongState);
    }
    if more {
        return (
            State::Closed,
            context.farewell(Say::OctetsBehindStls, Ending::Closed),
        );
    }
    let turn = Turn::new(context.say(Say::TlsBegins), Next::StartTls);
    (State::Authorization(Authorization::default()), turn)
}

fn stay(context: &Context, say: Say) -> Step {
    (
        State::Authorization(Authorization::default()),
        context.answer(say),
    )
}
