//! Active Directory by winbind: NTLM responses that only a domain controller can judge.
//!
//! Samba's `ntlm_auth` is run as a program and asked over its pipes. The work is done in a pool of
//! its own, fair by client address and bounded, so that a controller that is slow or gone keeps
//! nobody waiting but those who ask it. A helper in doubt is killed and another one started; after
//! a failure of one the next attempt is made a little later, and the waiting get their answer at once.
//!
//! This room never decides who may log in, and never sees a password.

mod helper;
mod joined;
mod protocol;
mod trial;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::directory::Unavailable;
use crate::pool::Pool;

use helper::{Helper, HelperError};
pub use joined::JoinedNames;
pub(crate) use protocol::{OutOfStep, Request, Verdict, answer, request};
pub use trial::HelperTrial;

#[cfg(test)]
mod tests;

/// After a failure nobody asks for this long; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// Questions that wait: of one client, and in all.
const WAITING_PER_CLIENT: usize = 16;
const WAITING: usize = 256;

/// How a domain controller is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WinbindSettings {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How many of it run at most.
    pub helpers: usize,
    /// How long an answer is waited for.
    pub deadline: Duration,
}

/// The helpers and those who wait for them.
pub struct Winbind {
    settings: WinbindSettings,
    pool: Pool,
    shared: Arc<Shared>,
}

struct Shared {
    /// The program and its arguments.
    command: Vec<String>,
    within: Duration,
    clock: Clock,
    /// Helpers that are running and have nothing to do.
    idle: Mutex<Vec<Helper>>,
    fault: Mutex<Fault>,
}

/// What is remembered of failures.
#[derive(Default)]
struct Fault {
    pause: Duration,
    /// When the next question may be asked, on the clock.
    until: Duration,
    /// When a controller's trouble may be told again.
    told_until: Duration,
}

impl Winbind {
    /// Starts no process yet, only the threads that will ask them.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(settings: WinbindSettings) -> io::Result<Self> {
        Ok(Self {
            pool: Pool::new("winbind", settings.helpers, WAITING_PER_CLIENT, WAITING)?,
            shared: Arc::new(Shared {
                command: settings.command.clone(),
                within: settings.deadline,
                clock: Clock::start(),
                idle: Mutex::default(),
                fault: Mutex::default(),
            }),
            settings,
        })
    }

    /// What it was made of: with the same settings there is no need for another one.
    pub fn settings(&self) -> &WinbindSettings {
        &self.settings
    }

    /// What the domain controller says of a response.
    ///
    /// # Errors
    /// When too many wait, or nobody can be asked; the log says why.
    pub(crate) async fn check(
        &self,
        request: Request,
        client: IpAddr,
    ) -> Result<Verdict, Unavailable> {
        let shared = Arc::clone(&self.shared);
        self.pool
            .run(client, move || shared.check(&request))
            .await?
    }
}

impl Shared {
    fn check(&self, request: &Request) -> Result<Verdict, Unavailable> {
        if self.clock.elapsed() < lock(&self.fault).until {
            return Err(Unavailable::Trouble);
        }
        match self.ask(request) {
            Ok(Verdict::Trouble(words)) => {
                self.troubled(&words);
                Err(Unavailable::Trouble)
            }
            Ok(verdict) => {
                *lock(&self.fault) = Fault::default();
                Ok(verdict)
            }
            Err(error) => {
                self.failed(&error.to_string());
                Err(Unavailable::Trouble)
            }
        }
    }

    /// A helper goes back only after an answer that was surely its own.
    fn ask(&self, request: &Request) -> Result<Verdict, HelperError> {
        let idle = lock(&self.idle).pop();
        let mut helper = match idle {
            Some(helper) => helper,
            None => Helper::start(&self.command)?,
        };
        let verdict = helper.ask(request, self.within)?;
        lock(&self.idle).push(helper);
        Ok(verdict)
    }

    /// The helper is well, and the controller that it needed is not. That may be one of a domain that
    /// the client named: others are asked about as before, or anybody could keep everybody out.
    fn troubled(&self, words: &str) {
        let mut fault = lock(&self.fault);
        let now = self.clock.elapsed();
        fault.pause = Duration::ZERO;
        if now < fault.told_until {
            return;
        }
        fault.told_until = now + LONGEST_PAUSE;
        tracing::error!(error = words, "the domain controller could not be asked");
    }

    /// Failures in a row pause the questions, and every first one is a record.
    fn failed(&self, error: &str) {
        let mut fault = lock(&self.fault);
        let now = self.clock.elapsed();
        // Several helpers that fail at once are one failure.
        if now < fault.until {
            return;
        }
        fault.pause = (fault.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        fault.until = now + fault.pause;
        let pause_ms = u64::try_from(fault.pause.as_millis()).unwrap_or(u64::MAX);
        tracing::error!(error, pause_ms, "the domain controller could not be asked");
    }
}

impl fmt::Debug for Winbind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Winbind")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing is left half-done in either value.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
