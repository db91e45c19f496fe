//! The keytab, as `postern check` looks at it: readable, of these services, and of types that are good.

use crate::admin::check::gssapi;
use crate::admin::doctor::Patient;
use crate::admin::doctor::seen::Seen;

/// Looks at the keytab and the replay cache.
pub(in crate::admin::doctor) fn look(patient: &Patient) -> Seen {
    let Some(settings) = &patient.config.gssapi else {
        return super::needless();
    };
    let mut findings = Vec::new();
    let keys = gssapi::check(settings, &mut findings);
    Seen::looked(keys, findings)
}
