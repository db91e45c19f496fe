//! One question to the helper whose answer is known, to find out whether it works.

use std::time::Duration;

use super::WinbindSettings;
use super::helper::Helper;
use super::protocol::{Request, Verdict};

/// Whom nobody can be: no account is locked by asking, and whoever reads the controller's log sees who asked.
const NOBODY: &str = "postern-doctor";

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelperTrial {
    /// A controller said that there is no such user, or something like it: its words.
    Answered(String),
    /// The helper runs, and says that it cannot ask: its words.
    Trouble(String),
    /// There is no answer of a helper: why, with the remedy.
    Broken(String),
}

impl WinbindSettings {
    /// Starts a helper of its own and asks it about somebody whom nobody can be. It waits no longer than this, and no
    /// longer than the configuration's deadline.
    pub fn try_helper(&self, within: Duration) -> HelperTrial {
        let request = Request {
            user: NOBODY.to_owned(),
            domain: String::new(),
            server_challenge: [0; 8],
            response: vec![0; 24],
        };
        let answer = Helper::start(&self.command)
            .and_then(|mut helper| helper.ask(&request, within.min(self.deadline)));
        match answer {
            Ok(Verdict::Wrong(words)) => HelperTrial::Answered(words),
            Ok(Verdict::Trouble(words)) => HelperTrial::Trouble(words),
            // Nobody has a proof of eight zeros and nobody's name.
            Ok(Verdict::Right(_)) => HelperTrial::Trouble(format!(
                "it lets {NOBODY} in, who proved nothing: it is not asking a domain controller"
            )),
            Err(error) => HelperTrial::Broken(error.to_string()),
        }
    }
}
