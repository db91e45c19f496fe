//! The directory: every server is reached, trusted, and takes the service account.

use std::sync::Arc;
use std::time::Duration;

use postern_auth::{LdapDirectory, Pool};

use super::Patient;
use super::seen::Seen;
use crate::config::{Config, Finding};
use crate::serve;

/// No server is waited for any longer, whatever the configuration allows.
const WITHIN: Duration = Duration::from_secs(5);

/// Looks at every server, not only at the one that would be asked first.
pub(super) fn look(patient: &Patient) -> Seen {
    let mut config = patient.config.clone();
    let Some(ldap) = &mut config.ldap else {
        return Seen::Needless("no [ldap] is configured".to_owned());
    };
    ldap.settings.timeout = ldap.settings.timeout.min(WITHIN);
    match ask(&config) {
        Err(problem) => {
            let remedy = "correct the file or the setting that is named";
            Seen::found(vec![Finding::error(problem, remedy).key("ldap")])
        }
        Ok(servers) => judge(servers),
    }
}

/// What each server said.
type Servers = Vec<(String, Result<(), String>)>;

fn ask(config: &Config) -> Result<Servers, String> {
    let words = |error: std::io::Error| format!("the system refused: {error}");
    let pool = Arc::new(Pool::new("doctor", 1, 8, 8).map_err(words)?);
    let settings = serve::ldap_settings(config).map_err(|error| error.to_string())?;
    let Some(settings) = settings else {
        return Ok(Vec::new());
    };
    let directory = LdapDirectory::new(settings, pool).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(words)?;
    Ok(runtime.block_on(directory.look()))
}

/// One server of several that fails costs nobody a login.
fn judge(servers: Servers) -> Seen {
    let all = servers.len();
    if all == 0 {
        let problem = "DNS names no server of the domain";
        let remedy = "correct /etc/resolv.conf or the domain's DNS, or name them in ldap.servers";
        return Seen::found(vec![Finding::error(problem, remedy).key("ldap.domain")]);
    }
    let failed = servers
        .iter()
        .filter(|(_, outcome)| outcome.is_err())
        .count();
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for (server, outcome) in servers {
        match outcome {
            Ok(()) => well.push(format!("{server} answers, and takes the service account")),
            Err(words) => {
                // The words of a failure end with its remedy.
                let (problem, remedy) = words.rsplit_once("; ").unwrap_or((&words, "see its log"));
                let finding = if failed == all {
                    Finding::error(problem, remedy)
                } else {
                    Finding::warning(problem, remedy)
                };
                findings.push(finding.key("ldap.servers"));
            }
        }
    }
    Seen::looked(well, findings)
}
