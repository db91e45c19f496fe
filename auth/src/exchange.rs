//! One attempt to log in: a small circle of steps that ends in an identity or a refusal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::audit::Entry;
use crate::caller::Standing;
use crate::clock;
use crate::evidence::Evidence;
use crate::mechanism::{Conversation, KeysWanted, Step};
use crate::verify::{Approved, Candidate, Desk, Fault};
use crate::{Identity, Reason, Refusal, RefusalKind};

/// One attempt to log in. Dropping it is cancelling it; nothing of it survives but its record.
///
/// It leaves exactly one [`crate::LoginRecord`], as soon as the outcome is known. A refusal is
/// answered `refusal_delay` after the client's last answer came in, however soon it was known;
/// where finding out took longer than that, at the next full multiple of it. (Counted from the
/// last answer, not from the first, as a client could otherwise take its own time first and then
/// measure ours.) Server trouble is answered at once: it says nothing about credentials.
pub struct Exchange {
    desk: Arc<Desk>,
    standing: Arc<Standing>,
    entry: Entry,
    state: State,
}

/// What a step came to.
#[derive(Debug)]
pub enum Progress {
    /// Send this challenge (unencoded) and bring the client's answer to the next step.
    Challenge(Vec<u8>),
    /// The login is allowed.
    Granted(Identity),
    /// The login is refused; the exchange is over.
    Refused(Refusal),
}

/// How far an attempt has come.
pub(crate) enum State {
    /// A mechanism talks with the client.
    Talking(Box<Conversation>),
    /// SCRAM: the client makes its proof with the salt that it was given.
    Proving(Box<Conversation>, Candidate),
    /// The login is as good as granted, and the client reads the server's last message.
    Telling(Approved),
    /// There is something to verify already.
    Holding(Evidence),
    /// What the client gave cannot be verified.
    Unreadable,
    /// Not to be done on this channel.
    NotOffered,
    /// Not to be done any more on this connection.
    TooMany,
    /// Over.
    Done,
}

impl Exchange {
    pub(crate) fn new(
        desk: Arc<Desk>,
        standing: Arc<Standing>,
        entry: Entry,
        state: State,
    ) -> Self {
        Self {
            desk,
            standing,
            entry,
            state,
        }
    }

    /// Carries the client's answer (decoded) into the mechanism; `None` only as the first call of
    /// a mechanism without an initial response, and as the one call of USER and PASS.
    ///
    /// A client that gives up (`*`, RFC 5034 §4) is served by dropping the exchange. A step after
    /// the last one is refused.
    ///
    /// A client that goes in the middle of a step is not noticed here: the step is worked off in
    /// full unless its future is dropped. Dropping it takes a job that still waits for a worker
    /// out of the queue ([`crate::Pool::run`]), and the attempt stays counted by the throttle.
    /// Whether to drop it is for the driver to decide, who alone sees the connection.
    pub async fn step(&mut self, response: Option<&[u8]>) -> Progress {
        let arrived = clock::instant();
        // Whatever happens below, a future that is dropped half-way leaves the exchange over.
        let outcome = match std::mem::replace(&mut self.state, State::Done) {
            State::Talking(conversation) => {
                let step = conversation.step(response).await;
                self.talked(step, None).await
            }
            State::Proving(conversation, candidate) => {
                let step = conversation.step(response).await;
                self.talked(step, Some(candidate)).await
            }
            // RFC 5034 §4: what the server says at the end is a challenge, and the client
            // answers it with nothing. Whoever answers otherwise has not taken the login.
            State::Telling(approved) if response.is_some_and(<[u8]>::is_empty) => {
                Ok(self.grant(approved))
            }
            State::Holding(evidence) => self.decide(evidence).await,
            State::Telling(_) | State::Unreadable | State::Done => {
                Err(Fault::Refused(Reason::Malformed))
            }
            State::NotOffered => {
                self.entry.close(Reason::MechanismNotOffered);
                return Progress::Refused(self.refusal(RefusalKind::Mechanism));
            }
            State::TooMany => return Progress::Refused(self.refusal(RefusalKind::Credentials)),
        };
        match outcome {
            Ok(progress) => progress,
            Err(Fault::Refused(reason)) => self.refuse(reason, arrived).await,
            Err(Fault::Unavailable(reason)) => {
                self.entry.close(reason);
                Progress::Refused(self.refusal(RefusalKind::Unavailable))
            }
        }
    }

