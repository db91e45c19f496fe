//! Who still logs in by what should go: records counted by kind, account and client.

use std::collections::BTreeMap;

use super::record::Record;

/// What an administrator wants to be rid of, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Let in without TLS: anyone on the path could read the mail, and the password where one was sent.
    Cleartext,
    /// NTLMv1 or LM, offered by the client. Refused, unless its network is excepted.
    NtlmV1,
    /// NTLM of any kind that was let in.
    Ntlm,
    /// Bound to another TLS connection than this one, and let in for now.
    Misbound,
    /// Let in without saying which TLS connection was meant, by a mechanism that could; or without one.
    Unbound,
    /// Let in by NTLM although it is to be switched off.
    NtlmOff,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Cleartext,
        Self::NtlmV1,
        Self::Ntlm,
        Self::Misbound,
        Self::Unbound,
        Self::NtlmOff,
    ];

    /// The word in JSON.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Cleartext => "cleartext",
            Self::NtlmV1 => "ntlmv1",
            Self::Ntlm => "ntlm",
            Self::Misbound => "wrong-channel-binding",
            Self::Unbound => "no-channel-binding",
            Self::NtlmOff => "ntlm-off",
        }
    }

    /// The heading for people.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Cleartext => {
                "Logins in clear text (USER, PLAIN and LOGIN show the password; let the client use TLS, \
                 then `login.type = \"secure\"`)"
            }
            Self::NtlmV1 => {
                "NTLMv1 offered (let the client send NTLMv2, or give it TLS and a password, or Kerberos)"
            }
            Self::Ntlm => "Logins by NTLM",
            Self::Misbound => {
                "Logins bound to another TLS connection (a balancer whose certificate is not named \
                 here, or somebody in the middle)"
            }
            Self::Unbound => {
                "Logins without channel binding (they fail once Extended Protection is required)"
            }
            Self::NtlmOff => "Logins that fail once NTLM is off",
        }
    }

    fn is(self, record: &Record) -> bool {
        let by = |names: &[&str]| names.contains(&&*record.mechanism);
        let breaks = |rule: &str| record.would_break.iter().any(|word| word == rule);
        match self {
            Self::Cleartext => record.granted && !record.tls,
            Self::NtlmV1 => {
                ["ntlmv1", "lm-only"].contains(&&*record.reason)
                    || record
                        .ntlm
                        .as_deref()
                        .is_some_and(|form| ["v1", "lm"].contains(&form))
            }
            Self::Ntlm => record.granted && by(&["NTLM"]),
            Self::Misbound => breaks("protection-allow"),
            Self::Unbound => {
                let binds = by(&["NTLM", "GSSAPI", "GSS-SPNEGO"]);
                let is_bound = record.binding.is_some() || breaks("protection-allow");
                record.granted && binds && !is_bound
            }
            Self::NtlmOff => breaks("ntlm-off"),
        }
    }
}

/// Who did so: account, address, mechanism, and what the client calls its machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) account: String,
    pub(super) address: String,
    pub(super) mechanism: String,
    pub(super) machine: Option<String>,
}

/// How often, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) count: u64,
    /// How many of these were refused.
    pub(super) refused: u64,
    pub(super) first: String,
    pub(super) last: String,
}

/// What was counted. Memory grows with the number of different keys, not of records.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) attempts: u64,
    /// Allowed logins by mechanism.
    pub(super) granted: BTreeMap<String, u64>,
    pub(super) uses: BTreeMap<Kind, BTreeMap<Who, Use>>,
}

