//! What a directory has of an account, for an administrator: kinds of credentials, never their
//! values. No login asks for this.

/// An account as its keeper would show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Who keeps it: `users file /etc/postern/users.toml`.
    pub source: String,
    /// Other names that reach it, as written.
    pub aliases: Vec<String>,
    /// How its password is kept: `Argon2`, `SHA-512 crypt`, …; none when there is none.
    pub password: Option<&'static str>,
    /// Whether there are keys for SCRAM-SHA-256.
    pub scram: bool,
    /// The NT hash, if any.
    pub nt_hash: Option<NtHashForm>,
    /// How many client certificates open it by their fingerprint.
    pub certificates: usize,
}

/// How an NT hash is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NtHashForm {
    /// As it is.
    Clear,
    /// Sealed, and the key opens it.
    Sealed,
    /// Sealed, and no key at hand opens it: NTLM is refused.
    Shut,
}
