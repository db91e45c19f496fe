//! The configuration as written: the serde mirror of the TOML file, with the place of every value.
//!
//! No default, no check and no meaning here: `inspect` has checked kinds and ranges before,
//! `resolve` gives the meaning. A test compares these keys with the option table.

use serde::Deserialize;
use toml::Spanned;

use super::command::Command;
use super::quantity::{Octets, Quota, Span};

/// A value that may be absent, with its place.
pub(super) type Maybe<T> = Option<Spanned<T>>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) profile: Maybe<String>,
    pub(super) hostname: Maybe<String>,
    pub(super) banner: Maybe<String>,
    pub(super) site: Maybe<String>,
    pub(super) user: Maybe<String>,
    pub(super) group: Maybe<String>,
    pub(super) listener: Vec<Spanned<Listener>>,
    pub(super) tls: Maybe<Tls>,
    pub(super) login: Login,
    pub(super) gssapi: Gssapi,
    pub(super) ntlm: Ntlm,
    pub(super) winbind: Winbind,
    pub(super) users: Users,
    pub(super) ldap: Ldap,
    pub(super) maildrop: Maildrop,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) messages: Messages,
    pub(super) protocol: Protocol,
    pub(super) log: Log,
    pub(super) protocol_log: ProtocolLog,
}

/// `[[listener]]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listener {
    pub(super) address: Maybe<String>,
    pub(super) tls: Maybe<String>,
    pub(super) login_type: Maybe<String>,
    pub(super) mechanisms: Maybe<Vec<Spanned<String>>>,
    pub(super) user_pass: Maybe<bool>,
    pub(super) extended_protection: Maybe<String>,
    pub(super) accept_ntlmv1: Maybe<Vec<Spanned<String>>>,
}

/// `[tls]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) certificate: Maybe<String>,
    pub(super) private_key: Maybe<String>,
    pub(super) minimum: Maybe<String>,
    pub(super) extra_certificates: Maybe<Vec<Spanned<String>>>,
    pub(super) client_authorities: Maybe<String>,
    pub(super) client_revocation: Maybe<Vec<Spanned<String>>>,
    pub(super) client_certificates: Maybe<String>,
    pub(super) sni: Vec<Spanned<Sni>>,
}

/// `[[tls.sni]]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Sni {
    pub(super) name: Maybe<String>,
    pub(super) certificate: Maybe<String>,
    pub(super) private_key: Maybe<String>,
}

/// `[login]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Login {
    #[serde(rename = "type")]
    pub(super) login_type: Maybe<String>,
    pub(super) mechanisms: Maybe<Vec<Spanned<String>>>,
    pub(super) user_pass: Maybe<bool>,
    pub(super) extended_protection: Maybe<String>,
    pub(super) cross_site: Maybe<String>,
    pub(super) attempts: Maybe<u64>,
    pub(super) failures_per_account: Maybe<u64>,
    pub(super) failures_per_source: Maybe<u64>,
    pub(super) window: Maybe<Span>,
    pub(super) refusal_delay: Maybe<Span>,
    pub(super) recheck: Maybe<Span>,
    pub(super) blocked_accounts: Maybe<Vec<Spanned<String>>>,
    pub(super) certificate_names: Maybe<Vec<Spanned<String>>>,
}

/// `[gssapi]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gssapi {
    pub(super) keytab: Maybe<String>,
    pub(super) services: Maybe<Vec<Spanned<String>>>,
    pub(super) replay_cache: Maybe<String>,
    pub(super) weak_keys: Maybe<bool>,
    pub(super) realm: Vec<Spanned<GssapiRealm>>,
    pub(super) principal: Vec<Spanned<GssapiPrincipal>>,
}

/// `[[gssapi.realm]]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GssapiRealm {
    pub(super) name: Maybe<String>,
    pub(super) login: Maybe<String>,
    pub(super) ignore_case: Maybe<bool>,
}

/// `[[gssapi.principal]]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GssapiPrincipal {
    pub(super) name: Maybe<String>,
    pub(super) login: Maybe<String>,
}

