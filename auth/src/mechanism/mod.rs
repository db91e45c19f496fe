//! The SASL mechanisms: one table, and the conversation with a client.
//!
//! rsasl drives the conversations and is seen nowhere else. A mechanism only collects
//! [`Evidence`](crate::evidence::Evidence); it never asks a directory, and it never says whether a login is allowed. A
//! mechanism that ends without evidence has not logged anyone in, whatever it says.

mod authzid;
mod conversation;
mod gssapi;
mod login;
mod ntlm;
mod plain;
mod scram;

pub(crate) use authzid::prepare as prepare_authzid;
pub(crate) use conversation::{Conversation, KeysWanted, Step, Surroundings};
use rsasl::mechanisms::external::EXTERNAL;
use rsasl::mechanisms::scram::{SCRAM_SHA256, SCRAM_SHA256_PLUS};
use rsasl::registry::Mechanism;
pub use scram::Binding;

use crate::gssapi::Flavour;
use crate::{Channel, ExtendedProtection};

/// One mechanism: its definition apart from its code. A new one is one row in [`MECHANISMS`].
pub(crate) struct MechanismSpec {
    /// Whether it hands the password over, so that the transport has to protect it.
    pub(crate) plaintext: bool,
    /// What the channel must have for it.
    needs: Needs,
    /// Whether the client may speak first though the mechanism lets the server begin.
    either_first: bool,
    /// How evidence is collected.
    collects: Collects,
    sasl: Mechanism,
}

/// What a channel must have before a mechanism is offered on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// Nothing.
    Nothing,
    /// A channel binding.
    Binding,
    /// A client certificate.
    Certificate,
    /// A certificate to be bound to, where the rule requires that everybody is.
    Protection,
}

/// How a mechanism comes to its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Collects {
    /// It is all in what the client says.
    Messages,
    /// The directory is asked for SCRAM keys in the middle.
    Scram { plus: bool },
    /// It is the certificate of the channel.
    Certificate,
    /// It is what came of a GSSAPI context.
    Context(Flavour),
    /// The server shows its names in the middle, and the channel is part of the evidence.
    Ntlm,
}

impl MechanismSpec {
    /// The name, in upper case (RFC 4422 §3.1).
    pub(crate) fn name(&self) -> &'static str {
        self.sasl.mechanism.as_str()
    }

    /// Whether the channel has what the mechanism needs.
    pub(crate) fn fits(&self, channel: &Channel) -> bool {
        match self.needs {
            Needs::Nothing => true,
            Needs::Binding => scram::can_bind(channel),
            Needs::Certificate => {
                let facts = channel.tls.as_ref();
                facts.is_some_and(|facts| facts.client_certificate.is_some())
            }
            Needs::Protection => {
                channel.rule.extended_protection != ExtendedProtection::Require
                    || channel.end_points().next().is_some()
            }
        }
    }

    /// Whether it is NTLM, which has rules of its own about who may use it.
    pub(crate) fn is_ntlm(&self) -> bool {
        self.collects == Collects::Ntlm
    }

    /// Whether it is offered only while there is a key of Kerberos.
    pub(crate) fn needs_keys(&self) -> bool {
        matches!(self.collects, Collects::Context(_))
    }

    /// Whether it is one that binds to the channel.
    pub(crate) fn binds(&self) -> bool {
        self.needs == Needs::Binding
    }
}

/// The mechanisms that this server knows.
pub(crate) static MECHANISMS: [MechanismSpec; 8] = [
    MechanismSpec {
        plaintext: false,
        needs: Needs::Protection,
        either_first: false,
        collects: Collects::Context(Flavour::Gssapi),
        sasl: gssapi::GSSAPI,
    },
    MechanismSpec {
        plaintext: false,
        needs: Needs::Protection,
        either_first: false,
        collects: Collects::Context(Flavour::Spnego),
        sasl: gssapi::SPNEGO,
    },
    MechanismSpec {
        plaintext: true,
        needs: Needs::Nothing,
        either_first: false,
        collects: Collects::Messages,
        sasl: plain::MECHANISM,
    },
    MechanismSpec {
        plaintext: true,
        needs: Needs::Nothing,
        either_first: true,
        collects: Collects::Messages,
        sasl: login::MECHANISM,
    },
    MechanismSpec {
        plaintext: false,
        needs: Needs::Nothing,
        either_first: false,
        collects: Collects::Scram { plus: false },
        sasl: SCRAM_SHA256,
    },
    MechanismSpec {
        plaintext: false,
        needs: Needs::Binding,
        either_first: false,
        collects: Collects::Scram { plus: true },
        sasl: SCRAM_SHA256_PLUS,
    },
    MechanismSpec {
        plaintext: false,
        needs: Needs::Protection,
        either_first: false,
        collects: Collects::Ntlm,
        sasl: ntlm::MECHANISM,
    },
    MechanismSpec {
        plaintext: false,
        needs: Needs::Certificate,
        either_first: false,
        collects: Collects::Certificate,
        sasl: EXTERNAL,
    },
];

/// The row of a mechanism, by its name in any case (RFC 5034 §4).
pub(crate) fn find(name: &str) -> Option<&'static MechanismSpec> {
    MECHANISMS
        .iter()
        .find(|spec| spec.name().eq_ignore_ascii_case(name))
}
