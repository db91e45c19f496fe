//! The session: one state at a time, and what outlives a change of state.

use std::sync::Arc;

use postern_auth::Refusal;

use super::authenticating::Authenticating;
use super::authorization::Authorization;
use super::command::{self, Command, Malformed};
use super::reply::{self, Say};
use super::settings::{Offer, Settings, Utf8};
use super::transaction::Transaction;
use super::turn::{Ending, Next, NotOpened, NotRetrieved, Turn};
use super::updating::Updating;
use super::verb::{Legal, Verb};
use crate::store::Listing;

/// One POP3 session, from the greeting to the end.
pub struct Session {
    context: Context,
    state: State,
}

/// What every state may look at.
pub(super) struct Context {
    pub(super) settings: Arc<Settings>,
    pub(super) offer: Offer,
    /// Whether the client asked for UTF8 (RFC 6856 §2).
    pub(super) utf8: bool,
    /// How many lines before login were no command that may be given.
    bad_lines: u8,
}

/// After so many of them the connection is closed (C0005): clients try a command or two that a
/// server may not have, and scanners try many.
const MAX_BAD_LINES: u8 = 20;

/// What a web browser says. Such a connection is closed at once: the rest of what it sends may be
/// POP3 that a web page smuggled in.
const FOREIGN_VERBS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// The states of RFC 1939 §3, with AUTH's exchange and the driver's work as states of their own.
/// Each one consumes itself: what a state does not have cannot be done in it.
pub(super) enum State {
    Authorization(Authorization),
    /// An exchange is running, or its outcome is awaited.
    Authenticating(Authenticating),
    Transaction(Transaction),
    /// Marked messages are being deleted.
    Updating(Updating),
    Closed,
}

/// A state's answer: the next state, and the turn.
pub(super) type Step = (State, Turn);

impl Context {
    pub(super) fn say(&self, say: Say) -> Vec<u8> {
        reply::say(&self.settings, say)
    }

    /// Says something and waits for the next line.
    pub(super) fn answer(&self, say: Say) -> Turn {
        Turn::new(self.say(say), Next::Read)
    }

    /// Says something and closes.
    pub(super) fn farewell(&self, say: Say, ending: Ending) -> Turn {
        Turn::new(self.say(say), Next::Close(ending))
    }

    /// A line before login that is no command, or none that may be given here.
    fn bad_line(&mut self, line: &[u8], say: Say) -> Step {
        self.bad_lines = self.bad_lines.saturating_add(1);
        let word = line
            .split(|octet| *octet == b' ')
            .next()
            .unwrap_or_default();
        let foreign = FOREIGN_VERBS.iter().any(|verb| verb.as_bytes() == word);
        if foreign || self.bad_lines >= MAX_BAD_LINES {
            return (State::Closed, self.farewell(say, Ending::Closed));
        }
        (
            State::Authorization(Authorization::default()),
            self.answer(say),
        )
    }
}

impl Malformed {
    pub(super) fn say(self) -> Say {
        match self {
            Self::Arguments => Say::BadArguments,
            Self::Base64 => Say::BadBase64,
        }
    }
}

impl Session {
    /// A new session on a channel that offers this.
    pub fn new(settings: Arc<Settings>, offer: Offer) -> Self {
        let context = Context {
            settings,
            offer,
            utf8: false,
            bad_lines: 0,
        };
        Self {
            context,
            state: State::Authorization(Authorization::default()),
        }
    }

    /// The greeting (RFC 1939 §4).
    pub fn greeting(&self) -> Vec<u8> {
        reply::greeting(&self.context.settings)
    }

    /// How long the next line may be, with its line end, given what has come of it.
    pub fn line_limit(&self, begun: &[u8]) -> usize {
        let settings = &self.context.settings;
        let auth = || matches!(command::verb(begun), Some((row, rest)) if row.verb == Verb::Auth && !rest.is_empty());
        match &self.state {
            State::Authenticating(_) => settings.max_response,
            State::Authorization(_)
                if settings.long_initial_response && !self.context.offer.is_closed() && auth() =>
            {
                settings.max_response
            }
            State::Authorization(_)
            | State::Transaction(_)
            | State::Updating(_)
            | State::Closed => settings.max_command,
        }
    }

    /// Whether an AUTH exchange waits for a line, so that the line is no command.
    pub fn is_authenticating(&self) -> bool {
        matches!(self.state, State::Authenticating(_))
    }

    /// Whether the login is done: the longer idle timer holds (V0002).
    pub fn is_logged_in(&self) -> bool {
        matches!(self.state, State::Transaction(_) | State::Updating(_))
    }

