//! Settings of logging in.

use super::{Kind, Section, Setting, Standing, list, span, text};
use crate::config::meant::RECHECK;
use crate::config::resolve::{cross_site_text, login_type_text};

const DAY: u64 = 86_400_000;

pub(super) const LOGIN: Section = Section {
    name: "login",
    repeated: false,
    doc: "Who may log in, how, and what happens to those who may not.",
    settings: &[
        Setting {
            key: "login.type",
            kind: Kind::Choice(&["plain-text", "plain-text-authentication", "secure"]),
            default: Standing::Value(|defaults| text(login_type_text(defaults.login_type))),
            example: "\"secure\"",
            doc: "`secure`: nothing before TLS. `plain-text-authentication`: passwords (USER and PASS, PLAIN) only \
                  under TLS, other mechanisms also without. `plain-text`: passwords may travel in the clear.",
            exchange: Some(
                "Set-PopSettings -LoginType (1 PlainTextLogin, 2 PlainTextAuthentication, 3 SecureLogin)",
            ),
            dovecot: Some("auth_allow_cleartext, ssl"),
        },
        Setting {
            key: "login.mechanisms",
            kind: Kind::List,
            default: Standing::Value(|defaults| list(defaults.mechanisms)),
            example: "[\"PLAIN\"]",
            doc: "SASL mechanisms for AUTH, in the order in which they are offered: EXTERNAL, GSS-SPNEGO, GSSAPI, \
                  LOGIN, NTLM, PLAIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS. GSSAPI and GSS-SPNEGO need `[gssapi]`. \
                  PLAIN and LOGIN hand the password over. The -PLUS name is offered under TLS only, and EXTERNAL \
                  only to clients that showed a certificate. Switch SCRAM and NTLM on when every account that uses \
                  them has keys or an NT hash, and GSSAPI when clients have tickets, as clients that see them give \
                  up PLAIN. The empty list switches AUTH off.",
            exchange: Some("Set-PopSettings -EnableGSSAPIAndNTLMAuth"),
            dovecot: Some("auth_mechanisms"),
        },
        Setting {
            key: "login.user_pass",
            kind: Kind::Switch,
            default: Standing::Value(|defaults| defaults.user_pass.to_string()),
            example: "true",
            doc: "Whether USER and PASS may be used where `login.type` permits a password.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "login.extended_protection",
            kind: Kind::Choice(&["none", "audit", "allow", "require"]),
            default: Standing::Value(|defaults| text(defaults.extended_protection.as_str())),
            example: "\"require\"",
            doc: "Whether NTLM and GSSAPI clients must be bound to the certificate of this server (RFC 5929), so that \
                  nobody can hand their login on from elsewhere. `none`: it is not looked at. `audit`: as `none`, and \
                  the log says `would_break` for whoever a stricter rule would refuse. `allow`: who binds must be bound \
                  to this server; who cannot bind is let in. `require`: everybody must. Then these mechanisms are not \
                  offered without TLS, nor under a certificate whose signature defines no hash (Ed25519), unless \
                  `tls.extra_certificates` names one.",
            exchange: Some("Set-PopSettings -ExtendedProtectionPolicy"),
            dovecot: None,
        },
        Setting {
            key: "login.cross_site",
            kind: Kind::Choice(&["refuse", "direct"]),
            default: Standing::Value(|defaults| text(cross_site_text(defaults.cross_site))),
            example: "\"refuse\"",
            doc: "What happens to accounts of another site (C0010). `refuse`: the answer of a wrong password, and \
                  the log says `other-site`. `direct`: they are served from here.",
            exchange: Some("AllowCrossSiteSessions in the .exe.config of the service (2007)"),
            dovecot: None,
        },
        Setting {
            key: "login.attempts",
            kind: Kind::Number(1, 100),
            default: Standing::Value(|defaults| defaults.attempts.to_string()),
            example: "3",
            doc: "Refused logins after which the connection is closed.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "login.failures_per_account",
            kind: Kind::Number(0, 1_000_000),
            default: Standing::Value(|defaults| defaults.failures_per_account.to_string()),
            example: "10",
            doc: "Refused logins of one account within `login.window` after which its attempts are refused \
                  unseen; 0 switches the limit off.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "login.failures_per_source",
            kind: Kind::Number(0, 1_000_000),
            default: Standing::Value(|defaults| defaults.failures_per_source.to_string()),
            example: "50",
            doc: "The same for one source: an IPv4 address, or an IPv6 network of 64 bits.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "login.window",
            kind: Kind::Span(1000, DAY),
            default: Standing::Value(|defaults| span(defaults.window)),
            example: "\"10m\"",
            doc: "How long a refused login counts.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "login.refusal_delay",
            kind: Kind::Span(0, 30_000),
            default: Standing::Value(|defaults| span(defaults.refusal_delay)),
            example: "\"1s\"",
            doc: "Every refused login is answered this long after it was begun, whatever the reason, so that time \
                  tells nothing. It must be longer than verifying a password takes.",
            exchange: None,
            dovecot: Some("auth_failure_delay"),
        },
        Setting {
            key: "login.recheck",
            kind: Kind::Span(0, DAY),
            default: Standing::Value(|_| span(RECHECK)),
            example: "\"5m\"",
            doc: "How often the accounts of open sessions are looked at again, many in one question. A session ends when \
                  its account could not log in any more: disabled, locked, expired, removed, out of the group, POP3 off. \
                  Nothing is deleted then. While the directory is in trouble nobody's session ends. 0 switches it off: \
                  a session then lasts as long as its client wants.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "login.blocked_accounts",
            kind: Kind::List,
            default: Standing::Value(|defaults| list(defaults.blocked_accounts)),
            example: "[\"administrator\", \"guest\"]",
            doc: "Accounts that may never log in, by their canonical names.",
            exchange: Some("Administrator and Guest cannot use POP3 since 2013"),
            dovecot: None,
        },
        Setting {
            key: "login.certificate_names",
            kind: Kind::List,
            default: Standing::Value(|_| list(&["fingerprint", "upn", "email"])),
            example: "[\"fingerprint\", \"upn\", \"email\"]",
            doc: "How EXTERNAL finds the account of a client certificate; the first way that reaches one decides. \
                  `fingerprint`: the account's `certificates` in the users file. `upn`: the user principal name \
                  in the certificate is a name of the account. `email`: a mail address in it is.",
            exchange: None,
            dovecot: Some("auth_ssl_username_from_cert"),
        },
    ],
};
