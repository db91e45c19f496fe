//! The client's side of the mechanisms that take a name and a password, so that an administrator can
//! try a login in this process: no socket, no second opinion, and the password stays a [`Secret`].
//!
//! It does what a good client does (binds itself where the channel can be bound to, checks the server's
//! proof) and nothing wrong on purpose.

mod scram;

use std::fmt;

use self::scram::Scram;
use crate::ntlm::{self, Initiator};
use crate::{Channel, Login, Secret};

/// One attempt of a client: an answer for each challenge.
pub struct Client(Side);

enum Side {
    /// RFC 4616: the authorization identity, the name and the password, with NULs between them.
    Plain(Secret),
    /// A name, then a password.
    Login(Vec<Secret>),
    Scram(Box<Scram>),
    Ntlm {
        typed: String,
        password: Secret,
        binding: Option<[u8; 16]>,
        begun: bool,
    },
}

/// Why a client gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// What the server said is not a message of the mechanism.
    #[error("the server's message is not one of the mechanism")]
    Malformed,
    /// The server has not proven that it knows the password (RFC 5802 §9).
    #[error("the server has not proven that it knows the password")]
    NotProven,
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Client {
    /// A client for a mechanism by its name in SASL, on this channel; none for one that does not take a
    /// name and a password, or cannot take these: NTLM's and SCRAM's are text, and only PLAIN can carry
    /// the name of another's mailbox beside the name.
    pub fn new(mechanism: &str, typed: &str, password: &Secret, channel: &Channel) -> Option<Self> {
        let side = match mechanism {
            "PLAIN" => {
                let split = Login::split_delegate(typed);
                let (login, mailbox) = split.unwrap_or((typed, ""));
                Side::Plain(plain(mailbox, login, password))
            }
            "LOGIN" => {
                let name = Secret::new(typed.as_bytes().to_vec());
                Side::Login(vec![password.clone(), name])
            }
            "SCRAM-SHA-256" => Side::Scram(Box::new(Scram::new(typed, password, None)?)),
            "SCRAM-SHA-256-PLUS" => {
                let exporter = channel.tls.as_ref()?.exporter?;
                Side::Scram(Box::new(Scram::new(typed, password, Some(&exporter))?))
            }
            "NTLM" => {
                std::str::from_utf8(password.expose()).ok()?;
                Side::Ntlm {
                    typed: typed.to_owned(),
                    password: password.clone(),
                    binding: channel.end_points().next().and_then(ntlm::binding),
                    begun: false,
                }
            }
            _ => return None,
        };
        Some(Self(side))
    }

    /// The answer to a challenge; the first one of a mechanism in which the client begins is empty.
    ///
    /// # Errors
    /// When the client gives up.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Secret, ClientError> {
        match &mut self.0 {
            Side::Plain(message) => Ok(message.clone()),
            Side::Login(left) => left.pop().ok_or(ClientError::Malformed),
            Side::Scram(scram) => scram.answer(challenge),
            Side::Ntlm { begun, .. } if !*begun => {
                *begun = true;
                Ok(Secret::new(ntlm::NEGOTIATE.to_vec()))
            }
            Side::Ntlm {
                typed,
                password,
                binding,
                ..
            } => {
                let (domain, user) = typed.split_once('\\').unwrap_or(("", typed));
                let password = std::str::from_utf8(password.expose());
                let initiator = Initiator {
                    domain,
                    user,
                    password: password.map_err(|_| ClientError::Malformed)?,
                    binding: *binding,
                };
                let answer = initiator.authenticate(challenge);
                answer.map(Secret::new).map_err(|_| ClientError::Malformed)
            }
        }
    }
}

fn plain(mailbox: &str, login: &str, password: &Secret) -> Secret {
    // Room for all of it, so that no copy is left behind by growing.
    let length = mailbox.len() + login.len() + password.expose().len() + 2;
    let mut message = Vec::with_capacity(length);
    message.extend_from_slice(mailbox.as_bytes());
    message.push(0);
    message.extend_from_slice(login.as_bytes());
    message.push(0);
    message.extend_from_slice(password.expose());
    Secret::new(message)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
