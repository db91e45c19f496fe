//! What can be wrong with a users file, where, and what to do about it.

use std::io;
use std::path::PathBuf;

use super::stored::DamagedNtHash;
use crate::{HashError, ScramError};

/// A users file that cannot be read, understood or written.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// There is nothing in it, as in a file that is being written.
    #[error("{}: is empty, as if it had been cut off; to have no users, leave a comment in it",
            path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: cannot {what}: {source}{}", path.display(), remedy(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: "open", "read", ….
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{}: is not a regular file; put the users into a file of their own", path.display())]
    NotRegular {
        /// The path.
        path: PathBuf,
    },
    /// Others could read the password hashes or write new ones.
    #[error("{}: has mode {mode:03o}, so that others may read or write it; run: chmod 600 {}",
            path.display(), path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// More than 64 MiB.
    #[error("{}: is larger than 64 MiB; this many users belong into a directory", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Not TOML, or a key that does not exist, or a value of the wrong kind.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What the TOML parser said.
        message: String,
    },
    /// The secret is not what was written there by us.
    #[error(
        "{}:{line}:{column}: scram_secret is not 32 octets in base64; remove the line, \
             `postern user passwd` writes a new one",
        path.display()
    )]
    Secret {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
    },
    /// The system's source of random numbers failed.
    #[error("the system gave no random numbers; try again")]
    NoRandom,
    /// A user that cannot be one.
    #[error("{}:{line}:{column}: user {user:?}: {problem}", path.display())]
    User {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// The name of the user, as written.
        user: String,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// The users are written as one inline array.
    #[error("{}: the users are an inline array; write each one as a [[user]] section to edit them",
            path.display())]
    Inline {
        /// The file.
        path: PathBuf,
    },
    /// A user to be added is there already.
    #[error("{}: there is a user {name:?} already; choose another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
        /// The name as given.
        name: String,
    },
    /// A user to be changed is not there.
    #[error("{}: there is no user {name:?}; `postern user list` shows all", path.display())]
    NoSuchUser {
        /// The file.
        path: PathBuf,
        /// The name as given.
        name: String,
    },
    /// The file is not the one that was loaded any more.
    #[error("{}: was changed by somebody else meanwhile; nothing was written, try again",
            path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

fn remedy(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::PermissionDenied {
        "; it must belong to the user under whom the server runs: use chown"
    } else {
        ""
    }
}

/// What is wrong with one user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A name or alias that could be mistaken for a path, or cannot be typed.
    #[error(
        "{key} = {value:?}: a name has no slash, backslash, control or invisible character in it, no \
             empty part, no part that begins with a dot, no \"..\" and at most 255 octets"
    )]
    Name {
        /// The key of the file.
        key: &'static str,
        /// The value as written.
        value: String,
    },
    /// Two users answer to the same name.
    #[error(
        "{key} = {value:?}: the user {other:?} answers to this name already; names and \
             aliases are alike whatever their case"
    )]
    Duplicate {
        /// The key of the file.
        key: &'static str,
        /// The value as written.
        value: String,
        /// The name of the other user.
        other: String,
    },
    /// Two users answer to names that look the same.
    #[error(
        "{key} = {value:?}: looks like {twin:?}, a name of the user {other:?}: people, clients and \
             directories mistake one for the other; rename one of them"
    )]
    Twin {
        /// The key of the file.
        key: &'static str,
        /// The value as written.
        value: String,
        /// The other's name or alias.
        twin: String,
        /// The name of the other user.
        other: String,
    },
    /// A hash that cannot be used.
    #[error("password: {0}")]
    Password(#[from] HashError),
    /// SCRAM keys that cannot be used.
    #[error("scram: {0}")]
    Scram(#[from] ScramError),
    /// An NT hash that cannot be used.
    #[error("nt_hash: {0}")]
    NtHash(#[from] DamagedNtHash),
    /// A fingerprint that no certificate can have.
    #[error(
        "certificates: {value:?} is not \"sha256:\" and 64 hexadecimal digits; \
             `openssl x509 -noout -fingerprint -sha256 -in FILE` prints them"
    )]
    Certificate {
        /// The value as written.
        value: String,
    },
    /// A certificate of two users.
    #[error("certificates: the user {other:?} has this certificate already; leave it with one")]
    SharedCertificate {
        /// The name of the other user.
        other: String,
    },
    /// A Maildir that could be anywhere.
    #[error("maildrop = {value:?}: give the absolute path of the Maildir, without \"..\"")]
    Maildrop {
        /// The value as written.
        value: String,
    },
    /// A site without a name.
    #[error("site: the name is empty; leave the key out for this server's own site")]
    Site,
}
