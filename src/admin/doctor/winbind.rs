//! winbind: the helper answers, and this host is trusted by the domain.

use std::time::Duration;

use postern_auth::HelperTrial;

use super::Patient;
use super::program::{self, Silence};
use super::seen::Seen;
use crate::admin::check::winbind;
use crate::config::Finding;

/// No helper is waited for any longer, whatever the configuration allows.
const WITHIN: Duration = Duration::from_secs(5);

/// First what lies on the disk, then what winbind says, then what a domain controller says to the helper.
pub(super) fn look(patient: &Patient) -> Seen {
    let Some(settings) = &patient.config.winbind else {
        return Seen::Needless("no domain controller is asked about NTLM".to_owned());
    };
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    winbind::check(&patient.config, &mut findings);
    if !findings.is_empty() {
        return Seen::found(findings);
    }
    trust(&mut well, &mut findings);
    match settings.try_helper(WITHIN) {
        HelperTrial::Answered(words) => well.push(format!(
            "the helper asked about a user who does not exist, and heard: {words}"
        )),
        HelperTrial::Trouble(words) => {
            let problem = format!("the helper cannot ask a domain controller: {words}");
            let remedy = "`wbinfo -t` must say that the trust is well; `net ads join` makes it new";
            findings.push(Finding::error(problem, remedy).key("winbind.helper"));
        }
        HelperTrial::Broken(words) => {
            let (problem, remedy) = words
                .rsplit_once("; ")
                .unwrap_or((&words, "see winbind's log"));
            findings.push(Finding::error(problem, remedy).key("winbind.helper"));
        }
    }
    Seen::looked(well, findings)
}

/// Samba's own word on whether the domain still knows this host.
fn trust(well: &mut Vec<String>, findings: &mut Vec<Finding>) {
    match program::ask("wbinfo", &["--check-secret"]) {
        Ok(said) if said.well => well.push(said.text),
        Ok(said) => {
            let words = said.text.lines().collect::<Vec<_>>().join(", ");
            let problem = format!("the domain does not trust this host: {words}");
            let remedy = "see that winbindd runs and a domain controller is there; `net ads join` makes the \
                          trust new";
            findings.push(Finding::error(problem, remedy));
        }
        // The helper's answer will do.
        Err(Silence::Missing(_)) => {}
        Err(silence) => {
            let remedy = "see whether winbindd or the domain controller hangs";
            findings.push(Finding::error(silence.to_string(), remedy));
        }
    }
}
