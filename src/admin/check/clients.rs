//! Certificates of clients: the authorities that issue them, and the lists of the revoked.
//!
//! What the server does not take is an error, and so is a list that is past its next update, for
//! then it refuses everybody whom that issuer gave a certificate.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::{about, aside};
use crate::config::{ClientCertificates, Config, Finding};
use crate::net::ClientFiles;

const AUTHORITIES: &str = "tls.client_authorities";
const REVOCATION: &str = "tls.client_revocation";

/// Looks at authorities and revocation lists; says in a line each what they are.
pub(in crate::admin) fn check(
    config: &ClientCertificates,
    now: SystemTime,
    findings: &mut Vec<Finding>,
) -> Vec<String> {
    let files = match ClientFiles::read(config) {
        Ok(files) => files,
        Err(error) => {
            let remedy = "correct the file, then `postern check` again";
            findings.push(Finding::error(error.to_string(), remedy).key("tls"));
            return Vec::new();
        }
    };
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let parsed = files.authorities.iter();
    let authorities: Vec<_> = parsed
        .filter_map(|der| X509Certificate::from_der(der).ok())
        .map(|(_, authority)| authority)
        .collect();
    let parsed = files.lists.iter();
    let lists: Vec<_> = parsed
        .filter_map(|(path, der)| Some((path, CertificateRevocationList::from_der(der).ok()?.1)))
        .collect();
    let mut contents = Vec::new();
    for authority in &authorities {
        one_authority(authority, &config.authorities, now, findings);
        let (name, ends) = (authority.subject(), authority.validity().not_after);
        contents.push(format!("{AUTHORITIES}: {name}, until {ends}"));
        let listed = lists.iter().any(|(_, list)| list.issuer() == name);
        if !lists.is_empty() && !listed {
            let problem = format!(
                "there is no revocation list of {name}, so all certificates that it issued are refused"
            );
            let remedy = "add its list, or remove all lists if nobody is ever revoked";
            findings.push(aside(&config.authorities, REVOCATION, problem, remedy));
        }
    }
    for (path, list) in &lists {
        one_list(list, path, now, findings);
        signature(list, &authorities, path, findings);
        let revoked = list.iter_revoked_certificates().count();
        let next = list
            .next_update()
            .map_or("never".to_owned(), |next| next.to_string());
        let issuer = list.issuer();
        contents.push(format!(
            "{REVOCATION}: {issuer}, {revoked} revoked, next update {next}"
        ));
    }
    contents
}

/// EXTERNAL where no client is asked for a certificate: it is offered to nobody.
pub(in crate::admin) fn external_in_vain(config: &Config, findings: &mut Vec<Finding>) {
    let asked = config.tls.as_ref().is_some_and(|tls| tls.clients.is_some());
    let mut mechanisms = config.listeners.iter().flat_map(|at| &at.rule.mechanisms);
    if asked || !mechanisms.any(|name| *name == "EXTERNAL") {
        return;
    }
    let problem = "EXTERNAL is offered to nobody, because no client is asked for a certificate";
    let remedy = "name the file of the authorities that issue certificates to clients in \
                  `tls.client_authorities`, or take EXTERNAL out of `mechanisms`, also out of \
                  those of listeners";
    findings.push(Finding::warning(problem, remedy).key("login.mechanisms"));
}

fn one_authority(
    authority: &X509Certificate<'_>,
    path: &Path,
    now: i64,
    findings: &mut Vec<Finding>,
) {
    let subject = authority.subject();
    if !authority.is_ca() {
        let problem = format!("{subject} is not the certificate of an authority");
        let remedy = "name those that issue certificates to clients, not those of the clients";
        findings.push(aside(path, AUTHORITIES, problem, remedy));
    }
    let ends = authority.validity().not_after;
    if ends.timestamp() < now {
        let problem = format!("{subject} ended on {ends}, and what it issued is still taken");
        let remedy = "remove it from the file when its time is over, or put the renewed one there";
        findings.push(aside(path, AUTHORITIES, problem, remedy));
    }
}

/// A warning comes when three quarters of a list's time are over.
fn one_list(
    list: &CertificateRevocationList<'_>,
    path: &Path,
    now: i64,
    findings: &mut Vec<Finding>,
) {
    let issuer = list.issuer();
    let remedy = "let the authority make a new list, then `systemctl reload postern`";
    let Some(next) = list.next_update() else {
        let problem = format!("the list of {issuer} says no next update");
        findings.push(about(path, REVOCATION, problem, remedy));
        return;
    };
    let (made, ends) = (list.last_update().timestamp(), next.timestamp());
    if ends <= now {
        let problem = format!(
            "the list of {issuer} is past its next update of {next}, so all certificates that it issued are refused"
        );
        findings.push(about(path, REVOCATION, problem, remedy));
    } else if ends - now < (ends - made) / 4 {
        let problem = format!("the next update of the list of {issuer} is due on {next}");
        findings.push(aside(path, REVOCATION, problem, remedy));
    }
}

/// A list that its authority did not sign refuses everybody. One of an intermediate cannot be
/// verified here: its certificate comes with those of the clients.
fn signature(
    list: &CertificateRevocationList<'_>,
    authorities: &[X509Certificate<'_>],
    path: &Path,
    findings: &mut Vec<Finding>,
) {
    let mut issuers = authorities
        .iter()
        .filter(|authority| authority.subject() == list.issuer())
        .peekable();
    if issuers.peek().is_some()
        && !issuers.any(|issuer| list.verify_signature(issuer.public_key()).is_ok())
    {
        let problem = format!(
            "the list says that it is of {}, whose key did not sign it",
            list.issuer()
        );
        let remedy = "make a new list with the key of the authority in client_authorities";
        findings.push(about(path, REVOCATION, problem, remedy));
    }
}
