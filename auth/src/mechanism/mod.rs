//! The SASL mechanisms: one table, and the conversation with a client.
//!
//! rsasl drives the conversations and is seen nowhere else. A mechanism only collects
//! [`Evidence`](crate::evidence::Evidence); it never asks a directory, and it never says whether a login is allowed. A
//! mechanism that ends without evidence has not logged anyone in, whatever it says.

mod conversation;
mod plain;

pub(crate) use conversation::{Conversation, Step};
use rsasl::registry::Mechanism;

/// One mechanism: its definition apart from its code. A new one is one row in [`MECHANISMS`].
pub(crate) struct MechanismSpec {
    /// Whether it hands the password over, so that the transport has to protect it.
    pub(crate) plaintext: bool,
    sasl: Mechanism,
}

impl MechanismSpec {
    /// The name, in upper case (RFC 4422 §3.1).
    pub(crate) fn name(&self) -> &'static str {
        self.sasl.mechanism.as_str()
    }
}

/// The mechanisms that this server knows.
pub(crate) const MECHANISMS: &[MechanismSpec] = &[MechanismSpec {
    plaintext: true,
    sasl: plain::MECHANISM,
}];

/// The row of a mechanism, by its name in any case (RFC 5034 §4).
pub(crate) fn find(name: &str) -> Option<&'static MechanismSpec> {
    MECHANISMS
        .iter()
        .find(|spec| spec.name().eq_ignore_ascii_case(name))
}
