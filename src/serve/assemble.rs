//! From the configuration to what the door needs: one [`Service`] for each generation.

use std::sync::Arc;

use postern_auth::{
    Authenticator, Directories, Directory, Gssapi, LdapDirectory, LocalDirectory, LocalUsers, Pool,
    Winbind, read_secret,
};

use super::{ServeError, descriptors};
use crate::config::{Config, Listener};
use crate::event::LoginLog;
use crate::net::{Service, Tls};
use crate::pop3::{Profile, Settings};
use crate::store::MaildirStore;

/// Builds the service of the first generation; passwords are checked in `hashing`.
///
/// # Errors
/// [`ServeError`] names the file that cannot be used.
pub fn assemble(config: &Config, hashing: &Arc<Pool>) -> Result<Service, ServeError> {
    let directory = directory(config, hashing)?;
    let policy = config.policy.clone();
    let authenticator = Authenticator::with_directory(policy, directory, Arc::new(LoginLog))
        .with_gssapi(gssapi(config, hashing))
        .with_winbind(winbind(config, None)?);
    service(config, authenticator, None)
}

/// Builds the next generation. What the throttle has counted stays counted.
///
/// # Errors
/// [`ServeError`] names the file that cannot be used; the old generation is not touched.
pub(super) fn next(
    config: &Config,
    before: &Service,
    hashing: &Arc<Pool>,
) -> Result<Service, ServeError> {
    let directory = directory(config, hashing)?;
    let authenticator = before
        .authenticator
        .reloaded(config.policy.clone(), directory)
        .with_gssapi(gssapi(config, hashing))
        .with_winbind(winbind(config, before.authenticator.winbind())?);
    let mut next = service(config, authenticator, before.tls.as_ref())?;
    next.listeners = (0..before.listeners.len())
        .filter_map(|place| same_address(before.listeners.get(..=place)?, config))
        .collect();
    Ok(next)
}

/// The new rules of the last of these listeners, which are already bound. Matched by address, never
/// by place: the rules of one listener must not slip to another. Of several with one address, which
/// only port 0 permits, the first is the first again, and so on. One that left the file keeps its
/// old rules until the restart.
fn same_address(bound: &[Listener], config: &Config) -> Option<Listener> {
    let (last, earlier) = bound.split_last()?;
    let is_same = |listener: &&Listener| listener.address == last.address;
    let nth = earlier.iter().filter(is_same).count();
    let same = config.listeners.iter().filter(is_same).nth(nth);
    Some(same.unwrap_or(last).clone())
}

/// The users file, and the LDAP directory beside it.
pub(crate) fn directory(
    config: &Config,
    hashing: &Arc<Pool>,
) -> Result<Arc<dyn Directory>, ServeError> {
    let users = Arc::new(LocalUsers::open(
        &config.users_file,
        config.users_key.as_deref(),
    )?);
    let local = Arc::new(LocalDirectory::new(users, hashing.clone()));
    let Some(ldap) = &config.ldap else {
        return Ok(local);
    };
    let mut settings = ldap.settings.clone();
    if let Some(path) = &ldap.password_file {
        let password = read_secret(path).map_err(|problem| ServeError::PasswordFile {
            path: path.clone(),
            problem,
        })?;
        settings = settings.with_password(password);
    }
    let ldap = LdapDirectory::new(settings, hashing.clone())?;
    Ok(Arc::new(Directories::new(local, Arc::new(ldap))))
}

/// Kerberos, if there is a keytab. Without a usable key in it the server starts nevertheless.
fn gssapi(config: &Config, workers: &Arc<Pool>) -> Option<Arc<Gssapi>> {
    let settings = config.gssapi.clone()?;
    Some(Arc::new(Gssapi::new(settings, Arc::clone(workers))))
}

/// The way to a domain controller. The one of before goes on when nothing about it has changed: its
/// helpers run already.
fn winbind(
    config: &Config,
    before: Option<&Arc<Winbind>>,
) -> Result<Option<Arc<Winbind>>, ServeError> {
    let Some(settings) = &config.winbind else {
        return Ok(None);
    };
    if let Some(same) = before.filter(|before| before.settings() == settings) {
        return Ok(Some(Arc::clone(same)));
    }
    Ok(Some(Arc::new(Winbind::new(settings.clone())?)))
}

fn service(
    config: &Config,
    authenticator: Authenticator,
    before: Option<&Tls>,
) -> Result<Service, ServeError> {
    let mut limits = config.limits.clone();
    if let Some(warning) = descriptors::fit(&mut limits) {
        tracing::warn!(%warning, "configuration");
    }
    let tls = config.tls.as_ref().map(|tls| Tls::load(tls, before));
    Ok(Service {
        settings: Arc::new(settings(config)),
        authenticator,
        store: Arc::new(MaildirStore::new(
            config.maildrop.clone(),
            config.messages.exact_size,
        )),
        tls: tls.transpose()?,
        timeouts: config.timeouts.clone(),
        recheck: config.recheck,
        limits,
        listeners: config.listeners.clone(),
    })
}

fn settings(config: &Config) -> Settings {
    let protocol = &config.protocol;
    Settings {
        profile: config.profile,
        greeting: config.banner.clone(),
        max_command: config.limits.max_command,
        max_response: config.limits.max_sasl_line,
        long_initial_response: config.profile == Profile::Postern,
        response_codes: protocol.response_codes,
        pipelining: protocol.pipelining,
        order: config.messages.order,
        utf8: protocol.utf8,
        lang: protocol.lang,
    }
}
