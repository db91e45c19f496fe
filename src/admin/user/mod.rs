//! `postern user`: the local accounts.

mod credentials;
mod import;
mod key;
mod show;

use std::path::{Path, PathBuf};

use postern_auth::{HashError, KeyError, Login, Owner, User, UsersError, UsersFile};

use self::credentials::Taking;
use self::import::Source;
use super::service::{self, Service};
use super::{AdminError, Office, Outcome};
use crate::cli::UserCommand;
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
    /// The key of the NT hashes cannot be used.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// NTLM is for passwords that are text.
    #[error(
        "the password is not UTF-8, so that NTLM cannot use it: choose another, or leave the NT \
         hash out (--no-ntlm)"
    )]
    NotText,
    /// The file has sealed hashes, so that one in the clear would be an accident.
    #[error(
        "{}: its NT hashes are sealed, and no key is named to seal the new one: set \
         users.key_file, or leave the NT hash out (--no-ntlm)",
        path.display()
    )]
    NoKey {
        /// The users file.
        path: PathBuf,
    },
    /// There is nothing to seal with.
    #[error("no key is named: `postern user key new FILE` makes one, users.key_file names it")]
    KeyUnset,
    /// A hash that no key at hand opens.
    #[error(
        "the NT hash of {name:?} opens with none of the keys: nothing was changed; name the key \
         with --old, or set the password again"
    )]
    Shut {
        /// The user.
        name: String,
    },
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
                ntlm,
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
                self.add(&config, user, Taking::new(password, *no_scram, *ntlm))
            }
            UserCommand::Passwd {
                name,
                password,
                no_scram,
                nt_hash,
            } => {
                let file = UsersFile::load(path)?;
                let found = find(&file, path, &name.name)?;
                let ntlm = nt_hash.ntlm || (found.nt_hash.is_some() && !nt_hash.no_ntlm);
                let taking = Taking::new(password, *no_scram, ntlm);
                let new = taking.take(&config, file.users(), &found.name)?;
                let done = new.said("has a new password");
                self.change(path, &name.name, &done, |user| new.put(user))
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
            UserCommand::Key(command) => self.key(&config, command),
            UserCommand::Import {
                file,
                smbpasswd,
                dry_run,
            } => {
                let source = Source::new(file, *smbpasswd);
                self.import(&config, &source, *dry_run)
            }
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
        let there = path.exists().then(|| UsersFile::load(path)).transpose()?;
        if let Some(found) = there.as_ref().and_then(|file| file.find(&user.name)) {
            let name = found.name.clone();
            return Err(UsersError::Exists {
                path: path.clone(),
                name,
            }
            .into());
        }
        let new = taking.take(
            config,
            there.as_ref().map_or(&[], UsersFile::users),
            &user.name,
        )?;
        let done = new.said(&format!("is added to {}", path.display()));
        new.put(&mut user);
        let mut file = open_or_create(config)?;
        file.add(&user)?;
        file.save()?;
        writeln!(self.out, "{} {done}", user.name)?;
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
                .any(|delegate| canonical(delegate) == canonical(&user.name))
            {
                writeln!(self.out, "{} still names it as a delegate", other.name)?;
            }
        }
        Ok(Outcome::Fine)
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
    Ok(UsersFile::create(path, owner(config)?)?)
}

/// Whom a new file is to belong to: the service user, when this is root.
fn owner(config: &Config) -> Result<Option<Owner>, UserError> {
    let run_as = config.run_as.as_ref().filter(|_| service::is_root());
    let service = run_as.map(Service::find).transpose();
    let service = service.map_err(UserError::Service)?;
    Ok(service.map(|service| service.owner()))
}

/// The canonical name of an account of the users file.
fn canonical(name: &str) -> String {
    Login::parse(name).map_or_else(|_| name.to_owned(), |login| login.key().to_owned())
}

/// Where the mail of an account is, or would be.
fn maildrop(config: &Config, user: &User) -> Option<PathBuf> {
    let account = postern_auth::Account {
        name: canonical(&user.name),
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
