//! The names that NTLM shows, against those under which this host has joined the domain.

use crate::config::{Config, Finding};

/// What is wrong with the names, where a domain controller verifies: it refuses every login then, and
/// nothing tells that from wrong passwords.
pub fn compare(config: &Config) -> Option<Finding> {
    let joined = config.winbind.as_ref()?.joined_names()?;
    let shown = &config.policy.ntlm.names;
    let shown_domain = shown.domain.as_ref().unwrap_or(&shown.computer);
    let is_same = shown_domain.eq_ignore_ascii_case(&joined.domain)
        && shown.computer.eq_ignore_ascii_case(&joined.computer);
    (!is_same).then(|| {
        Finding::warning(
            format!(
                "NTLM shows the names {shown_domain} and {}, and winbind has joined as {} in {}: a domain \
                 controller refuses every login by NTLM as if the password was wrong",
                shown.computer, joined.computer, joined.domain
            ),
            format!(
                "write under [ntlm] domain = {:?} and computer = {:?}",
                joined.domain, joined.computer
            ),
        )
        .key("ntlm.computer")
    })
}
