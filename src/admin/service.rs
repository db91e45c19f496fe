//! The user that the server becomes, as the office needs it: to look with its rights, and to give
//! it the files that it must read.

use nix::unistd::{Gid, Group, Uid, User, geteuid, initgroups, setgid, setuid};
use postern_auth::Owner;
use std::ffi::CString;

use crate::config::{Config, RunAs};

/// The user and group behind the names.
#[derive(Clone, Debug)]
pub(super) struct Service {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl Service {
    /// Finds them among the users and groups of the system.
    pub(super) fn find(run_as: &RunAs) -> Result<Self, String> {
        let user = match User::from_name(&run_as.user) {
            Ok(Some(user)) => user,
            Ok(None) => return Err(format!("there is no user {:?}", run_as.user)),
            Err(error) => {
                return Err(format!(
                    "user {:?} cannot be looked up: {error}",
                    run_as.user
                ));
            }
        };
        let gid = match run_as.group.as_deref() {
            None => user.gid,
            Some(name) => match Group::from_name(name) {
                Ok(Some(group)) => group.gid,
                Ok(None) => return Err(format!("there is no group {name:?}")),
                Err(error) => return Err(format!("group {name:?} cannot be looked up: {error}")),
            },
        };
        Ok(Self {
            name: run_as.user.clone(),
            uid: user.uid,
            gid,
        })
    }

    /// Whether this process runs as the service already.
    pub(super) fn is_me(&self) -> bool {
        geteuid() == self.uid
    }

    /// Becomes the service for the rest of this process.
    pub(super) fn assume(&self) -> Result<(), String> {
        let name = CString::new(self.name.as_str()).map_err(|_| "the name has a NUL".to_owned())?;
        initgroups(&name, self.gid)
            .and_then(|()| setgid(self.gid))
            .and_then(|()| setuid(self.uid))
            .map_err(|error| format!("cannot become {:?}: {error}", self.name))
    }

    /// Whom new files belong to.
    pub(super) fn owner(&self) -> Owner {
        Owner {
            uid: self.uid.as_raw(),
            gid: self.gid.as_raw(),
        }
    }
}

/// Whether this process may do everything.
pub(super) fn is_root() -> bool {
    geteuid().is_root()
}

/// Started as root, becomes the service that the configuration names.
pub(super) fn assume(config: &Config) -> Result<(), String> {
    match &config.run_as {
        Some(run_as) if is_root() => Service::find(run_as)?.assume(),
        _ => Ok(()),
    }
}
