//! UPDATE: the marked messages are being deleted (RFC 1939 §6).

use super::reply::Say;
use super::session::{Context, State, Step};
use super::turn::Ending;

/// After QUIT. Reached only from TRANSACTION: no timer, lost connection or stopping server gets here.
pub(super) struct Updating;

impl Updating {
    /// V0006: not atomic, but QUIT says when marked messages are still there.
    pub(super) fn updated(self, complete: bool, context: &Context) -> Step {
        let say = if complete {
            Say::SigningOff
        } else {
            Say::NotAllRemoved
        };
        (State::Closed, context.farewell(say, Ending::Quit))
    }
}