    /// Takes a line without its end. `more` says that octets behind it were already read.
    pub fn line(&mut self, line: &[u8], more: bool) -> Turn {
        self.step(|state, context| match state {
            State::Authenticating(state) => state.response(line, context),
            State::Authorization(state) => {
                match Self::command(line, Legal::Authorization, context) {
                    Ok(command) => state.command(command, more, context),
                    Err(say) => context.bad_line(line, say),
                }
            }
            State::Transaction(state) => match Self::command(line, Legal::Transaction, context) {
                Ok(command) => state.command(command, context),
                Err(say) => (State::Transaction(state), context.answer(say)),
            },
            State::Updating(_) | State::Closed => closed(),
        })
    }

    /// The one place where a line becomes a command that is legal in this state.
    fn command<'a>(line: &'a [u8], state: Legal, context: &Context) -> Result<Command<'a>, Say> {
        let settings = &context.settings;
        let (row, rest) = command::verb(line).ok_or(Say::UnknownCommand)?;
        let no_utf8 = row.verb == Verb::Utf8 && settings.utf8 == Utf8::Off;
        let no_lang = row.verb == Verb::Lang && !settings.lang;
        if no_utf8 || no_lang {
            return Err(Say::UnknownCommand);
        }
        if row.legal != Legal::Both && row.legal != state {
            return Err(Say::WrongState);
        }
        command::parse(row.verb, rest).map_err(Malformed::say)
    }

    /// The line is longer than [`Self::line_limit`]: an answer, and the end (E0006).
    pub fn line_too_long(&mut self) -> Turn {
        self.end(Say::TooLong, Ending::Closed)
    }

    /// The driver has no memory left for this line: an answer, and the end.
    pub fn overloaded(&mut self) -> Turn {
        self.end(Say::Unavailable, Ending::Closed)
    }

    /// The mechanism's next challenge, not encoded.
    pub fn challenged(&mut self, challenge: &[u8]) -> Turn {
        self.step(|state, _| {
            let State::Authenticating(state) = state else {
                return closed();
            };
            state.challenged(challenge)
        })
    }

    /// The login was refused.
    pub fn refused(&mut self, refusal: Refusal) -> Turn {
        self.step(|state, context| {
            let State::Authenticating(state) = state else {
                return closed();
            };
            state.refused(refusal, context)
        })
    }

    /// The login was right and the maildrop is open.
    pub fn opened(&mut self, listing: Arc<Listing>) -> Turn {
        self.step(|state, context| {
            let State::Authenticating(_) = state else {
                return closed();
            };
            (
                State::Transaction(Transaction::new(listing)),
                context.answer(Say::LoggedOn),
            )
        })
    }

    /// The login was right and the maildrop could not be opened.
    pub fn not_opened(&mut self, why: NotOpened) -> Turn {
        let say = match why {
            NotOpened::InUse => Say::InUse,
            NotOpened::Unavailable => Say::Unavailable,
        };
        self.step(|state, context| {
            let State::Authenticating(_) = state else {
                return closed();
            };
            (
                State::Authorization(Authorization::default()),
                context.answer(say),
            )
        })
    }

    /// TLS has begun. Nothing that was said in the clear is remembered (RFC 2595 §4).
    pub fn secured(&mut self, offer: Offer) {
        *self = Self::new(self.context.settings.clone(), offer);
    }

    /// More of a long listing.
    pub fn resume(&mut self) -> Turn {
        self.step(|state, context| {
            let State::Transaction(state) = state else {
                return closed();
            };
            state.resume(context)
        })
    }

    /// The message cannot be sent.
    pub fn not_found(&self, why: NotRetrieved) -> Turn {
        self.context.answer(match why {
            NotRetrieved::Vanished => Say::Vanished,
            NotRetrieved::Utf8 => Say::HeaderNotAscii,
            NotRetrieved::Unavailable => Say::Unavailable,
        })
    }

    /// The marked messages are gone, or not all of them (V0006).
    pub fn updated(&mut self, complete: bool) -> Turn {
        self.step(|state, context| {
            let State::Updating(state) = state else {
                return closed();
            };
            state.updated(complete, context)
        })
    }

    /// The idle timer ran out: a line, and the end, without UPDATE (V0003).
    pub fn expired(&mut self) -> Turn {
        self.end(Say::Expired, Ending::Expired)
    }

    /// The account may not log in any more: a line, and the end, without UPDATE.
    pub fn barred(&mut self) -> Turn {
        self.end(Say::Barred, Ending::Barred)
    }

    /// The server is stopping: a line, and the end, without UPDATE.
    pub fn stopping(&mut self) -> Turn {
        self.end(Say::Stopping, Ending::Stopped)
    }

    fn end(&mut self, say: Say, ending: Ending) -> Turn {
        self.state = State::Closed;
        self.context.farewell(say, ending)
    }

    fn step(&mut self, answer: impl FnOnce(State, &mut Context) -> Step) -> Turn {
        let state = std::mem::replace(&mut self.state, State::Closed);
        let (state, turn) = answer(state, &mut self.context);
        self.state = state;
        turn
    }
}

/// The answer to a driver that comes back with something that was not asked for.
fn closed() -> Step {
    (State::Closed, Turn::silent(Next::Close(Ending::Closed)))
}
