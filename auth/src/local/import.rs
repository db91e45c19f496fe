//! Users of a Dovecot passwd-file, as far as they have a counterpart here.
//!
//! `user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields`, one user a line.

/// What came of a passwd-file.
#[derive(Debug, Default)]
pub struct Imported {
    /// The users, in the order of the file.
    pub users: Vec<super::User>,
    /// What could not be taken over, and what to do about it.
    pub notes: Vec<ImportNote>,
}

/// Something that could not be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportNote {
    /// The line of the passwd-file, from 1.
    pub line: usize,
    /// The user, as written there.
    pub user: String,
    /// What, and what to do.
    pub message: String,
}

/// Reads a Dovecot passwd-file.
pub fn import_passwd_file(_text: &str) -> Imported {
    Imported::default()
}
