//! What a mechanism collected, still to be verified.

use std::sync::Arc;

use crate::gssapi::{Failure, Proven};
use crate::login::{MAX_LOGIN, split_delegate};
use crate::ntlm::Transcript;
use crate::{Channel, Secret};

/// The claim of a client and what it offers as proof. Nothing of it has been checked.
///
/// A mechanism adds its own kind here (the names of a Kerberos ticket), and [`crate::verify`] one arm that says how it is proven.
#[derive(Clone, Debug)]
pub(crate) enum Evidence {
    /// A name and a password: PLAIN, and USER with PASS.
    Password {
        /// Whose mailbox is to be opened, if not the login's own; prepared (RFC 4013).
        authzid: Option<String>,
        /// The name as typed.
        login: String,
        /// The password as typed.
        password: Secret,
    },
    /// The certificate of the TLS connection: EXTERNAL.
    Certificate {
        /// Whose mailbox is to be opened, if not the holder's own; prepared (RFC 4013).
        authzid: Option<String>,
        /// In DER; the handshake has checked it against the authorities.
        certificate: Arc<[u8]>,
    },
    /// What came of a context: GSSAPI and GSS-SPNEGO.
    Context(Result<Box<Proven>, Failure>),
    /// The messages of NTLM.
    Ntlm(Box<NtlmEvidence>),
}

/// What NTLM collected.
#[derive(Clone, Debug)]
pub(crate) struct NtlmEvidence {
    /// The challenge, and the messages before and behind it.
    pub(crate) transcript: Transcript,
    /// The connection that they came over.
    pub(crate) channel: Channel,
}

impl Evidence {
    /// USER and PASS: any octets may be a password, but a name is UTF-8 (RFC 6856 §2.2). It may name
    /// a mailbox of somebody else (\[MS-OXPOP3\] 2.2.2).
    pub(crate) fn from_user_pass(login: &[u8], password: Secret) -> Option<Self> {
        if login.len() > MAX_LOGIN {
            return None;
        }
        let typed = std::str::from_utf8(login).ok()?;
        let (login, mailbox) =
            split_delegate(typed).map_or((typed, None), |(login, mailbox)| (login, Some(mailbox)));
        Some(Self::Password {
            authzid: mailbox.map(str::to_owned),
            login: login.to_owned(),
            password,
        })
    }
}
