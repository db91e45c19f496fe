//! What goes wrong with a directory, by blame, in words for whoever is woken up by it: which
//! server, what, and the remedy.
//!
//! None of it says anything about a client's password, and none of it repeats one. A server's own
//! words are shortened, and cannot break a line of the log.

use std::io;
use std::time::Duration;

use super::policy;
use crate::Reason;
use crate::audit::shown;

/// Why the directory gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LdapError {
    /// No connection came about.
    #[error(
        "cannot connect to {server}: {source}; see that it runs and that its name and port are right"
    )]
    Unreachable {
        /// As configured.
        server: String,
        /// What the system said.
        source: io::Error,
    },
    /// A deadline passed.
    #[error("{server} did not answer in {} ms ({doing}); see its load, or whether a firewall drops packets", .within.as_millis())]
    Late {
        /// As configured.
        server: String,
        /// What was waited for.
        doing: &'static str,
        /// How long was waited.
        within: Duration,
    },
    /// TLS was refused, by either side.
    #[error(
        "no TLS with {server}: {reason}; its certificate needs this name and an authority of `ldap.authorities`"
    )]
    Tls {
        /// As configured.
        server: String,
        /// What the TLS library said.
        reason: String,
    },
    /// The service account was refused.
    #[error(
        "{server} refuses the service account {account} ({answer}); correct `ldap.bind_name` and `ldap.password_file`"
    )]
    Service {
        /// As configured.
        server: String,
        /// Whom it refuses.
        account: String,
        /// What it said.
        answer: Answer,
    },
    /// The connection broke, or what came over it was not LDAP.
    #[error("the connection to {server} broke ({doing}): {reason}; see the server's log")]
    Broken {
        /// As configured.
        server: String,
        /// What was being done.
        doing: &'static str,
        /// What the library said.
        reason: String,
    },
    /// It answered, and not what was asked for.
    #[error("{server} does not do what it was asked ({doing}): {answer}; {}", .answer.remedy())]
    Refused {
        /// As configured.
        server: String,
        /// What was asked.
        doing: &'static str,
        /// What it said.
        answer: Answer,
    },
    /// All connections are in use.
    #[error("all connections to {server} are in use and none came free in {} ms; see its load, or raise `ldap.search_connections` and `ldap.bind_connections`", .within.as_millis())]
    Busy {
        /// As configured.
        server: String,
        /// How long was waited.
        within: Duration,
    },
    /// Every server is known to be out of order, and is looked at in the background.
    #[error("no server of the directory is in order; it was said before what is wrong with each")]
    AllDown,
}

/// Whose fault it is, which decides what is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The server, or the way to it: the next one is asked, and this one left alone for a while.
    Server,
    /// What we are told about the directory: every server would answer the same.
    Setting,
    /// Neither; there is too much to do.
    Load,
}

impl LdapError {
    /// Whose fault it is.
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Unreachable { .. }
            | Self::Late { .. }
            | Self::Tls { .. }
            | Self::Service { .. }
            | Self::Broken { .. }
            | Self::AllDown => Blame::Server,
            Self::Refused { answer, .. } => answer.blame(),
            Self::Busy { .. } => Blame::Load,
        }
    }

    /// Whether asking again soon could lock the service account out.
    pub(super) fn is_refused_account(&self) -> bool {
        matches!(self, Self::Service { .. })
    }
}

/// A result of the protocol (RFC 4511 §4.1.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The result code.
    pub(super) code: u32,
    /// The diagnostic message, shortened and escaped.
    pub(super) text: String,
    /// What the server's password policy says beside it.
    pub(super) policy: Option<Reason>,
}

impl Answer {
    pub(super) fn new(code: u32, text: &str) -> Self {
        Self {
            code,
            text: shown(text.trim_end_matches('\0').trim()),
            policy: None,
        }
    }

    /// RFC 4511 appendix A: 1 operationsError, 51 busy, 52 unavailable; 80 other is what servers in trouble say.
    fn blame(&self) -> Blame {
        match self.code {
            1 | 51 | 52 | 80 => Blame::Server,
            _ => Blame::Setting,
        }
    }

    fn remedy(&self) -> &'static str {
        match self.code {
            8 | 13 => "it wants TLS: use ldaps://, or ldap:// with `ldap.starttls = true`",
            10 => {
                "it sent us to another server, which is never followed: name that one in `ldap.servers`, or another `ldap.base`"
            }
            32 => "there is no such entry: correct `ldap.base`",
            34 => "correct the form of `ldap.base` or `ldap.bind_name`",
            48 | 50 | 53 => {
                "the service account may not do this: give it the right to read, or name another in `ldap.bind_name`"
            }
            3 | 11 => "an index on the attributes of names would make it quick",
            _ => "see the server's log",
        }
    }
}

impl From<ldap3::LdapResult> for Answer {
    fn from(result: ldap3::LdapResult) -> Self {
        Self {
            policy: policy::said(&result),
            ..Self::new(result.rc, &result.text)
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "code {} {}", self.code, name(self.code))?;
        if !self.text.is_empty() {
            write!(f, ", {:?}", self.text)?;
        }
        Ok(())
    }
}

/// The names of RFC 4511 §4.1.9 for the codes that are met.
fn name(code: u32) -> &'static str {
    match code {
        0 => "success",
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(fault: &LdapError, remedy: &str) {
        let words = fault.to_string();
        let sound = words.contains("ldaps://dc1") && words.contains(remedy);
        assert!(sound && !words.contains(['\r', '\n', '\0']), "{words}");
    }

    #[test]
    fn every_fault_says_where_what_and_what_to_do() {
        let server = || "ldaps://dc1".to_owned();
        let (doing, reason, within) = ("searching", "expired".to_owned(), Duration::from_secs(5));
        let source = io::ErrorKind::ConnectionRefused.into();
        let answer = Answer::new(49, "line\r\nbreak\0");
        let account = "cn=p".to_owned();
        let refused = LdapError::Service {
            server: server(),
            account,
            answer,
        };
        says(
            &LdapError::Unreachable {
                server: server(),
                source,
            },
            "see that it runs",
        );
        says(
            &LdapError::Late {
                server: server(),
                doing,
                within,
            },
            "firewall",
        );
        says(
            &LdapError::Tls {
                server: server(),
                reason: reason.clone(),
            },
            "ldap.authorities",
        );
        says(
            &LdapError::Broken {
                server: server(),
                doing,
                reason,
            },
            "server's log",
        );
        says(
            &LdapError::Busy {
                server: server(),
                within,
            },
            "ldap.search_connections",
        );
        says(&refused, "ldap.password_file");
    }

    #[test]
    fn a_refusal_has_the_remedy_of_its_code() {
        let (server, doing) = (|| "ldaps://dc1".to_owned(), "searching");
        for (code, remedy) in [
            (8, "ldap.starttls"),
            (10, "never followed"),
            (32, "ldap.base"),
            (50, "ldap.bind_name"),
            (2, "server's log"),
        ] {
            let answer = Answer::new(code, "line\r\nbreak\0");
            says(
                &LdapError::Refused {
                    server: server(),
                    doing,
                    answer,
                },
                remedy,
            );
        }
    }
}
