//! The files that the configuration names, as the user who is looking sees them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::{AccessFlags, access};
use postern_auth::{Account, KeyError, LocalUsers, SealTrouble, User, UsersFile};

use super::{about, aside};
use crate::config::{Config, Finding};
use crate::store::StoreError;
use crate::store::maildir::{Depth, MaildirStore};

/// The configuration itself: the server reads it again when it is no longer root. An error, or
/// `postern check && systemctl reload` would go on to a reload that is refused.
pub(in crate::admin) fn configuration(config: &Config, findings: &mut Vec<Finding>) {
    if let Err(error) = access(&config.file, AccessFlags::R_OK) {
        let problem = format!("the server's user cannot read it, so SIGHUP is refused: {error}");
        let group = config.run_as.as_ref().map_or("GROUP", |run_as| {
            run_as.group.as_deref().unwrap_or(&run_as.user)
        });
        let file = config.file.display();
        let remedy =
            format!("chgrp {group} {file} && chmod 640 {file}, and let that group into its folder");
        findings.push(about(&config.file, "", problem, remedy));
    }
}

/// The folder of the protocol log.
pub(in crate::admin) fn protocol_log(config: &Config, findings: &mut Vec<Finding>) {
    let Some(log) = &config.protocol_log else {
        return;
    };
    let problem = match fs::metadata(&log.folder) {
        Ok(found) if !found.is_dir() => "it is not a folder".to_owned(),
        Ok(_) => match writable(&log.folder) {
            Ok(()) => return,
            Err(error) => format!("the service user cannot write in it: {error}"),
        },
        Err(error) => format!("it cannot be looked at: {error}"),
    };
    let remedy = "make the folder and give it to the service user with mode 750";
    findings.push(about(&log.folder, "protocol_log.folder", problem, remedy));
}

/// The users file; gives its accounts.
pub(in crate::admin) fn users(config: &Config, findings: &mut Vec<Finding>) -> Vec<Arc<Account>> {
    let path = &config.users_file;
    if fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let remedy = "`postern user add NAME` makes it with a first account";
        findings.push(about(path, "users.file", "it is not there", remedy));
        return Vec::new();
    }
    let key = config.users_key.as_deref();
    let loaded = UsersFile::load(path).and_then(|file| Ok((file, LocalUsers::open(path, key)?)));
    let (file, directory) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            let remedy = "correct the file; it belongs to the service user with mode 600";
            findings.push(Finding::error(error.to_string(), remedy).key("users.file"));
            return Vec::new();
        }
    };
    if file.users().is_empty() && config.ldap.is_none() {
        let remedy = "`postern user add NAME` adds the first";
        findings.push(aside(
            path,
            "users.file",
            "it has no accounts, so nobody can log in",
            remedy,
        ));
    }
    nt_hashes(config, &file, findings);
    for user in file.users() {
        for delegate in &user.delegates {
            if file.find(delegate).is_none() {
                let problem = format!(
                    "{:?} names the delegate {delegate:?}, who is not there",
                    user.name
                );
                let remedy = "add that account, or remove the delegate";
                findings.push(aside(path, "users.file", problem, remedy));
            }
        }
    }
    file.users()
        .iter()
        .filter_map(|user| directory.account(&user.name))
        .collect()
}

/// Whether the NT hashes can be used, and are no more open than they need be.
fn nt_hashes(config: &Config, file: &UsersFile, findings: &mut Vec<Finding>) {
    if let Some(trouble) = file.seal_trouble(config.users_key.as_deref()) {
        let remedy = "until then these users are refused by NTLM; everything else goes on";
        // The server may have the key as a credential of systemd, which nobody else sees.
        let elsewhere = matches!(&trouble, SealTrouble::Key(KeyError::Io { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied)
            || matches!(trouble, SealTrouble::NoKey { .. });
        let finding = if elsewhere {
            Finding::warning(trouble.to_string(), remedy)
        } else {
            Finding::error(trouble.to_string(), remedy)
        };
        findings.push(finding.key("users.key_file"));
    }
    let in_the_clear = |user: &&User| user.nt_hash.as_ref().is_some_and(|hash| !hash.is_sealed());
    let count = file.users().iter().filter(in_the_clear).count();
    if count > 0 && config.users_key.is_some() {
        let problem = format!("{count} NT hashes in it are in the clear, although there is a key");
        let remedy = "`postern user key apply` seals them";
        findings.push(aside(&config.users_file, "users.key_file", problem, remedy));
    }
}

/// The folder of all Maildirs, and each Maildir that exists.
pub(in crate::admin) fn maildrops(
    config: &Config,
    accounts: &[Arc<Account>],
    findings: &mut Vec<Finding>,
) {
    const KEY: &str = "maildrop.path";
    let root = config.maildrop.root();
    match fs::metadata(&root) {
        Err(error) => {
            let remedy = "make the folder, mount the disk with the mail, or correct maildrop.path";
            findings.push(about(
                &root,
                KEY,
                format!("it cannot be looked at: {error}"),
                remedy,
            ));
            return;
        }
        Ok(found) if !found.is_dir() => {
            findings.push(about(
                &root,
                KEY,
                "it is not a folder",
                "correct maildrop.path",
            ));
            return;
        }
        Ok(_) => {}
    }
    if let Err(error) = access(&root, AccessFlags::X_OK) {
        let remedy =
            "let the service user into it (chmod o+x, or chown to its group and chmod g+x)";
        findings.push(about(
            &root,
            KEY,
            format!("the service user cannot enter it: {error}"),
            remedy,
        ));
        return;
    }
    let store = MaildirStore::new(config.maildrop.clone(), config.messages.exact_size);
    for account in accounts {
        maildrop(&store, account, findings);
    }
    shared(config, accounts, findings);
}

/// Accounts of two domains may meet in one Maildir when the pattern has only `{user}`.
fn shared(config: &Config, accounts: &[Arc<Account>], findings: &mut Vec<Finding>) {
    let mut homes: HashMap<PathBuf, &str> = HashMap::new();
    for account in accounts {
        let Ok(path) = config.maildrop.path(account) else {
            continue;
        };
        if let Some(other) = homes.insert(path.clone(), &account.name) {
            let problem = format!("the accounts {other:?} and {:?} share it", account.name);
            let remedy = "use {name}, or {domain} and {user}, in maildrop.path; \
                          for a common mailbox use one account with delegates";
            findings.push(aside(&path, "maildrop.path", problem, remedy));
        }
    }
}

fn maildrop(store: &MaildirStore, account: &Account, findings: &mut Vec<Finding>) {
    const KEY: &str = "maildrop.path";
    let remedy = "the Maildir and all in it must belong to the service user";
    match store.inspect(account, Depth::Show) {
        Ok(inspection) if inspection.exists => {
            for name in ["", "cur", "new", "tmp"] {
                let folder = inspection.path.join(name);
                if let Err(error) = writable(&folder) {
                    let problem = format!("of account {:?}: {error}", account.name);
                    findings.push(about(&folder, KEY, problem, remedy));
                }
            }
        }
        Ok(_) => {}
        Err(StoreError::Unusable { path, problem }) => {
            let problem = format!("of account {:?}: {problem}", account.name);
            findings.push(about(&path, KEY, problem, remedy));
        }
        Err(error) => {
            let problem = format!("the maildrop of account {:?}: {error}", account.name);
            findings.push(Finding::error(problem, remedy).key(KEY));
        }
    }
}

fn writable(folder: &Path) -> nix::Result<()> {
    access(
        folder,
        AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK,
    )
}
