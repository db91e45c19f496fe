//! From the configuration to what the door needs: one [`Service`] for each generation.

use std::sync::Arc;

use postern_auth::{Audit, Authenticator, Directory, Gssapi, Pool, Winbind};

use super::keepers::Keepers;
use super::{ServeError, descriptors, joined};
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
    let directory = Keepers::open(config, hashing)?.directory();
    let authenticator = authenticator(config, hashing, directory, Arc::new(LoginLog))?;
    service(config, authenticator, None)
}

/// Who lets people in, as the configuration has it; its records go to `audit`.
///
/// # Errors
/// [`ServeError`] when the way to a domain controller cannot be opened.
pub(crate) fn authenticator(
    config: &Config,
    hashing: &Arc<Pool>,
    directory: Arc<dyn Directory>,
    audit: Arc<dyn Audit>,
) -> Result<Authenticator, ServeError> {
    let desk = Authenticator::with_directory(config.policy.clone(), directory, audit)
        .with_gssapi(gssapi(config, hashing))
        .with_winbind(winbind(config, None)?);
    Ok(desk)
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
    let directory = Keepers::open(config, hashing)?.directory();
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
    if let Some(warning) = joined::compare(config) {
        tracing::warn!(%warning, "configuration");
    }
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
    if let Some(warning) = descriptors::fit(&mut limits, config.ldap.as_ref()) {
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

/// What the engine is told.
pub(crate) fn settings(config: &Config) -> Settings {
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
