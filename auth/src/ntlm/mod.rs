//! NTLM: the acceptor of \[MS-NLMP\] §3.2.5.1, for logins alone.
//!
//! This room parses the client's two messages, makes the CHALLENGE, and judges a response once its
//! session key is known. It never asks a directory and never decides who may log in. No layer for
//! signing or sealing follows: POP3 has none (\[MS-OXPOP3\]).
//!
//! NTLMv1 and LM are recognised, so that a refusal can name them and no domain controller counts them
//! towards a lockout; `legacy` verifies NTLMv1 for the networks that must still use it.

mod acceptor;
mod authenticate;
mod av_pair;
mod challenge;
mod flags;
mod hash;
mod initiator;
mod keys;
mod legacy;
mod negotiate;
mod octets;
mod policy;
mod text;

pub(crate) use acceptor::{Demands, Transcript, Weakness, binding};
pub(crate) use authenticate::{Authenticate, Response};
pub(crate) use av_pair::AvPairs;
pub(crate) use challenge::Challenge;
pub use challenge::NtlmNames;
pub(crate) use challenge::netbios_names;
pub use hash::NtHash;
pub(crate) use initiator::{Initiator, NEGOTIATE};
pub(crate) use keys::Key;
pub(crate) use negotiate::Negotiate;
pub use policy::{NtlmMode, NtlmPolicy, NtlmVerify};
pub(crate) use text::Encoding;

#[cfg(test)]
pub(crate) mod client;
#[cfg(test)]
mod tests;

/// Why a message is not one that can be judged. It goes into the debug log; the client is refused
/// like everybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("not the message that was expected")]
    Header,
    #[error("the message ends too early")]
    Truncated,
    #[error("a part is longer than any client would send")]
    TooLong,
    #[error("a field is not within the message")]
    Field,
    #[error("a name is not text")]
    Text,
    #[error("the response is of no known form")]
    Response,
    #[error("the pairs of the response cannot be read")]
    Pairs,
    #[error("the client speaks neither Unicode nor OEM, or wants to go without a connection")]
    Unsupported,
}
