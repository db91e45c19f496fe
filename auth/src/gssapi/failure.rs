//! Why a context did not come about, in a word for the log and in words for an administrator.
//!
//! The library tells little by number: under SPNEGO its codes are renumbered by every process, so
//! its texts are looked at (they are of krb5's error table, and not translated, as a server sets no
//! locale). What concerns keys is not read from there but found out: the ticket says which key
//! it needs, and the keytab which there are.

use std::fmt::Write as _;

use libgssapi::error::Error;

use super::ap_req::Ticket;
use super::keytab::KeytabKey;
use crate::Reason;
use crate::audit::shown;

/// GSS_S_BAD_BINDINGS as a routine error (RFC 2744 §3.9.1).
const BAD_BINDINGS: u32 = 4;
/// GSS_S_NO_CRED: no credential for the mechanism of the token.
const NO_CRED: u32 = 7;
/// GSS_S_DEFECTIVE_TOKEN.
const DEFECTIVE_TOKEN: u32 = 9;
/// The most keys that are listed in one detail.
const MAX_LISTED: usize = 8;

/// A context that did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The word.
    pub(crate) reason: Reason,
    /// The words; what came from the client in them is bounded and escaped.
    pub(crate) detail: Option<String>,
}

impl Failure {
    /// A failure that needs no explanation.
    pub(crate) fn plain(reason: Reason) -> Self {
        Self {
            reason,
            detail: None,
        }
    }

    /// A failure with its explanation.
    pub(crate) fn explained(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: Some(detail.into()),
        }
    }
}

/// The number of a routine error. The flags of libgssapi are no bits of a set: GSS_S_FAILURE (13)
/// contains those of GSS_S_BAD_BINDINGS (4).
fn routine(error: &Error) -> u32 {
    (error.major.bits() >> 16) & 0xff
}

/// Whether the client is bound to another channel.
pub(super) fn is_bad_bindings(error: &Error) -> bool {
    routine(error) == BAD_BINDINGS
}

/// What the library's error means, given what the client came with and which keys there are.
///
/// Must be called on the thread of the failed call: the library keeps its text for that thread.
pub(super) fn classify(error: &Error, ticket: Option<&Ticket>, keys: &[KeytabKey]) -> Failure {
    let said = error.to_string();
    let Some(ticket) = ticket else {
        return match routine(error) {
            NO_CRED => Failure::explained(
                Reason::Malformed,
                "the token is not of Kerberos (of NTLM, perhaps, or SPNEGO under the name GSSAPI)",
            ),
            _ => Failure::plain(Reason::Malformed),
        };
    };
    if is_bad_bindings(error) {
        return Failure::explained(
            Reason::WrongBinding,
            "the client is bound to another TLS channel: its login was relayed, or something between \
             it and this server ends TLS with another certificate",
        );
    }
    for (text, reason, advice) in TEXTS {
        if said.contains(text) {
            return Failure::explained(*reason, format!("{advice} ({})", came_with(ticket)));
        }
    }
    if TROUBLE.iter().any(|text| said.contains(text)) {
        let detail = format!(
            "the keytab or the replay cache cannot be used: {}",
            shown(&said)
        );
        return Failure::explained(Reason::KerberosTrouble, detail);
    }
    if routine(error) == DEFECTIVE_TOKEN {
        return Failure::plain(Reason::Malformed);
    }
    about_keys(ticket, keys).unwrap_or_else(|| {
        let detail = format!("{}; the library says: {}", came_with(ticket), shown(&said));
        Failure::explained(Reason::BadTicket, detail)
    })
}

/// Texts of krb5's error table that say what is wrong by themselves.
const TEXTS: &[(&str, Reason, &str)] = &[
    (
        "Request is a replay",
        Reason::Replayed,
        "the same authenticator was seen before: somebody repeats what was recorded",
    ),
    (
        "Clock skew too great",
        Reason::ClockSkew,
        "the client's clock and this server's differ by more than krb5.conf's clockskew (5 minutes): \
         synchronise both",
    ),
    (
        "Ticket expired",
        Reason::TicketExpired,
        "the ticket has expired: the client must get a new one",
    ),
    (
        "Ticket not yet valid",
        Reason::ClockSkew,
        "the ticket is not valid yet: this server's clock is behind the KDC's",
    ),
];

/// Texts of the system: the server's trouble, whoever the client is.
const TROUBLE: &[&str] = &[
    "Permission denied",
    "No such file",
    "No space left",
    "Read-only file system",
    "Disk quota exceeded",
    "Too many open files",
    "Cannot allocate memory",
    "Input/output error",
    "Not a directory",
];

/// A ticket for which no key can be right.
fn about_keys(ticket: &Ticket, keys: &[KeytabKey]) -> Option<Failure> {
    let same: Vec<&KeytabKey> = keys.iter().filter(|key| is_for(key, ticket)).collect();
    let kvno = ticket.kvno;
    let detail = |advice: &str, keys: &[&KeytabKey]| {
        format!(
            "{}; the keytab holds {}: {advice}",
            came_with(ticket),
            listed(keys)
        )
    };
    if same.is_empty() {
        let all: Vec<&KeytabKey> = keys.iter().collect();
        let advice = "the client asked the KDC for another service, or the keytab lacks its key";
        return Some(Failure::explained(
            Reason::WrongService,
            detail(advice, &all),
        ));
    }
    if kvno.is_some_and(|kvno| same.iter().all(|key| key.kvno != kvno)) {
        let older = same.iter().all(|key| Some(key.kvno) < kvno);
        let advice = if older {
            "the keytab is out of date: export the new key into it"
        } else {
            "the ticket is out of date: the client must get a new one"
        };
        return Some(Failure::explained(
            Reason::KeyVersion,
            detail(advice, &same),
        ));
    }
    let fits = |key: &&KeytabKey| {
        key.enctype == ticket.enctype && kvno.is_none_or(|kvno| kvno == key.kvno)
    };
    if !same.iter().any(fits) {
        let advice = "the keytab lacks a key of this type: export all types, or restrict those of the account";
        return Some(Failure::explained(Reason::KeyType, detail(advice, &same)));
    }
    None
}

/// Whether a key is of the ticket's service; the names of services and hosts are told apart by more than
/// case nowhere but in a keytab.
fn is_for(key: &KeytabKey, ticket: &Ticket) -> bool {
    key.principal
        .to_string()
        .eq_ignore_ascii_case(&ticket.service.to_string())
}

/// What the client came with, for a detail.
pub(super) fn came_with(ticket: &Ticket) -> String {
    let service = shown(&ticket.service.to_string());
    match ticket.kvno {
        Some(kvno) => format!(
            "the client's ticket is for {service} kvno {kvno} {}",
            ticket.enctype
        ),
        None => format!("the client's ticket is for {service} {}", ticket.enctype),
    }
}

fn listed(keys: &[&KeytabKey]) -> String {
    let mut text = String::new();
    for (place, key) in keys.iter().take(MAX_LISTED).enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{key}");
    }
    match keys.len().saturating_sub(MAX_LISTED) {
        0 if keys.is_empty() => "nothing".to_owned(),
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
