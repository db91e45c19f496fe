//! `postern user`: the local accounts.

mod import;
mod show;

use std::path::{Path, PathBuf};

use postern_auth::{
    HashError, PasswordHash, ScramKeys, User, UsersError, UsersFile, hash_password,
};

use super::service::{self, Service};
use super::{AdminError, Office, Outcome, password};
use crate::cli::{PasswordSource, UserCommand};
use crate::config::{Config, ListenerTls};

/// Why an account could not be shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// The users file says no.
    #[error("{0}")]
    File(#[from] UsersError),
    /// The password cannot be one.
    #[error("the password cannot be taken: {0}")]
    Hash(#[from] HashError),
    /// The user who is to own the users file is not there.
    #[error("{0}; set `user` in the configuration to the user that the server runs as")]
    Service(String),
    /// The passwd-file to be imported cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Import {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl From<UsersError> for AdminError {
    fn from(error: UsersError) -> Self {
        UserError::from(error).into()
    }
}

impl Office<'_> {
    pub(super) fn user(&mut self, command: &UserCommand) -> Result<Outcome, AdminError> {
        let config = self.configuration()?;
        let path = &config.users_file;
        match command {
            UserCommand::Add {
                name,
                password,
                no_scram,
                certificates,
                site,
                maildrop,
                delegates,
            } => {
                let user = User {
                    certificates: certificates.clone(),
                    site: site.clone(),
                    maildrop: maildrop.clone(),
                    delegates: delegates.clone(),
                    ..User::new(&name.name)
                };
                self.add(&config, user, Taking::of(password, *no_scram))
            }
            UserCommand::Passwd {
                name,
                password,
                no_scram,
            } => {
                let found = find(&UsersFile::load(path)?, path, &name.name)?;
                let (hash, keys) = Taking::of(password, *no_scram).take(&found.name)?;
                self.change(path, &name.name, "has a new password", |user| {
                    user.password = Some(hash);
                    user.scram = keys;
                })
            }
            UserCommand::List { json } => self.list(&UsersFile::load(path)?, *json),
            UserCommand::Show { name, json } => {
                let user = find(&UsersFile::load(path)?, path, &name.name)?;
                self.show(&config, &user, *json)
            }
            UserCommand::Disable { name } => {
                self.change(path, &name.name, "can no longer log in", |user| {
                    user.disabled = true
                })
            }
            UserCommand::Enable { name } => {
                self.change(path, &name.name, "can log in", |user| user.disabled = false)
            }
            UserCommand::Remove { name } => self.remove(&config, &name.name),
            UserCommand::Import { file, dry_run } => self.import(&config, file, *dry_run),
        }
    }

    fn add(
        &mut self,
        config: &Config,
        mut user: User,
        taking: Taking,
    ) -> Result<Outcome, AdminError> {
        let path = &config.users_file;
        // Before the password is asked for.
        if path.exists()
            && let Some(there) = UsersFile::load(path)?.find(&user.name)
        {
            let name = there.name.clone();
            return Err(UsersError::Exists {
                path: path.clone(),
                name,
            }
            .into());
        }
        let (hash, keys) = taking.take(&user.name)?;
        (user.password, user.scram) = (Some(hash), keys);
        let mut file = open_or_create(config)?;
        file.add(&user)?;
        file.save()?;
        writeln!(self.out, "{} is added to {}", user.name, path.display())?;
        if let Some(place) = maildrop(config, &user) {
            writeln!(self.out, "mail: {}", place.display())?;
        }
        if let Some(line) = curl(config, &user.name) {
            writeln!(self.out, "try it: {line}")?;
        }
        Ok(Outcome::Fine)
    }

    fn change(
        &mut self,
        path: &Path,
        name: &str,
        done: &str,
        change: impl FnOnce(&mut User),
    ) -> Result<Outcome, AdminError> {
        let mut file = UsersFile::edit(path)?;
        let mut user = find(&file, path, name)?;
        change(&mut user);
        file.update(&user)?;
        file.save()?;
        writeln!(self.out, "{} {done}", user.name)?;
        Ok(Outcome::Fine)
    }

    fn remove(&mut self, config: &Config, name: &str) -> Result<Outcome, AdminError> {
        let path = &config.users_file;
        let mut file = UsersFile::edit(path)?;
        let found = find(&file, path, name)?;
        let user = file.remove(&found.name)?;
        file.save()?;
        writeln!(self.out, "{} is removed from {}", user.name, path.display())?;
        if let Some(place) = maildrop(config, &user) {
            writeln!(self.out, "mail that is in {} stays there", place.display())?;
        }
        for other in file.users() {
            if other
                .delegates
                .iter()
                .any(|delegate| delegate.eq_ignore_ascii_case(&user.name))
            {
                writeln!(self.out, "{} still names it as a delegate", other.name)?;
            }
        }
        Ok(Outcome::Fine)
    }
}