/// `[ntlm]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ntlm {
    pub(super) mode: Maybe<String>,
    pub(super) except: Maybe<Vec<Spanned<String>>>,
    pub(super) accept_ntlmv1: Maybe<Vec<Spanned<String>>>,
    pub(super) domain: Maybe<String>,
    pub(super) computer: Maybe<String>,
    pub(super) dns_domain: Maybe<String>,
    pub(super) dns_computer: Maybe<String>,
    pub(super) require_mic: Maybe<bool>,
    pub(super) max_skew: Maybe<Span>,
    pub(super) targets: Maybe<Vec<Spanned<String>>>,
    pub(super) verify: Maybe<String>,
    pub(super) local_domains: Maybe<Vec<Spanned<String>>>,
    pub(super) delegate: Maybe<bool>,
}

/// `[winbind]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Winbind {
    pub(super) helper: Maybe<Command>,
    pub(super) helpers: Maybe<u64>,
    pub(super) deadline: Maybe<Span>,
}

/// `[users]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Users {
    pub(super) file: Maybe<String>,
    pub(super) key_file: Maybe<String>,
}

/// `[ldap]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ldap {
    pub(super) preset: Maybe<String>,
    pub(super) domain: Maybe<String>,
    pub(super) realms: Maybe<Vec<Spanned<String>>>,
    pub(super) servers: Maybe<Vec<Spanned<String>>>,
    pub(super) starttls: Maybe<bool>,
    pub(super) authorities: Maybe<String>,
    pub(super) certificate: Maybe<String>,
    pub(super) private_key: Maybe<String>,
    pub(super) service: Maybe<String>,
    pub(super) bind_name: Maybe<String>,
    pub(super) password_file: Maybe<String>,
    pub(super) base: Maybe<String>,
    pub(super) filter: Maybe<String>,
    pub(super) verify: Maybe<String>,
    pub(super) user_bind_name: Maybe<String>,
    pub(super) groups: Maybe<Vec<Spanned<String>>>,
    pub(super) site_servers: Maybe<Vec<Spanned<String>>>,
    pub(super) site_of_server: Maybe<String>,
    pub(super) unknown_site: Maybe<String>,
    pub(super) timeout: Maybe<Span>,
    pub(super) search_connections: Maybe<u64>,
    pub(super) bind_connections: Maybe<u64>,
    pub(super) attributes: LdapAttributes,
    pub(super) cache: LdapCache,
}

/// `[ldap.attributes]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LdapAttributes {
    pub(super) name: Maybe<String>,
    pub(super) addresses: Maybe<Vec<Spanned<String>>>,
    pub(super) pop3: Maybe<String>,
    pub(super) exact_size: Maybe<String>,
    pub(super) maildrop: Maybe<String>,
    pub(super) delegates: Maybe<String>,
    pub(super) mailbox: Maybe<String>,
    pub(super) id: Maybe<String>,
    pub(super) site: Maybe<String>,
}

/// `[ldap.cache]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LdapCache {
    pub(super) accounts: Maybe<Span>,
    pub(super) passwords: Maybe<Span>,
}

/// `[maildrop]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Maildrop {
    pub(super) path: Maybe<String>,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) max_command: Maybe<Octets>,
    pub(super) max_sasl_line: Maybe<Octets>,
    pub(super) max_connections: Maybe<u64>,
    pub(super) max_connections_per_source: Maybe<u64>,
    pub(super) max_connections_per_user: Maybe<u64>,
}

/// `[timeouts]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Timeouts {
    pub(super) authenticated: Maybe<Span>,
    pub(super) pre_authenticated: Maybe<Span>,
    pub(super) drain: Maybe<Span>,
}

/// `[messages]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Messages {
    pub(super) order: Maybe<String>,
    pub(super) exact_size: Maybe<bool>,
}

/// `[protocol]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Protocol {
    pub(super) pipelining: Maybe<bool>,
    pub(super) response_codes: Maybe<bool>,
    pub(super) utf8: Maybe<String>,
    pub(super) lang: Maybe<bool>,
}

/// `[log]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) format: Maybe<String>,
    pub(super) level: Maybe<String>,
}

/// `[protocol_log]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ProtocolLog {
    pub(super) enabled: Maybe<bool>,
    pub(super) folder: Maybe<String>,
    pub(super) roll_over: Maybe<String>,
    pub(super) max_file_size: Maybe<Quota>,
}
