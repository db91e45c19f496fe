//! Why a context did not come about, in a word for the log and in words for an administrator.
//!
//! The library tells little by number. What concerns keys is not read from there but found out: the
//! ticket says which key it needs, and the keytab which there are.

use std::fmt::Write as _;

use libgssapi::error::Error;

use super::ap_req::Ticket;
use super::keytab::KeytabKey;
use super::number::{self, Number};
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
    let numbered = Number::of(error).and_then(of_number);
    if let Some((reason, advice)) = numbered {
        return Failure::explained(reason, format!("{advice} ({})", came_with(ticket)));
    }
    if number::is_trouble_with_files(error) {
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

/// The errors that say what is wrong by themselves.
fn of_number(number: Number) -> Option<(Reason, &'static str)> {
    Some(match number {
        Number::REPEATED => (
            Reason::Replayed,
            "the same authenticator was seen before: somebody repeats what was recorded",
        ),
        Number::SKEW => (
            Reason::ClockSkew,
            "the client's clock and this server's differ by more than krb5.conf's clockskew (5 minutes): \
             synchronise both",
        ),
        Number::EXPIRED => (
            Reason::TicketExpired,
            "the ticket has expired: the client must get a new one",
        ),
        Number::NOT_YET_VALID => (
            Reason::ClockSkew,
            "the ticket is not valid yet: this server's clock is behind the KDC's",
        ),
        _ => return None,
    })
}

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

/// The detail of a ticket under a key that protects nothing.
pub(super) fn weak_key(ticket: &Ticket) -> String {
    let advice = "such keys can be guessed: give the account AES keys and export them, or set \
                  gssapi.weak_keys";
    format!("{}; {advice}", came_with(ticket))
}

/// What the client came with, for a detail.
pub(super) fn came_with(ticket: &Ticket) -> String {
    format!("the client's ticket is for {ticket}")
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
