//! Who still logs in by what should go: records counted by kind, account and client.

use std::collections::BTreeMap;

use super::record::Record;

/// What an administrator wants to be rid of, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A password that anyone on the path could read.
    Cleartext,
    /// NTLMv1, offered by the client. Refused, unless a listener takes it.
    NtlmV1,
    /// NTLM of any kind that was let in.
    Ntlm,
    /// Let in under TLS without saying which TLS connection was meant, by a mechanism that could.
    Unbound,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Cleartext, Self::NtlmV1, Self::Ntlm, Self::Unbound];

    /// The word in JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Cleartext => "cleartext",
            Self::NtlmV1 => "ntlmv1",
            Self::Ntlm => "ntlm",
            Self::Unbound => "no-channel-binding",
        }
    }

    /// The heading for people.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Cleartext => {
                "Passwords in clear text (let the client use TLS, then `login.type = \"secure\"`)"
            }
            Self::NtlmV1 => {
                "NTLMv1 offered (the client cannot do better: give it TLS and a password, or Kerberos)"
            }
            Self::Ntlm => "Logins by NTLM",
            Self::Unbound => {
                "Logins without channel binding (they fail once Extended Protection is required)"
            }
        }
    }

    fn is(self, record: &Record) -> bool {
        match self {
            Self::Cleartext => {
                let plain = ["USER", "PLAIN", "LOGIN"].contains(&&*record.mechanism);
                record.granted && !record.tls && plain
            }
            Self::NtlmV1 => record.reason == "ntlmv1",
            Self::Ntlm => record.granted && record.mechanism == "NTLM",
            Self::Unbound => {
                let binds = ["NTLM", "GSSAPI", "GSS-SPNEGO"].contains(&&*record.mechanism);
                record.granted && record.tls && binds && record.binding.is_none()
            }
        }
    }
}

/// How often one account did so from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) count: u64,
    pub(super) first: String,
    pub(super) last: String,
    /// What the client called its machine last.
    pub(super) workstation: Option<String>,
}

/// Account, address and mechanism.
type Key = (String, String, String);

/// What was counted. Memory grows with the number of different keys, not of records.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) attempts: u64,
    /// Allowed logins by mechanism.
    pub(super) granted: BTreeMap<String, u64>,
    pub(super) uses: BTreeMap<Kind, BTreeMap<Key, Use>>,
}

impl Summary {
    pub(super) fn add(&mut self, record: &Record) {
        self.attempts += 1;
        if record.granted {
            *self.granted.entry(record.mechanism.clone()).or_default() += 1;
        }
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is(record)) {
            let key = (
                record.account.clone(),
                record.address.clone(),
                record.mechanism.clone(),
            );
            let uses = self.uses.entry(kind).or_default();
            let entry = uses.entry(key).or_insert_with(|| Use {
                count: 0,
                first: record.time.clone(),
                last: record.time.clone(),
                workstation: None,
            });
            entry.count += 1;
            if record.time < entry.first {
                entry.first.clone_from(&record.time);
            }
            if record.time >= entry.last {
                entry.last.clone_from(&record.time);
                if record.workstation.is_some() {
                    entry.workstation.clone_from(&record.workstation);
                }
            }
        }
    }
}
