//! What lies on this host: what `postern check` looks at, one thing at a time.

use super::Patient;
use super::seen::Seen;
use crate::admin::check::{certificate, clients, files, plural};

/// The configuration, and whether the server can read it again when it is no longer root. The limit of file
/// descriptors is not looked at: here it would be that of the shell or of monitoring, and the server
/// says at its start what it thinks of its own.
pub(super) fn configuration(patient: &Patient) -> Seen {
    let config = &patient.config;
    let mut findings = patient.findings.clone();
    files::configuration(config, &mut findings);
    files::protocol_log(config, &mut findings);
    clients::external_in_vain(config, &mut findings);
    let profile = config.profile.name();
    let line = format!("{}: profile {profile}", config.file.display());
    Seen::looked(vec![line], findings)
}

/// The certificates of the server, and those that vouch for clients.
pub(super) fn certificate(patient: &Patient) -> Seen {
    let Some(tls) = &patient.config.tls else {
        return Seen::Needless("no listener uses TLS".to_owned());
    };
    let mut findings = Vec::new();
    certificate::check(&patient.config, tls, patient.now, &mut findings);
    let mut well = Vec::new();
    if findings.is_empty() {
        let (file, name) = (&tls.default.certificate, &patient.config.hostname);
        well.push(format!(
            "{}: in time, for {name}, and of its key",
            file.display()
        ));
    }
    if let Some(asked) = &tls.clients {
        well.extend(clients::check(asked, patient.now, &mut findings));
    }
    Seen::looked(well, findings)
}

/// The local accounts.
pub(super) fn users(patient: &Patient) -> Seen {
    let mut findings = Vec::new();
    let accounts = files::users(&patient.config, &mut findings).len();
    let file = patient.config.users_file.display();
    let well = (accounts > 0).then(|| format!("{file}: {}", plural(accounts, "account")));
    Seen::looked(well.into_iter().collect(), findings)
}

/// The folder of the Maildirs, and those of the local accounts.
pub(super) fn maildrops(patient: &Patient) -> Seen {
    // What is wrong with the users file is said there.
    let accounts = files::users(&patient.config, &mut Vec::new());
    let mut findings = Vec::new();
    files::maildrops(&patient.config, &accounts, &mut findings);
    let root = patient.config.maildrop.root();
    let line = format!("{}: the server can work in it", root.display());
    let well = findings.is_empty().then_some(line);
    Seen::looked(well.into_iter().collect(), findings)
}