    /// What follows from a step of the mechanism. A candidate that is dropped stays counted.
    async fn talked(
        &mut self,
        step: Step,
        candidate: Option<Candidate>,
    ) -> Result<Progress, Fault> {
        match (step, candidate) {
            (Step::Challenge(conversation, challenge), candidate) => {
                self.state = match candidate {
                    Some(candidate) => State::Proving(conversation, candidate),
                    None => State::Talking(conversation),
                };
                Ok(Progress::Challenge(challenge))
            }
            (Step::Keys(wanted), None) => self.give_keys(*wanted).await,
            (Step::Evidence(evidence), _) => self.decide(evidence).await,
            (Step::Proven(message), Some(candidate)) => {
                let approved = self.desk.conclude(candidate, &mut self.entry).await?;
                self.state = State::Telling(approved);
                Ok(Progress::Challenge(message))
            }
            (Step::Unproven(reason), candidate) => Err(Fault::Refused(
                candidate.map_or(reason, |candidate| candidate.refuted(reason)),
            )),
            (Step::Overloaded, _) => Err(Fault::Unavailable(Reason::Overloaded)),
            (Step::Malformed, _) => Err(Fault::Refused(Reason::Malformed)),
            (Step::NoEvidence | Step::Keys(_) | Step::Proven(_), _) => {
                Err(Fault::Refused(Reason::NoEvidence))
            }
        }
    }

    /// The client has said its name: it is counted and looked up, and gets a salt whoever it is.
    async fn give_keys(&mut self, wanted: KeysWanted) -> Result<Progress, Fault> {
        self.entry.record.binding = wanted.binding;
        let (login, authzid) = (&wanted.login, wanted.authzid.as_deref());
        let (candidate, keys) = self.desk.candidate(login, authzid, &mut self.entry).await?;
        match wanted.with(keys) {
            Step::Challenge(conversation, challenge) => {
                self.state = State::Proving(conversation, candidate);
                Ok(Progress::Challenge(challenge))
            }
            // The guard has read the message, so that rsasl can.
            Step::Keys(_)
            | Step::Proven(_)
            | Step::Unproven(_)
            | Step::Evidence(_)
            | Step::NoEvidence
            | Step::Overloaded
            | Step::Malformed => Err(Fault::Refused(Reason::Malformed)),
        }
    }

    async fn decide(&mut self, evidence: Evidence) -> Result<Progress, Fault> {
        let (desk, standing) = (&self.desk, &self.standing);
        let approved = desk.verify(evidence, standing, &mut self.entry).await?;
        Ok(self.grant(approved))
    }

    fn grant(&mut self, approved: Approved) -> Progress {
        self.entry.close(Reason::Granted);
        Progress::Granted(self.desk.grant(approved))
    }

    /// The one refusal for every reason that is the client's.
    async fn refuse(&mut self, reason: Reason, arrived: Instant) -> Progress {
        self.entry.close(reason);
        if reason != Reason::Repeated {
            self.standing.refused();
        }
        let refusal = self.refusal(RefusalKind::Credentials);
        sleep_until(due(
            arrived,
            clock::instant(),
            self.desk.policy.refusal_delay,
        ))
        .await;
        Progress::Refused(refusal)
    }

    fn refusal(&self, kind: RefusalKind) -> Refusal {
        Refusal {
            kind,
            close: self
                .standing
                .is_used_up(self.desk.policy.attempts_per_connection),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("mechanism", &self.entry.record.mechanism)
            .finish_non_exhaustive()
    }
}

/// The first full multiple of `delay` after `arrived` that has not passed yet.
fn due(arrived: Instant, now: Instant, delay: Duration) -> Instant {
    let (passed, step) = (
        now.saturating_duration_since(arrived).as_nanos(),
        delay.as_nanos(),
    );
    let times = passed
        .checked_div(step)
        .map_or(0, |whole| whole.saturating_add(1));
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    delay
        .checked_mul(times)
        .and_then(|wait| arrived.checked_add(wait))
        .unwrap_or(now)
}

#[cfg(test)]
mod barred_tests;
#[cfg(test)]
mod certificate_tests;
#[cfg(test)]
mod login_tests;
#[cfg(test)]
mod ntlm_tests;
#[cfg(test)]
mod proven_tests;
#[cfg(test)]
mod roads;
#[cfg(test)]
mod scram_client;
#[cfg(test)]
mod scram_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod winbind_tests;
