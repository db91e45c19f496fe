//! winbind: the helper can be run, and the pipe behind it is there for the server's user.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{AccessFlags, Gid, Group, access};

use super::about;
use crate::config::{Config, Finding};

const HELPER: &str = "winbind.helper";
/// The folders of the privileged pipe, as Samba is built for one system or another.
const PRIVILEGED: [&str; 4] = [
    "/var/lib/samba/winbindd_privileged",
    "/var/cache/samba/winbindd_privileged",
    "/run/samba/winbindd_privileged",
    "/var/lib/samba/private/winbindd_privileged",
];

/// Looks at the disk alone; nobody is asked.
pub(in crate::admin) fn check(config: &Config, findings: &mut Vec<Finding>) {
    let Some(program) = config
        .winbind
        .as_ref()
        .and_then(|asked| asked.command.first())
    else {
        return;
    };
    let program = Path::new(program);
    if let Err(error) = access(program, AccessFlags::X_OK) {
        let problem = format!("the service user cannot run it: {error}");
        let remedy = "install it (Debian: the package winbind), or correct the path";
        findings.push(about(program, HELPER, problem, remedy));
        return;
    }
    // Another program has its own way to winbind.
    if program.file_name().is_some_and(|name| name == "ntlm_auth") {
        privileged_pipe(config, findings);
    }
}

/// Only who may use this pipe may hand a challenge of its own to a domain controller. winbindd makes it.
fn privileged_pipe(config: &Config, findings: &mut Vec<Finding>) {
    let Some((folder, about_it)) = PRIVILEGED
        .iter()
        .map(Path::new)
        .find_map(|folder| Some((folder, fs::metadata(folder).ok()?)))
    else {
        return;
    };
    if let Err(error) = access(folder, AccessFlags::X_OK) {
        let group = Group::from_gid(Gid::from_raw(about_it.gid()));
        let group = group
            .ok()
            .flatten()
            .map_or("its group".to_owned(), |group| group.name);
        let problem = format!(
            "the service user cannot reach winbind's privileged pipe in it, so NTLM fails: {error}"
        );
        let user = config
            .run_as
            .as_ref()
            .map_or("USER", |run_as| run_as.user.as_str());
        let remedy = format!("`usermod -aG {group} {user}` lets it in; then restart the server");
        findings.push(about(folder, HELPER, problem, remedy));
    }
}
