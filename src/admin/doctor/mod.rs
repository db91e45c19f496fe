//! `postern doctor`: whether this host fits the server, and what is wrong, in words with the remedy.
//!
//! It looks at all that `postern check` looks at, and then asks others: DNS, the KDC, the directory, winbind. It
//! changes nothing. Every check runs in a thread of its own and has the same deadline (`examine`),
//! so whoever hangs does not hang the doctor.

mod examine;
mod kerberos;
mod ldap;
mod local;
mod names;
mod page;
mod ports;
mod program;
mod seen;
mod winbind;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use postern_auth::Secret;

use self::kerberos::kdc;
use self::seen::{Seen, Status};
use super::check::service;
use super::password::{self, PasswordError};
use super::{AdminError, Office, Outcome};
use crate::cli::TicketClient;
use crate::config::{self, Accepted, Config, Finding};

/// Something to be looked at.
struct Check {
    name: &'static str,
    rights: Rights,
    look: fn(&Patient) -> Seen,
}

/// With whose rights a check looks, when the doctor was started as root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// With those of whoever started it: the server takes its ports before it becomes its user, and a client's
    /// keytab is no business of that user.
    Starter,
    /// With those of the user that the server becomes.
    Service,
}

/// Everything that is looked at, in the order in which it is shown.
const CHECKS: &[Check] = &[
    check("configuration", Rights::Service, local::configuration),
    check("ports", Rights::Starter, ports::look),
    check("certificate", Rights::Service, local::certificate),
    check("users", Rights::Service, local::users),
    check("maildrops", Rights::Service, local::maildrops),
    check("keytab", Rights::Service, kerberos::keytab::look),
    check("names", Rights::Service, names::look),
    check("kdc", Rights::Service, kdc::reached),
    check("clock", Rights::Service, kdc::clock),
    check("ticket", Rights::Starter, kerberos::ticket::look),
    check("ldap", Rights::Service, ldap::look),
    check("winbind", Rights::Service, winbind::look),
];

const fn check(name: &'static str, rights: Rights, look: fn(&Patient) -> Seen) -> Check {
    Check { name, rights, look }
}

/// What the checks look at.
struct Patient {
    config: Config,
    /// What was found on the way here.
    findings: Vec<Finding>,
    /// Today, for certificates.
    now: SystemTime,
    client: Option<Client>,
    /// What the KDCs said; two checks want to know.
    kdcs: OnceLock<kdc::Asked>,
}

/// The client that asks for a ticket.
#[derive(Clone)]
struct Client {
    principal: String,
    secret: ClientSecret,
}

/// By what it proves itself.
#[derive(Clone)]
enum ClientSecret {
    Keytab(PathBuf),
    Password(Secret),
}

impl Office<'_> {
    pub(super) fn doctor(
        &mut self,
        client: &TicketClient,
        json: bool,
    ) -> Result<Outcome, AdminError> {
        let client = match client_of(client) {
            Ok(client) => client,
            // Monitoring must not take it for a warning.
            Err(error) => {
                writeln!(self.out, "POSTERN UNKNOWN: {error}")?;
                return Ok(Outcome::Status(Status::Unknown.code()));
            }
        };
        let mut lines = Vec::new();
        match config::load(&self.config) {
            Err(rejected) => lines.push(("configuration", Seen::found(rejected.0))),
            Ok(accepted) => lines.extend(examine_all(accepted, client, self.now)),
        }
        let status = Status::worst(lines.iter().map(|(_, seen)| seen.status()));
        if json {
            writeln!(self.out, "{}", page::json(status, &lines))?;
        } else {
            page::text(self.out, status, &lines)?;
        }
        Ok(Outcome::Status(status.code()))
    }
}

fn client_of(typed: &TicketClient) -> Result<Option<Client>, PasswordError> {
    let Some(principal) = &typed.client else {
        return Ok(None);
    };
    let secret = match &typed.client_keytab {
        Some(path) => ClientSecret::Keytab(path.clone()),
        None => ClientSecret::Password(password::known(principal, typed.password_stdin)?),
    };
    Ok(Some(Client {
        principal: principal.clone(),
        secret,
    }))
}

/// First with the rights of whoever started it; started as root, then as the server's user.
fn examine_all(
    accepted: Accepted,
    client: Option<Client>,
    now: SystemTime,
) -> Vec<(&'static str, Seen)> {
    let patient = |findings, client| {
        Arc::new(Patient {
            config: accepted.config.clone(),
            findings,
            now,
            client,
            kdcs: OnceLock::new(),
        })
    };
    let of = |rights| CHECKS.iter().filter(move |check| check.rights == rights);
    let mut seen = examine::examine(&patient(Vec::new(), client), of(Rights::Starter));
    let mut findings = accepted.warnings.clone();
    service::check(&accepted.config, &mut findings);
    seen.extend(examine::examine(
        &patient(findings, None),
        of(Rights::Service),
    ));
    let place = |name: &str| CHECKS.iter().position(|check| check.name == name);
    seen.sort_by_key(|(name, _)| place(name));
    seen
}
