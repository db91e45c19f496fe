//! From the configuration to what the door needs: one [`Service`] for each generation.

use std::sync::Arc;

use postern_auth::{Authenticator, LocalUsers, Pool};

use super::ServeError;
use crate::config::{Config, Listener};
use crate::event::LoginLog;
use crate::net::{Service, Tls};
use crate::pop3::{Profile, Settings, Utf8};
use crate::store::MaildirStore;
use crate::store::maildir::Pattern;

/// Builds the service of the first generation.
///
/// # Errors
/// [`ServeError`] names the file that cannot be used.
pub(super) fn first(config: &Config, hashing: &Arc<Pool>) -> Result<Service, ServeError> {
    let users = users(config)?;
    let policy = config.policy.clone();
    let authenticator = Authenticator::new(policy, users, Arc::new(LoginLog), hashing.clone());
    service(config, authenticator)
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
    let users = users(config)?;
    let authenticator =
        before
            .authenticator
            .reloaded(config.policy.clone(), users, hashing.clone());
    let mut next = service(config, authenticator)?;
    next.listeners = before
        .listeners
        .iter()
        .map(|bound| same_address(bound, config))
        .collect();
    Ok(next)
}

/// The new rules of a listener that is already bound. Matched by address, never by place: the
/// rules of one listener must not slip to another. One that left the file keeps its old rules
/// until the restart.
fn same_address(bound: &Listener, config: &Config) -> Listener {
    let same = config
        .listeners
        .iter()
        .find(|listener| listener.address == bound.address);
    same.unwrap_or(bound).clone()
}

fn users(config: &Config) -> Result<Arc<LocalUsers>, ServeError> {
    LocalUsers::open(&config.users_file)
        .map(Arc::new)
        .map_err(|error| ServeError::Users(error.to_string()))
}

fn service(config: &Config, authenticator: Authenticator) -> Result<Service, ServeError> {
    let pattern = Pattern::new(config.maildrop.as_str())?;
    Ok(Service {
        settings: Arc::new(settings(config)),
        authenticator,
        store: Arc::new(MaildirStore::new(pattern, config.messages.exact_size)),
        tls: config.tls.as_ref().map(Tls::load).transpose()?,
        timeouts: config.timeouts.clone(),
        limits: config.limits.clone(),
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
        utf8: if protocol.utf8 { Utf8::On } else { Utf8::Off },
        lang: protocol.lang,
    }
}
