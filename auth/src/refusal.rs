//! What a client may know of a login that did not succeed.

/// A refused login, reduced to what may be told. The true reason is in the
/// [`crate::LoginRecord`]; it never travels with this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What to say.
    pub kind: RefusalKind,
    /// Whether the connection has used up its attempts and must be closed after the reply.
    pub close: bool,
}

/// The kinds of refusal that a client may tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// Name and password did not open a maildrop: unknown, wrong, disabled, POP3 off, another
    /// site, no right, too many attempts. All of them are this one, in text and in time.
    Credentials,
    /// The mechanism does not exist, or not on this channel.
    Mechanism,
    /// The server could not find out: a directory, a file or a worker is in trouble. Never a
    /// statement about the credentials.
    Unavailable,
}
