//! The rules of NTLM: who may still use it, what its messages must satisfy, and who verifies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::NtlmNames;
use crate::Network;

/// The rules that hold for NTLM on every listener; cannot be wrong.
#[derive(Clone, Debug)]
pub struct NtlmPolicy {
    /// How far the way out of NTLM has been gone.
    pub mode: NtlmMode,
    /// Networks that may use it whatever the mode is.
    pub except_networks: Vec<Network>,
    /// Accounts that may use it whatever the mode is: canonical names.
    pub except_accounts: Vec<String>,
    /// What the server says of itself before anybody has logged in.
    pub names: Arc<NtlmNames>,
    /// Whether a client must protect the messages with an integrity code (MIC). Many cannot, and
    /// NTLMv1 never does.
    pub require_mic: bool,
    /// How far a client's clock may be off; zero means that it is not looked at.
    pub max_skew: Duration,
    /// Service names that a client may have meant, `pop/host`; none means that all may.
    pub targets: Vec<String>,
    /// Who verifies.
    pub verify: NtlmVerify,
    /// Domains whose names are those of local accounts, lower case. The empty one stands for names
    /// without a domain.
    pub local_domains: Vec<String>,
    /// Whether a user may name the mailbox of somebody else behind a slash.
    pub delegate: bool,
}

/// How far the way out of NTLM has been gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NtlmMode {
    /// Whoever can may use it.
    #[default]
    On,
    /// As [`Self::On`], but the record of a login says when [`Self::Off`] would refuse it.
    Audit,
    /// Only the exceptions may.
    Off,
}

/// Who verifies an NTLM response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NtlmVerify {
    /// The directory, with the NT hashes of its accounts.
    #[default]
    Local,
    /// A domain controller, asked by winbind.
    Winbind,
    /// The directory for the names of `local_domains`, a domain controller for all others.
    Both,
}

impl NtlmMode {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Audit => "audit",
            Self::Off => "off",
        }
    }
}

impl NtlmVerify {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Winbind => "winbind",
            Self::Both => "both",
        }
    }
}

impl NtlmPolicy {
    /// The rules of a server of this name, where nothing else is said.
    pub fn new(names: NtlmNames) -> Self {
        Self {
            mode: NtlmMode::default(),
            except_networks: Vec::new(),
            except_accounts: Vec::new(),
            local_domains: vec![String::new(), names.computer.to_lowercase()],
            names: Arc::new(names),
            require_mic: false,
            max_skew: Duration::from_hours(36),
            targets: Vec::new(),
            verify: NtlmVerify::default(),
            delegate: false,
        }
    }
}

impl NtlmPolicy {
    /// Whether NTLM is worth offering to a client, as far as the mode goes.
    pub(crate) fn offers(&self, client: IpAddr) -> bool {
        self.mode != NtlmMode::Off || !self.except_accounts.is_empty() || self.excepts(client)
    }

    /// Whether an account may use NTLM even when it is off. `account` is none for nobody's name.
    pub(crate) fn survives_off(&self, client: IpAddr, account: Option<&str>) -> bool {
        let is_listed = |name: &str| self.except_accounts.iter().any(|listed| listed == name);
        self.excepts(client) || account.is_some_and(is_listed)
    }

    /// Whether the names of a domain are those of local accounts. `.` is a server's own.
    pub(crate) fn is_local(&self, domain: &str) -> bool {
        domain == "." || self.local_domains.iter().any(|local| local == domain)
    }

    fn excepts(&self, client: IpAddr) -> bool {
        self.except_networks
            .iter()
            .any(|network| network.contains(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_decide_who_is_left_when_it_is_off() {
        let inside = "10.1.2.3".parse().unwrap();
        let outside = "192.0.2.1".parse().unwrap();
        let mut policy = NtlmPolicy::new(crate::house::names());
        for mode in [NtlmMode::On, NtlmMode::Audit] {
            policy.mode = mode;
            assert!(policy.offers(outside));
        }
        policy.mode = NtlmMode::Off;
        assert!(!policy.offers(inside));
        policy.except_networks = vec!["10.1.0.0/16".parse().unwrap()];
        assert!(policy.offers(inside) && !policy.offers(outside));
        assert!(policy.survives_off(inside, None));
        assert!(!policy.survives_off(outside, Some("alice")));
        policy.except_accounts = vec!["alice".to_owned()];
        assert!(policy.offers(outside), "alice may be anywhere");
        assert!(policy.survives_off(outside, Some("alice")));
        assert!(!policy.survives_off(outside, Some("bob")));
        assert!(!policy.survives_off(outside, None));
    }
}
