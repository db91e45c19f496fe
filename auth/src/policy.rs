//! The rules of logging in, as resolved from the configuration: cannot be wrong.

use std::time::Duration;

use crate::{CertificateName, ExtendedProtection, Network, NtlmPolicy, Site};

/// Which logins a listener permits: `LoginType` of Set-PopSettings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginType {
    /// 1, PlainTextLogin: passwords may travel in the clear.
    PlainText,
    /// 2, PlainTextAuthentication: passwords only under TLS, other mechanisms also without.
    PlainTextAuthentication,
    /// 3, SecureLogin: nothing before TLS.
    Secure,
}

/// What one listener permits.
#[derive(Clone, Debug)]
pub struct LoginRule {
    /// `LoginType` of Set-PopSettings.
    pub login_type: LoginType,
    /// SASL mechanisms in the order in which they are offered, upper case.
    pub mechanisms: Vec<String>,
    /// Whether USER and PASS are permitted where a password is.
    pub user_pass: bool,
    /// Whether NTLM and GSSAPI clients must be bound to this server's certificate.
    pub extended_protection: ExtendedProtection,
    /// Networks whose clients may answer with NTLMv1.
    pub accept_ntlmv1: Vec<Network>,
}

/// What happens to a user whose mailbox is in another site (C0010 of \[MS-STANXPOP3\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossSite {
    /// Answer exactly as a wrong password does; the log says why.
    Refuse,
    /// Serve the mailbox from here.
    Direct,
}

/// The rules that hold on every listener.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Where this server stands. Without it the site rule has nothing to compare with and is off,
    /// even for accounts that have a site.
    pub site: Option<Site>,
    /// What happens to users of other sites.
    pub cross_site: CrossSite,
    /// Different refused logins after which a connection is closed, at least 1. It may begin three
    /// times as many attempts of any kind, and no more: see [`crate::Caller`].
    pub attempts_per_connection: u32,
    /// Refused logins of one account from one source within `throttle_window` after which its
    /// attempts from there are refused unseen; ten times as many from all sources together do the
    /// same for every source from which it was not opened lately. 0 switches both off.
    pub failures_per_account: u32,
    /// Refused logins of all accounts from one source (IPv4 /32, IPv6 /64) within
    /// `throttle_window`; 0 switches the limit off.
    pub failures_per_source: u32,
    /// How long refused logins count: a window begins with the first of them.
    pub throttle_window: Duration,
    /// Every refused login is answered this long after the client's last answer, whatever the
    /// reason, so that time tells nothing; see [`crate::Exchange`].
    pub refusal_delay: Duration,
    /// Accounts that may never log in by POP3 (`Administrator`, `Guest` in the 2013 and 2016
    /// profiles), canonical names; `administrator` also means `administrator@corp.test`.
    pub blocked_accounts: Vec<String>,
    /// How a client certificate reaches an account: these ways are tried in this order, and the
    /// first that reaches one decides.
    pub certificate_names: Vec<CertificateName>,
    /// Who may use NTLM, and what its messages must satisfy.
    pub ntlm: NtlmPolicy,
}
