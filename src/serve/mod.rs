//! The server's life: bind, become unprivileged, serve on every core, reload, drain.

mod assemble;
pub mod descriptors;
mod life;
mod log;
mod privilege;
mod sweep;

pub use assemble::assemble;
pub(crate) use assemble::directory;
pub use life::run;
pub use privilege::{PrivilegeError, become_user};

use std::path::PathBuf;

use postern_auth::{SecretFileError, SetupError, UsersError};

use crate::config::Rejected;
use crate::net::{ListenError, TlsError};
use crate::protocol_log::Unwritable;

/// Why the server does not start, in words for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] Rejected),
    /// A listener could not be opened.
    #[error("{0}")]
    Listen(#[from] ListenError),
    /// The server was started as root and not told whom to become, or could not become it.
    #[error("{0}")]
    Privilege(#[from] PrivilegeError),
    /// The certificates cannot be used.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The system gave no thread, signal or runtime.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    /// The LDAP directory's files cannot be used.
    #[error("{0}")]
    Ldap(#[from] SetupError),
    /// The file with a password cannot be used.
    #[error("ldap.password_file: {}: {problem}", .path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: SecretFileError,
    },
    /// The users file cannot be used.
    #[error("{0}")]
    Users(#[from] UsersError),
    /// The protocol log cannot be written.
    #[error("{0}")]
    ProtocolLog(#[from] Unwritable),
}
