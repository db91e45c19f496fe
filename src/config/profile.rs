//! Profiles: which server's settings stand where the file says nothing.

use std::time::Duration;

use postern_auth::{CrossSite, ExtendedProtection, LoginType};

use super::{Limits, LogFormat, LogLevel, Order, TlsVersion};

pub use crate::pop3::Profile;
use crate::pop3::Utf8;

impl Profile {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Postern,
        Self::Exchange2007,
        Self::Exchange2010,
        Self::Exchange2013,
        Self::Exchange2016,
    ];

    /// The name in the configuration file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postern => "postern",
            Self::Exchange2007 => "exchange-2007",
            Self::Exchange2010 => "exchange-2010",
            Self::Exchange2013 => "exchange-2013",
            Self::Exchange2016 => "exchange-2016",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Whether clients are to see Exchange, with its capabilities and its texts.
    pub fn is_exchange(self) -> bool {
        self != Self::Postern
    }

    /// What stands where the file says nothing.
    pub(super) fn defaults(self) -> Defaults {
        let base = Defaults::postern();
        match self {
            Self::Postern => base,
            Self::Exchange2007 => base.exchange_2007(),
            Self::Exchange2010 => base.exchange_2010(),
            Self::Exchange2013 | Self::Exchange2016 => base.exchange_2013(),
        }
    }
}

/// The default of every setting that has one.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) banner: &'static str,
    pub(super) tls_minimum: TlsVersion,
    pub(super) login_type: LoginType,
    pub(super) mechanisms: &'static [&'static str],
    pub(super) user_pass: bool,
    pub(super) extended_protection: ExtendedProtection,
    pub(super) cross_site: CrossSite,
    pub(super) attempts: u64,
    pub(super) failures_per_account: u64,
    pub(super) failures_per_source: u64,
    pub(super) window: Duration,
    pub(super) refusal_delay: Duration,
    pub(super) blocked_accounts: &'static [&'static str],
    pub(super) max_command: u64,
    pub(super) max_sasl_line: u64,
    pub(super) max_connections: u64,
    pub(super) max_connections_per_source: u64,
    pub(super) max_connections_per_user: u64,
    pub(super) authenticated: Duration,
    pub(super) pre_authenticated: Duration,
    pub(super) drain: Duration,
    pub(super) order: Order,
    pub(super) exact_size: bool,
    pub(super) pipelining: bool,
    pub(super) response_codes: bool,
    pub(super) utf8: Utf8,
    pub(super) lang: bool,
    pub(super) log_format: LogFormat,
    pub(super) log_level: LogLevel,
}

impl Defaults {
    fn postern() -> Self {
        Self {
            banner: "Postern is ready.",
            tls_minimum: TlsVersion::Tls12,
            // Set-PopSettings -LoginType SecureLogin is the default of every Exchange version.
            login_type: LoginType::Secure,
            mechanisms: &["PLAIN"],
            user_pass: true,
            extended_protection: ExtendedProtection::Allow,
            cross_site: CrossSite::Refuse,
            attempts: 3,
            failures_per_account: 10,
            failures_per_source: 50,
            window: Duration::from_secs(600),
            refusal_delay: Duration::from_secs(1),
            blocked_accounts: &[],
            max_command: 512,
            max_sasl_line: 96 << 10,
            max_connections: 10_000,
            max_connections_per_source: 100,
            max_connections_per_user: 16,
            // [MS-STANXPOP3] V0002.
            authenticated: Duration::from_secs(1800),
            pre_authenticated: Duration::from_secs(60),
            drain: Duration::from_secs(30),
            order: Order::Ascending,
            exact_size: true,
            pipelining: true,
            response_codes: true,
            utf8: Utf8::On,
            lang: true,
            log_format: LogFormat::Human,
            log_level: LogLevel::Info,
        }
    }

    fn exchange(self) -> Self {
        Self {
            banner: "The Microsoft Exchange POP3 service is ready.",
            // Set-PopSettings -ExtendedProtectionPolicy None is the default of every version.
            extended_protection: ExtendedProtection::None,
            cross_site: CrossSite::Direct,
            exact_size: false,
            pipelining: false,
            response_codes: false,
            utf8: Utf8::Off,
            lang: false,
            ..self
        }
    }

    fn exchange_2007(self) -> Self {
        Self {
            // [MS-STANXPOP3] E0006.
            max_command: 47,
            max_connections: 2000,
            max_connections_per_source: 20,
            max_connections_per_user: 10,
            // [MS-STANXPOP3] C0010.
            cross_site: CrossSite::Refuse,
            ..self.exchange()
        }
    }

    fn exchange_2010(self) -> Self {
        Self {
            max_connections: Limits::UNLIMITED,
            max_connections_per_source: 2000,
            ..self.exchange()
        }
    }

    fn exchange_2013(self) -> Self {
        Self {
            max_connections: Limits::UNLIMITED,
            max_connections_per_source: Limits::UNLIMITED,
            blocked_accounts: &["administrator", "guest"],
            ..self.exchange()
        }
    }
}
