//! A real ticket: asked for as a client asks for it, and tried against the keytab.

use postern_auth::{
    ClientSecret as Proof, GssapiSettings, Keytab, Reason, TicketError, TrialClient,
};

use super::{needless, realms};
use crate::admin::doctor::seen::Seen;
use crate::admin::doctor::{Client, ClientSecret, Patient, names};
use crate::config::Finding;

/// The most services that a ticket is asked for.
const MAX_SERVICES: usize = 16;

/// Asks for a ticket for every name that clients may use, and for every key of the keytab.
pub(in crate::admin::doctor) fn look(patient: &Patient) -> Seen {
    let Some(settings) = &patient.config.gssapi else {
        return needless();
    };
    let Some(client) = &patient.client else {
        return Seen::Needless(
            "not asked for; --client PRINCIPAL asks the KDC for a real ticket and tries it"
                .to_owned(),
        );
    };
    let trial = match begin(client) {
        Ok(trial) => trial,
        Err(seen) => return seen,
    };
    let (mut well, mut findings) = (Vec::new(), Vec::new());
    for service in services(patient, settings) {
        match trial.ticket(&service) {
            Ok(ticket) => match settings.try_ticket(&ticket) {
                Ok(words) => well.push(format!("{words}: the server would take it")),
                Err((reason, detail)) => findings.push(refused(&service, reason, &detail)),
            },
            Err(error @ (TicketError::UnknownService | TicketError::NoEnctype)) => {
                findings.push(of_service(&service, &error));
            }
            // What is wrong with the client or the KDC is so for every service.
            Err(error) => return of_client(client, &error),
        }
    }
    if well.is_empty() && findings.is_empty() {
        let remedy = "see what is said of the keytab, or set default_realm in krb5.conf";
        return Seen::unknown("it is not known of which realm this server is", remedy);
    }
    Seen::looked(well, findings)
}

fn begin(client: &Client) -> Result<TrialClient, Seen> {
    let proof = match &client.secret {
        ClientSecret::Keytab(path) => {
            // The library says no more of a file that is not there than of no file.
            Keytab::read(path).map_err(|error| {
                let remedy = "name the keytab that has the client's key";
                Seen::unknown(error.to_string(), remedy)
            })?;
            Proof::Keytab(path)
        }
        ClientSecret::Password(password) => Proof::Password(password),
    };
    TrialClient::begin(&client.principal, proof).map_err(|error| of_client(client, &error))
}

/// Of the realm of the keys; without any, of that of krb5.conf.
fn services(patient: &Patient, settings: &GssapiSettings) -> Vec<String> {
    let realms = realms(settings);
    let hosts = names::hosts(&patient.config);
    let asked = hosts.iter().flat_map(|host| {
        let service = names::service(settings, host);
        realms.iter().map(move |realm| format!("{service}@{realm}"))
    });
    let keys = settings.usable().unwrap_or_default();
    let kept = keys.iter().map(|key| key.principal.to_string());
    let mut services: Vec<String> = Vec::new();
    for service in asked.chain(kept) {
        if services
            .iter()
            .all(|known| !known.eq_ignore_ascii_case(&service))
        {
            services.push(service);
        }
    }
    services.truncate(MAX_SERVICES);
    services
}

/// There is no ticket for anybody, or not for this client.
fn of_client(client: &Client, error: &TicketError) -> Seen {
    let why = format!("no ticket as {}: {error}", client.principal);
    match error {
        TicketError::Unreachable | TicketError::UnknownRealm => Seen::unknown(
            why,
            "see what is said of the KDC, and [realms] in krb5.conf",
        ),
        TicketError::Skew => {
            Seen::found(vec![Finding::error(why, "synchronise this host's clock")])
        }
        TicketError::NoClientKey
        | TicketError::NoEnctype
        | TicketError::Other(_)
        | TicketError::PasswordExpired
        | TicketError::Revoked
        | TicketError::UnknownClient
        | TicketError::UnknownService
        | TicketError::WrongSecret => Seen::unknown(
            why,
            "ask as somebody else: --client PRINCIPAL, with --client-keytab FILE or a password",
        ),
    }
}

fn of_service(service: &str, error: &TicketError) -> Finding {
    let bare = service.split('@').next().unwrap_or(service);
    if *error == TicketError::NoEnctype {
        let problem = format!("no ticket for {service}: {error}");
        let remedy = "the account has keys of RC4 or DES alone, which KDCs give no tickets for any more: switch \
                      AES on for it, set its password again, and export the keytab again";
        return Finding::error(problem, remedy);
    }
    let problem = format!("{error} as {service}: clients that ask for it get no ticket");
    let remedy = format!(
        "make it known: `setspn -S {bare} ACCOUNT` in Active Directory, `kadmin addprinc -randkey {bare}` with MIT; \
         then export its key into the keytab"
    );
    Finding::error(problem, remedy).key("hostname")
}

/// The words are those of the record that the login would have.
fn refused(service: &str, reason: Reason, detail: &str) -> Finding {
    let problem = format!(
        "a ticket for {service} would be refused ({}): {detail}",
        reason.as_str()
    );
    let of_keys = matches!(
        reason,
        Reason::BadTicket | Reason::KeyType | Reason::KeyVersion | Reason::WrongService
    );
    let remedy = if of_keys {
        "export the key of the account again: kadmin ktadd -norandkey, samba-tool domain exportkeytab, or \
         ktpass; the running server takes the new file within a second"
    } else if reason == Reason::ClockSkew {
        "synchronise this host's clock with the KDC's"
    } else {
        "see what is said of the keytab"
    };
    Finding::error(problem, remedy).key("gssapi.keytab")
}
