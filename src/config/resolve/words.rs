//! The words of the file and the values behind them.

use postern_auth::{
    CertificateName, CrossSite, ExtendedProtection, LoginType, NtlmMode, NtlmVerify,
};

use crate::config::{ListenerTls, LogFormat, LogLevel, Order, Period, TlsVersion};
use crate::pop3::Utf8;

/// The word for a login type.
pub(in crate::config) fn login_type_text(value: LoginType) -> &'static str {
    match value {
        LoginType::PlainText => "plain-text",
        LoginType::PlainTextAuthentication => "plain-text-authentication",
        LoginType::Secure => "secure",
    }
}

/// The word for a cross-site rule.
pub(in crate::config) fn cross_site_text(value: CrossSite) -> &'static str {
    match value {
        CrossSite::Refuse => "refuse",
        CrossSite::Direct => "direct",
    }
}

/// The word for a way from a certificate to an account.
pub(super) fn certificate_name_text(value: CertificateName) -> &'static str {
    match value {
        CertificateName::Email => "email",
        CertificateName::Fingerprint => "fingerprint",
        CertificateName::Upn => "upn",
    }
}

/// Every way from a certificate to an account, in the order in which they are tried.
pub(super) const CERTIFICATE_NAMES: [CertificateName; 3] = [
    CertificateName::Fingerprint,
    CertificateName::Upn,
    CertificateName::Email,
];

pub(super) fn certificate_name(word: &str) -> Option<CertificateName> {
    CERTIFICATE_NAMES
        .into_iter()
        .find(|value| certificate_name_text(*value) == word)
}

pub(super) fn extended_protection(word: &str) -> Option<ExtendedProtection> {
    [
        ExtendedProtection::None,
        ExtendedProtection::Audit,
        ExtendedProtection::Allow,
        ExtendedProtection::Require,
    ]
    .into_iter()
    .find(|value| value.as_str() == word)
}

pub(super) fn ntlm_mode(word: &str) -> Option<NtlmMode> {
    [NtlmMode::On, NtlmMode::Audit, NtlmMode::Off]
        .into_iter()
        .find(|value| value.as_str() == word)
}

pub(super) fn ntlm_verify(word: &str) -> Option<NtlmVerify> {
    [NtlmVerify::Local, NtlmVerify::Winbind, NtlmVerify::Both]
        .into_iter()
        .find(|value| value.as_str() == word)
}

pub(super) fn login_type(word: &str) -> Option<LoginType> {
    [
        LoginType::PlainText,
        LoginType::PlainTextAuthentication,
        LoginType::Secure,
    ]
    .into_iter()
    .find(|value| login_type_text(*value) == word)
}

pub(super) fn cross_site(word: &str) -> Option<CrossSite> {
    [CrossSite::Refuse, CrossSite::Direct]
        .into_iter()
        .find(|value| cross_site_text(*value) == word)
}

pub(super) fn listener_tls(word: &str) -> Option<ListenerTls> {
    [
        ListenerTls::None,
        ListenerTls::StartTls,
        ListenerTls::Implicit,
    ]
    .into_iter()
    .find(|value| value.as_str() == word)
}

pub(super) fn tls_version(word: &str) -> Option<TlsVersion> {
    [TlsVersion::Tls12, TlsVersion::Tls13]
        .into_iter()
        .find(|value| value.as_str() == word)
}

pub(super) fn utf8(word: &str) -> Option<Utf8> {
    [Utf8::Off, Utf8::On, Utf8::Strict]
        .into_iter()
        .find(|value| value.as_str() == word)
}

pub(super) fn order(word: &str) -> Option<Order> {
    [Order::Ascending, Order::Descending]
        .into_iter()
        .find(|value| value.as_str() == word)
}

pub(super) fn log_format(word: &str) -> Option<LogFormat> {
    [LogFormat::Human, LogFormat::Json]
        .into_iter()
        .find(|value| value.as_str() == word)
}

pub(super) fn log_level(word: &str) -> Option<LogLevel> {
    [
        LogLevel::Error,
        LogLevel::Warn,
        LogLevel::Info,
        LogLevel::Debug,
        LogLevel::Trace,
    ]
    .into_iter()
    .find(|value| value.as_str() == word)
}

pub(super) fn period(word: &str) -> Option<Period> {
    [
        Period::Hourly,
        Period::Daily,
        Period::Weekly,
        Period::Monthly,
    ]
    .into_iter()
    .find(|value| value.as_str() == word)
}
