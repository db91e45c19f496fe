//! One answer of the engine, and what the driver must do next.

use postern_auth::Secret;

/// Octets to send, then the next thing to do. Replies may be held back while more pipelined
/// commands wait (RFC 2449 §6.6), but never across [`Next::StartTls`] or a wait for the client.
#[derive(Debug)]
pub struct Turn {
    /// What goes to the client, complete with CRLF; may be empty.
    pub reply: Vec<u8>,
    /// What the driver does after that.
    pub next: Next,
}

impl Turn {
    pub(super) fn new(reply: Vec<u8>, next: Next) -> Self {
        Self { reply, next }
    }

    /// A turn that sends nothing.
    pub(super) fn silent(next: Next) -> Self {
        Self::new(Vec::new(), next)
    }
}

/// What the driver must do, and with which method of [`super::Session`] it comes back.
#[derive(Debug)]
pub enum Next {
    /// Read a line: [`super::Session::line`].
    Read,
    /// Send what there is and come back for more of a long listing: [`super::Session::resume`].
    Resume,
    /// Begin a SASL exchange and take its first step: `challenged`, `opened`, `refused` or
    /// `not_opened`. The initial response is decoded; `None` means that there was none.
    Begin {
        /// The mechanism's name as typed.
        mechanism: String,
        /// The decoded initial response (RFC 5034 §4).
        initial_response: Option<Secret>,
    },
    /// Take the next step of the exchange with the decoded response; comes back as `Begin` does.
    Step(Secret),
    /// Log in with USER and PASS; comes back as `Begin` does, but never with a challenge.
    Password {
        /// The name as typed.
        login: Vec<u8>,
        /// The password as typed.
        password: Secret,
    },
    /// Send the reply, then start TLS: [`super::Session::secured`]. When the handshake fails the
    /// connection is closed; it never goes on in the clear (RFC 2595 §4).
    StartTls,
    /// Open a message and send [`super::reply::OK`] and then its octets, or
    /// [`super::Session::not_found`].
    Retrieve {
        /// The message's index in the listing.
        index: usize,
        /// How much of it.
        extent: Extent,
        /// Whether a header that is not ASCII must be refused (RFC 6856 §2.1): then come back with
        /// [`NotRetrieved::Utf8`].
        ascii_header: bool,
    },
    /// Delete these messages: [`super::Session::updated`].
    Update(Vec<usize>),
    /// Send the reply and close the connection.
    Close(Ending),
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The account may not log in any more.
    Barred,
    /// The server closes it: too long a line, too many attempts, octets behind STLS.
    Closed,
    /// The idle timer ran out.
    Expired,
    /// The client said QUIT.
    Quit,
    /// The server is stopping.
    Stopped,
}

/// How much of a message is sent. An enum, so that `TOP n 0` can never mean the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// RETR.
    Whole,
    /// TOP: the header, the blank line and this many lines of the body.
    Top(u64),
}

/// Why a maildrop was not opened although the login was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// The account has as many sessions as it may have (`MaxConnectionsPerUser`).
    InUse,
    /// The store is in trouble.
    Unavailable,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRetrieved {
    /// Somebody else deleted it after the snapshot (C0004).
    Vanished,
    /// Its header is not ASCII and the client has not asked for UTF8.
    Utf8,
    /// The store is in trouble.
    Unavailable,
}
