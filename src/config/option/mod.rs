//! The one option table: key, kind, range, defaults, words, and Exchange's and Dovecot's names.
//!
//! `inspect` checks a file against it; `render` makes the reference, the man page and the example
//! of it. A setting that is not in here does not exist.

mod door;
mod gssapi;
mod ldap;
mod login;
mod mail;
mod ntlm;
mod protocol_log;
mod server;

pub(super) use gssapi::SERVICES;
pub(super) use protocol_log::FOLDER as PROTOCOL_LOG_FOLDER;

use super::profile::{Defaults, Profile};
use super::quantity::{octets_text, span_text};

/// One setting.
pub(super) struct Setting {
    /// The path of its key, without the numbers of repeated sections: `listener.address`.
    pub(super) key: &'static str,
    /// What its value looks like.
    pub(super) kind: Kind,
    /// What stands where the file says nothing.
    pub(super) default: Standing,
    /// A value for the example, as TOML.
    pub(super) example: &'static str,
    /// What it does, for an administrator; Markdown without links.
    pub(super) doc: &'static str,
    /// The parameter of Set-PopSettings or Set-CASMailbox that does this in Exchange.
    pub(super) exchange: Option<&'static str>,
    /// Dovecot's setting.
    pub(super) dovecot: Option<&'static str>,
}

/// The kinds of values.
pub(super) enum Kind {
    /// Any text.
    Text,
    /// The name of a file or folder, from the configuration file's folder if relative.
    Path,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    List,
    /// A program by its path, or a list of it and its arguments.
    Command,
    /// A whole number from, to.
    Number(u64, u64),
    /// A duration from, to, in milliseconds.
    Span(u64, u64),
    /// A size from, to, in octets.
    Octets(u64, u64),
    /// The size of a full file from, to, in octets; or 0, or `"unlimited"`.
    Quota(u64, u64),
}

/// What stands where the file says nothing.
pub(super) enum Standing {
    /// The key must be there.
    Required,
    /// What happens then, in words.
    Absent(&'static str),
    /// This value, as TOML.
    Value(fn(&Defaults) -> String),
}

/// A section of the file.
pub(super) struct Section {
    /// Its header: empty for the top, else `login`, `listener`, `tls.sni`.
    pub(super) name: &'static str,
    /// Whether it is written `[[name]]` and may come several times.
    pub(super) repeated: bool,
    /// What it is about.
    pub(super) doc: &'static str,
    /// Its settings, in the order of the documentation.
    pub(super) settings: &'static [Setting],
}

/// Every section, in the order of the documentation.
pub(super) const SECTIONS: &[&Section] = &[
    &server::TOP,
    &door::LISTENER,
    &door::TLS,
    &door::SNI,
    &login::LOGIN,
    &ntlm::NTLM,
    &ntlm::WINBIND,
    &gssapi::GSSAPI,
    &gssapi::REALM,
    &gssapi::PRINCIPAL,
    &mail::USERS,
    &ldap::LDAP,
    &ldap::ATTRIBUTES,
    &ldap::CACHE,
    &mail::MAILDROP,
    &mail::MESSAGES,
    &server::LIMITS,
    &server::TIMEOUTS,
    &server::PROTOCOL,
    &server::LOG,
    &protocol_log::PROTOCOL_LOG,
];

/// The setting with that key.
pub(super) fn find(key: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.key == key)
}

/// The section with that name.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS
        .iter()
        .find(|section| section.name == name)
        .copied()
}

/// Every setting.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

impl Setting {
    /// The last piece of the key.
    pub(super) fn name(&self) -> &'static str {
        self.key.rsplit('.').next().unwrap_or(self.key)
    }

    /// The default under a profile, as TOML.
    pub(super) fn default_text(&self, profile: Profile) -> Option<String> {
        match self.default {
            Standing::Required | Standing::Absent(_) => None,
            Standing::Value(value) => Some(value(&profile.defaults())),
        }
    }
}

impl Kind {
    /// The kind and the range, in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Choice(words) => {
                let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Self::Switch => "true or false".to_owned(),
            Self::List => "list of texts".to_owned(),
            Self::Command => "path, or list of a path and arguments".to_owned(),
            Self::Number(from, to) => format!("number from {from} to {to}"),
            Self::Span(from, to) => {
                format!("duration from {} to {}", span_text(*from), span_text(*to))
            }
            Self::Octets(from, to) => {
                format!("size from {} to {}", octets_text(*from), octets_text(*to))
            }
            Self::Quota(from, to) => format!(
                "0, \"unlimited\", or size from {} to {}",
                octets_text(*from),
                octets_text(*to)
            ),
        }
    }
}

/// Writes a text as TOML.
fn text(value: &str) -> String {
    format!("\"{value}\"")
}

/// Writes a list of texts as TOML.
fn list(values: &[&str]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| text(value)).collect();
    format!("[{}]", quoted.join(", "))
}

/// Writes a duration as TOML.
fn span(value: std::time::Duration) -> String {
    text(&span_text(
        u64::try_from(value.as_millis()).unwrap_or(u64::MAX),
    ))
}

/// Writes a size as TOML; small ones as a bare number.
fn octets(value: u64) -> String {
    if value < 8192 {
        return value.to_string();
    }
    text(&octets_text(value))
}