impl Summary {
    pub(super) fn add(&mut self, record: &Record) {
        self.attempts += 1;
        if record.granted {
            *self.granted.entry(record.mechanism.clone()).or_default() += 1;
        }
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is(record)) {
            let who = Who {
                account: record.account.clone(),
                address: record.address.clone(),
                mechanism: record.mechanism.clone(),
                machine: record.workstation.clone(),
            };
            let uses = self.uses.entry(kind).or_default();
            let entry = uses.entry(who).or_insert_with(|| Use {
                count: 0,
                refused: 0,
                first: record.time.clone(),
                last: record.time.clone(),
            });
            entry.count += 1;
            entry.refused += u64::from(!record.granted);
            if record.time < entry.first {
                entry.first.clone_from(&record.time);
            }
            if record.time > entry.last {
                entry.last.clone_from(&record.time);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kinds of a record that the server writes with these fields.
    fn kinds(fields: &str, outcome: &str) -> Vec<&'static str> {
        let line = format!(
            "2026-11-24T12:00:00Z  INFO login session=4 address=10.0.0.7 {fields} account=\"ann\" \
             outcome=\"{outcome}\" duration_ms=3"
        );
        let mut summary = Summary::default();
        summary.add(&Record::parse(&line).unwrap());
        summary.uses.keys().map(|kind| kind.as_str()).collect()
    }

    #[test]
    fn every_kind_is_told_by_its_record() {
        for (fields, expected) in [
            (
                r#"mechanism="USER" tls=false reason="granted""#,
                &["cleartext"][..],
            ),
            (r#"mechanism="USER" tls=true reason="granted""#, &[]),
            (
                r#"mechanism="SCRAM-SHA-256" tls=false reason="granted""#,
                &["cleartext"],
            ),
            (
                r#"mechanism="SCRAM-SHA-256" tls=true reason="granted""#,
                &[],
            ),
            (
                r#"mechanism="NTLM" tls=false binding="none" ntlm="v2" reason="granted""#,
                &["cleartext", "ntlm", "no-channel-binding"],
            ),
            (
                r#"mechanism="NTLM" tls=true binding="none" ntlm="v2" reason="granted""#,
                &["ntlm", "no-channel-binding"],
            ),
            (
                r#"mechanism="NTLM" tls=true binding="none" ntlm="v2" would_break="ntlm-off,protection-require" reason="granted""#,
                &["ntlm", "no-channel-binding", "ntlm-off"],
            ),
            (
                r#"mechanism="NTLM" tls=true binding="none" ntlm="v2" would_break="protection-allow,protection-require" reason="granted""#,
                &["ntlm", "wrong-channel-binding"],
            ),
            (
                r#"mechanism="NTLM" tls=true binding="tls-server-end-point" ntlm="v2" reason="granted""#,
                &["ntlm"],
            ),
            (
                r#"mechanism="NTLM" tls=false binding="none" ntlm="v1" reason="granted""#,
                &["cleartext", "ntlmv1", "ntlm", "no-channel-binding"],
            ),
            (
                r#"mechanism="GSSAPI" tls=true binding="none" reason="granted""#,
                &["no-channel-binding"],
            ),
        ] {
            assert_eq!(kinds(fields, "granted"), expected, "{fields}");
        }
        for (reason, form, expected) in [
            ("ntlmv1", "v1", &["ntlmv1"][..]),
            ("lm-only", "lm", &["ntlmv1"]),
            ("wrong-password", "v2", &[]),
        ] {
            let fields = format!(
                "mechanism=\"NTLM\" tls=false binding=\"none\" ntlm=\"{form}\" reason=\"{reason}\""
            );
            assert_eq!(kinds(&fields, "refused"), expected, "{reason}");
        }
    }

    #[test]
    fn machines_behind_one_address_are_told_apart_and_times_are_kept() {
        let mut summary = Summary::default();
        for (time, machine, outcome) in [
            ("2026-11-24T12:00:02Z", "SCAN1", "granted"),
            ("2026-11-24T12:00:01Z", "SCAN1", "refused"),
            ("2026-11-24T12:00:03Z", "SCAN2", "refused"),
        ] {
            let line = format!(
                "{time}  INFO login session=4 address=10.0.0.7 mechanism=\"NTLM\" tls=true \
                 ntlm=\"v1\" workstation=\"{machine}\" account=\"ann\" outcome=\"{outcome}\" \
                 reason=\"ntlmv1\""
            );
            summary.add(&Record::parse(&line).unwrap());
        }
        let found: Vec<_> = summary.uses[&Kind::NtlmV1]
            .iter()
            .map(|(who, times)| {
                let machine = who.machine.as_deref().unwrap();
                (
                    machine,
                    times.count,
                    times.refused,
                    &*times.first,
                    &*times.last,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (
                    "SCAN1",
                    2,
                    1,
                    "2026-11-24T12:00:01Z",
                    "2026-11-24T12:00:02Z"
                ),
                (
                    "SCAN2",
                    1,
                    1,
                    "2026-11-24T12:00:03Z",
                    "2026-11-24T12:00:03Z"
                ),
            ]
        );
    }
}
