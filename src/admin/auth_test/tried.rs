//! An attempt that was made, and its steps in words.

use std::net::IpAddr;

use postern_auth::{LoginRecord, Unavailable, Verdict};

use super::dialogue::Outcome;
use super::watch::Step;
use crate::admin::whois::Found;
use crate::cli::MechanismChoice;

/// An attempt that was made.
pub(super) struct Tried {
    /// Whom the name reaches.
    pub(super) found: Found,
    pub(super) mechanism: MechanismChoice,
    /// The listener's address.
    pub(super) listener: String,
    pub(super) tls: bool,
    /// From where the client comes.
    pub(super) address: IpAddr,
    /// What was asked of the keepers of accounts.
    pub(super) steps: Vec<Step>,
    pub(super) came: Outcome,
    /// None when USER was refused, so that there was no attempt.
    pub(super) record: Option<LoginRecord>,
}

impl Tried {
    /// The reason of the record.
    pub(super) fn reason(&self) -> &'static str {
        self.record
            .as_ref()
            .map_or("not-tried", |record| record.reason.as_str())
    }
}

impl Step {
    /// The word for programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Looked { .. } => "account",
            Self::Password { .. } => "password",
            Self::Keys(_) => "scram-keys",
            Self::NtHash(_) => "nt-hash",
        }
    }

    /// What was asked.
    pub(super) fn question(&self) -> String {
        match self {
            Self::Looked { key, .. } => format!("the account of {key}"),
            Self::Password { account, .. } => match account {
                Some(account) => format!("the password of {account}"),
                None => "the password of nobody, so that it takes as long".to_owned(),
            },
            Self::Keys(_) => "keys of SCRAM".to_owned(),
            Self::NtHash(_) => "an NT hash".to_owned(),
        }
    }

    /// What the answer was.
    pub(super) fn answer(&self) -> String {
        match self {
            Self::Looked {
                found: Err(fault), ..
            }
            | Self::Password {
                verdict: Err(fault),
                ..
            }
            | Self::Keys(Err(fault))
            | Self::NtHash(Err(fault)) => unknown(*fault),
            Self::Looked {
                found: Ok(found), ..
            } => match found {
                None => "nobody".to_owned(),
                Some(account) => match &account.entry {
                    Some(entry) => format!("{}, of the entry {entry}", account.name),
                    None => format!("{}, a local one", account.name),
                },
            },
            Self::Password {
                verdict: Ok(verdict),
                ..
            } => match verdict {
                Verdict::Right => "right".to_owned(),
                Verdict::Wrong => "wrong".to_owned(),
                Verdict::NoPassword => "the account has none".to_owned(),
                Verdict::Barred(reason) => {
                    format!("the directory refuses the account: {}", reason.as_str())
                }
            },
            Self::Keys(Ok(true)) => "the account's own".to_owned(),
            Self::Keys(Ok(false)) => {
                "made up, as the account has none or was not named by its own name".to_owned()
            }
            Self::NtHash(Ok(true)) => "there is one".to_owned(),
            Self::NtHash(Ok(false)) => "there is none, or it cannot be opened".to_owned(),
        }
    }
}

fn unknown(fault: Unavailable) -> String {
    format!("not known: {fault}")
}
