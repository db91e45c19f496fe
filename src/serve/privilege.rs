//! Becoming an ordinary user, and keeping secrets out of core files.
//!
//! The server never runs as root after it has bound its ports: mail is read by whoever owns it.

use std::ffi::CString;
use std::io;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{self, Gid, Group, Uid, User};

use crate::config::RunAs;

/// Why the server does not run as it should.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// Started as root without a user to become.
    #[error(
        "postern does not serve as root: set `user` in the configuration to the owner of the maildrops, or start it from the unit in packaging/"
    )]
    Root,
    /// The user to become is root.
    #[error("`user = \"{0}\"` is root: name the ordinary user that owns the maildrops")]
    StillRoot(String),
    /// No such user or group on this host.
    #[error(
        "there is no {kind} `{name}` on this host: create it, or change `{kind}` in the configuration"
    )]
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The system refused.
    #[error("cannot become `{user}`: {source}")]
    Refused {
        /// Whom to become.
        user: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Forbids core files, and other processes of the same user to read our memory.
///
/// # Errors
/// When the system refuses.
pub(super) fn protect_memory() -> io::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    prctl::set_dumpable(false)?;
    Ok(())
}

/// Becomes the configured user for good, in all threads. Nothing to do for an ordinary user.
///
/// # Errors
/// [`PrivilegeError`] with the remedy.
pub fn become_user(run_as: Option<&RunAs>) -> Result<(), PrivilegeError> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let run_as = run_as.ok_or(PrivilegeError::Root)?;
    let user = found("user", &run_as.user, User::from_name(&run_as.user))?;
    let gid = match &run_as.group {
        Some(name) => found("group", name, Group::from_name(name))?.gid,
        None => user.gid,
    };
    if user.uid.is_root() {
        return Err(PrivilegeError::StillRoot(user.name));
    }
    change(&user, gid).map_err(|error| PrivilegeError::Refused {
        user: user.name.clone(),
        source: error.into(),
    })
}

/// Groups first, the user last: after that nothing can be changed any more.
fn change(user: &User, gid: Gid) -> Result<(), Errno> {
    let name = CString::new(user.name.as_str()).map_err(|_| Errno::EINVAL)?;
    unistd::initgroups(&name, gid)?;
    unistd::setresgid(gid, gid, gid)?;
    unistd::setresuid(user.uid, user.uid, user.uid)
}

fn found<T>(
    kind: &'static str,
    name: &str,
    answer: nix::Result<Option<T>>,
) -> Result<T, PrivilegeError> {
    let name = name.to_owned();
    answer
        .ok()
        .flatten()
        .ok_or(PrivilegeError::Unknown { kind, name })
}
