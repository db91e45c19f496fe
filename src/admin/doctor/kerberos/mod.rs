//! Kerberos: the keytab, the KDCs and their clock, and a real ticket.

mod asking;
pub(super) mod kdc;
pub(super) mod keytab;
mod message;
mod places;
mod srv;
pub(super) mod ticket;

use postern_auth::GssapiSettings;

/// The realms of the keys that logins are accepted with; without any, the realm of krb5.conf.
fn realms(settings: &GssapiSettings) -> Vec<String> {
    let mut realms: Vec<String> = Vec::new();
    for key in settings.usable().unwrap_or_default() {
        let realm = key.principal.realm();
        if realms.iter().all(|known| known != realm) {
            realms.push(realm.to_owned());
        }
    }
    if realms.is_empty() {
        realms.extend(places::default_realm());
    }
    realms
}

/// Why there is nothing to look at.
fn needless() -> super::seen::Seen {
    super::seen::Seen::Needless("no [gssapi] is configured".to_owned())
}
