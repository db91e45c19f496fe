//! Certificates: readable, whole, matching their keys and names, in order, and not about to end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::{about, aside};
use crate::config::{CertificateFiles, Config, Finding, Tls};

/// When to begin to worry about a certificate that ends.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

/// Looks at all certificates and their keys.
pub(in crate::admin) fn check(
    config: &Config,
    tls: &Tls,
    now: SystemTime,
    findings: &mut Vec<Finding>,
) {
    pair(&tls.default, "tls", &config.hostname, now, findings);
    for (number, (name, files)) in tls.sni.iter().enumerate() {
        pair(files, &format!("tls.sni[{number}]"), name, now, findings);
    }
}

fn pair(
    files: &CertificateFiles,
    key: &str,
    host: &str,
    now: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let certificate_key = format!("{key}.certificate");
    let path = &files.certificate;
    let private = private_key(&files.private_key, &format!("{key}.private_key"), findings);
    let remedy = "write the server's certificate and its intermediates into it, in PEM, readable by the service user";
    let chain =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = match chain {
        Ok(chain) if chain.is_empty() => {
            findings.push(about(
                path,
                &certificate_key,
                "it contains no certificate",
                remedy,
            ));
            return;
        }
        Ok(chain) => chain,
        Err(error) => {
            let problem = format!("it cannot be read as PEM: {error}");
            findings.push(about(path, &certificate_key, problem, remedy));
            return;
        }
    };
    let parsed: Result<Vec<_>, _> = chain
        .iter()
        .map(|der| X509Certificate::from_der(der).map(|(_, parsed)| parsed))
        .collect();
    match parsed {
        Ok(parsed) => chain_findings(&parsed, path, &certificate_key, (host, now), findings),
        Err(error) => {
            let problem = format!("it contains something that is not a certificate: {error}");
            findings.push(about(path, &certificate_key, problem, remedy));
        }
    }
    if let Some(private) = private
        && let Err(error) = CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider())
    {
        let problem = format!(
            "it does not go with {}: {error}",
            files.private_key.display()
        );
        let remedy = "name the key that the first certificate of the file was issued for";
        findings.push(about(path, &certificate_key, problem, remedy));
    }
}

fn private_key(
    path: &Path,
    key: &str,
    findings: &mut Vec<Finding>,
) -> Option<PrivateKeyDer<'static>> {
    if let Ok(found) = std::fs::metadata(path)
        && found.permissions().mode() & 0o007 != 0
    {
        let problem = "everybody on this host can get at the private key";
        let remedy = format!(
            "chmod 640 {0}, with the service user's group",
            path.display()
        );
        findings.push(about(path, key, problem, remedy));
    }
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| {
            let remedy =
                "it must be a key in PEM without a passphrase, readable by the service user";
            findings.push(about(
                path,
                key,
                format!("it cannot be read: {error}"),
                remedy,
            ));
        })
        .ok()
}

fn chain_findings(
    chain: &[X509Certificate<'_>],
    path: &Path,
    key: &str,
    (host, now): (&str, SystemTime),
    findings: &mut Vec<Finding>,
) {
    let Some(own) = chain.first() else { return };
    if !chain
        .windows(2)
        .all(|pair| matches!(pair, [one, next] if one.issuer() == next.subject()))
    {
        let problem =
            "the certificates are not in order: each must be followed by the one that issued it";
        let remedy = "put the server's certificate first, then its issuer, and so on; the root can be left out";
        findings.push(about(path, key, problem, remedy));
    }
    if own.is_ca() && chain.len() > 1 {
        let problem = "the first certificate is that of an authority, not of a server";
        let remedy = "put the server's own certificate first";
        findings.push(about(path, key, problem, remedy));
    }
    let names = names(own);
    if !names.iter().any(|name| covers(name, host)) {
        let problem = format!("it is for {}, and not for {host}", words(&names));
        let remedy = "set `hostname` to the name that clients use, or get a certificate for it";
        findings.push(aside(path, key, problem, remedy));
    }
    for certificate in chain {
        validity(certificate, path, key, now, findings);
    }
}

fn validity(
    certificate: &X509Certificate<'_>,
    path: &Path,
    key: &str,
    now: SystemTime,
    findings: &mut Vec<Finding>,
) {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    };
    let dates = certificate.validity();
    let subject = certificate.subject();
    let remedy = "renew it, then `systemctl reload postern`";
    if dates.not_after.timestamp() < seconds(now) {
        let problem = format!("the certificate {subject} ended on {}", dates.not_after);
        findings.push(about(path, key, problem, remedy));
    } else if dates.not_after.timestamp() < seconds(now + SOON) {
        let problem = format!("the certificate {subject} ends on {}", dates.not_after);
        findings.push(aside(path, key, problem, remedy));
    }
    if dates.not_before.timestamp() > seconds(now) {
        let problem = format!("the certificate {subject} begins on {}", dates.not_before);
        findings.push(about(path, key, problem, "look at this host's clock"));
    }
}

/// The DNS names of a certificate; the common name does not count (RFC 9525 §2).
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let name = |name: &GeneralName<'_>| {
        let GeneralName::DNSName(name) = name else {
            return None;
        };
        Some(name.to_ascii_lowercase())
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(name)
        .collect()
}

/// Whether a name of a certificate covers a host: `*` stands for one whole label (RFC 9525 §6.3).
fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(rest)),
        None => name.eq_ignore_ascii_case(host),
    }
}

fn words(names: &[String]) -> String {
    if names.is_empty() {
        "no DNS name".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_is_one_label() {
        assert!(covers("pop.example.test", "POP.example.test"));
        assert!(covers("*.example.test", "pop.example.test"));
        assert!(!covers("*.example.test", "a.pop.example.test"));
        assert!(!covers("*.example.test", "example.test"));
        assert!(!covers("pop.example.test", "imap.example.test"));
    }
}
