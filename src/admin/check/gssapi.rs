//! Kerberos: the keytab has a key that can be used, and nobody else may read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::unistd::{AccessFlags, access};
use postern_auth::{GssapiSettings, KeysError, KeytabError, KeytabKey};

use super::{about, aside};
use crate::config::Finding;

const KEYTAB: &str = "gssapi.keytab";
/// Of an account that has nothing better than RC4.
const AES: &str = "Active Directory gives no RC4 tickets any more unless told to (since 2026): switch AES on \
                   for the account (msDS-SupportedEncryptionTypes = 24), set its password again, and export \
                   the keytab again";

/// Looks at the keytab and the replay cache; gives a line for each key.
pub(in crate::admin) fn check(
    settings: &GssapiSettings,
    findings: &mut Vec<Finding>,
) -> Vec<String> {
    replay_cache(settings, findings);
    let path = &settings.keytab;
    let keys = match settings.usable() {
        Ok(keys) => keys,
        Err(error) => {
            findings.push(about(path, KEYTAB, error.to_string(), remedy(&error)));
            return Vec::new();
        }
    };
    if let Ok(found) = fs::metadata(path)
        && found.permissions().mode() & 0o007 != 0
    {
        let problem = "every user of this machine may read it, and so be this service";
        let remedy = "let the service user alone read it: chmod o-rwx";
        findings.push(aside(path, KEYTAB, problem, remedy));
    }
    for key in keys.iter().filter(|key| key.enctype.is_weak()) {
        let is_better =
            |other: &KeytabKey| other.principal == key.principal && !other.enctype.is_weak();
        let (problem, remedy) = if keys.iter().any(is_better) {
            (
                format!("the key {key} is weak"),
                "remove it when no client needs it any more",
            )
        } else {
            (
                format!(
                    "the key {key} is weak, and {} has no better one",
                    key.principal
                ),
                AES,
            )
        };
        findings.push(aside(path, KEYTAB, problem, remedy));
    }
    let line = |key| format!("{}: {key}", path.display());
    keys.iter().map(line).collect()
}

fn remedy(error: &KeysError) -> &'static str {
    match error {
        KeysError::Keytab(KeytabError::Missing { .. }) => {
            "export the service's key into it: kadmin ktadd, samba-tool domain exportkeytab, or ktpass"
        }
        KeysError::Keytab(KeytabError::Unreadable { .. }) => {
            "let the service user read it: chgrp to its group, and chmod 640"
        }
        KeysError::Keytab(KeytabError::Malformed { .. }) | KeysError::Library { .. } => {
            "export it again; `klist -k` shows whether it is good"
        }
        KeysError::NoService { .. } => {
            "export the key of pop/HOST, where HOST is the name that clients connect to; or name what \
             is there in gssapi.services"
        }
        KeysError::WeakKeys { .. } => AES,
    }
}

fn replay_cache(settings: &GssapiSettings, findings: &mut Vec<Finding>) {
    let Some(file) = &settings.replay_cache else {
        return;
    };
    let folder = file.parent().unwrap_or(Path::new("/"));
    let rights = AccessFlags::W_OK | AccessFlags::X_OK;
    if let Err(error) = access(folder, rights) {
        let problem =
            format!("the service user cannot write in its folder, so no ticket is taken: {error}");
        let remedy = "make the folder and give it to the service user with mode 700";
        findings.push(about(file, "gssapi.replay_cache", problem, remedy));
    }
}