/// How a new password is taken.
#[derive(Clone, Copy)]
struct Taking {
    from_stdin: bool,
    scram: bool,
}

impl Taking {
    fn of(source: &PasswordSource, no_scram: bool) -> Self {
        Self {
            from_stdin: source.password_stdin,
            scram: !no_scram,
        }
    }

    /// What is stored of the new password.
    fn take(self, name: &str) -> Result<(PasswordHash, Option<ScramKeys>), AdminError> {
        let new = password::obtain(name, self.from_stdin)?;
        let hash = hash_password(&new).map_err(UserError::from)?;
        let keys = self.scram.then(|| ScramKeys::new(&new)).transpose();
        Ok((hash, keys.map_err(UserError::from)?))
    }
}

/// The user of that name or alias.
fn find(file: &UsersFile, path: &Path, name: &str) -> Result<User, UsersError> {
    file.find(name)
        .cloned()
        .ok_or_else(|| UsersError::NoSuchUser {
            path: path.to_owned(),
            name: name.to_owned(),
        })
}

/// The users file, locked; a new one belongs to the service user.
fn open_or_create(config: &Config) -> Result<UsersFile, UserError> {
    let path = &config.users_file;
    if path.exists() {
        return Ok(UsersFile::edit(path)?);
    }
    let owner = match &config.run_as {
        Some(run_as) if service::is_root() => {
            Some(Service::find(run_as).map_err(UserError::Service)?.owner())
        }
        _ => None,
    };
    Ok(UsersFile::create(path, owner)?)
}

/// Where the mail of an account is, or would be.
fn maildrop(config: &Config, user: &User) -> Option<PathBuf> {
    let account = postern_auth::Account {
        name: user.name.to_lowercase(),
        maildrop: user.maildrop.clone(),
        ..postern_auth::Account::default()
    };
    config.maildrop.path(&account).ok()
}

/// A command that fetches the list of messages, for the best protected listener.
fn curl(config: &Config, name: &str) -> Option<String> {
    let order = [
        ListenerTls::Implicit,
        ListenerTls::StartTls,
        ListenerTls::None,
    ];
    let listener = order.iter().find_map(|tls| {
        config
            .listeners
            .iter()
            .find(|listener| listener.tls == *tls)
    })?;
    let ip = listener.address.ip();
    let host = if ip.is_unspecified() {
        config.hostname.clone()
    } else {
        listener.address.ip().to_string()
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    // A port that the system chooses is known from the log only.
    let port = Some(listener.address.port()).filter(|port| *port != 0)?;
    let (options, scheme) = match listener.tls {
        ListenerTls::Implicit => ("", "pop3s"),
        ListenerTls::StartTls => (" --ssl-reqd", "pop3"),
        ListenerTls::None => ("", "pop3"),
    };
    Some(format!(
        "curl{options} --user '{name}' {scheme}://{host}:{port}/"
    ))
}
