//! Settings of Kerberos.

use super::{Kind, Section, Setting, Standing, list, text};

/// What services are called when nothing is said.
pub(in crate::config) const SERVICES: &[&str] = &["pop", "pop3"];

pub(super) const GSSAPI: Section = Section {
    name: "gssapi",
    repeated: false,
    doc: "Kerberos: who may log in with a ticket. GSSAPI and GSS-SPNEGO are offered while the keytab has a key that can \
          be used, and must stand in `login.mechanisms`.",
    settings: &[
        Setting {
            key: "gssapi.keytab",
            kind: Kind::Path,
            default: Standing::Absent("no Kerberos"),
            example: "\"/etc/postern/pop.keytab\"",
            doc: "The keytab with the keys of the service. The service user must be able to read it, and nobody else \
                  should. A new one is seen without a reload; KRB5_KTNAME is not looked at.",
            exchange: None,
            dovecot: Some("auth_krb5_keytab"),
        },
        Setting {
            key: "gssapi.services",
            kind: Kind::List,
            default: Standing::Value(|_| list(SERVICES)),
            example: "[\"pop\"]",
            doc: "The services whose tickets count: `pop` for every host that the keytab has a key of, or \
                  `pop/mail.example.test` for that host alone. Case does not matter. Tickets for other services of the \
                  same keytab are refused.",
            exchange: None,
            dovecot: Some("auth_gssapi_hostname"),
        },
        Setting {
            key: "gssapi.replay_cache",
            kind: Kind::Path,
            default: Standing::Absent(
                "Kerberos' own: `krb5_UID.rcache2` in the folder of KRB5RCACHEDIR, or in /var/tmp",
            ),
            example: "\"/var/lib/postern/replay-cache\"",
            doc: "The file in which it is noted which tickets were used when, so that a recorded login cannot be \
                  repeated. Servers on one machine should share it; its folder must be there and writable.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "gssapi.weak_keys",
            kind: Kind::Switch,
            default: Standing::Value(|_| "false".to_owned()),
            example: "true",
            doc: "Whether tickets under keys of RC4 and older are good enough. Anybody with a ticket of that kind can \
                  guess at the service's password without being seen.",
            exchange: None,
            dovecot: None,
        },
    ],
};

pub(super) const REALM: Section = Section {
    name: "gssapi.realm",
    repeated: true,
    doc: "A realm whose users may log in, and how their logins are made. Without any, users of the realm of the \
          service's own keys may, as `user@realm`. Principals with an instance (`alice/admin`), machines (`host$`) and \
          names with `@`, `/` or a backslash in them need a `[[gssapi.principal]]`.",
    settings: &[
        Setting {
            key: "gssapi.realm.name",
            kind: Kind::Text,
            default: Standing::Required,
            example: "\"EXAMPLE.TEST\"",
            doc: "The realm as the KDC writes it: for the domain `example.test` usually `EXAMPLE.TEST`.",
            exchange: None,
            dovecot: Some("auth_realms"),
        },
        Setting {
            key: "gssapi.realm.login",
            kind: Kind::Text,
            default: Standing::Value(|_| text("{user}@{realm}")),
            example: "\"{user}@{realm}\"",
            doc: "The login of a user of this realm, as the accounts know it: `{user}` stands for the user, and must be \
                  there; `{realm}` for the realm.",
            exchange: None,
            dovecot: Some("auth_username_format"),
        },
        Setting {
            key: "gssapi.realm.ignore_case",
            kind: Kind::Switch,
            default: Standing::Value(|_| "false".to_owned()),
            example: "true",
            doc: "Whether `Alice` is `alice`. In Active Directory it is: set it there. Other KDCs may have both, and \
                  then only `alice` is the login of that name.",
            exchange: None,
            dovecot: None,
        },
    ],
};

pub(super) const PRINCIPAL: Section = Section {
    name: "gssapi.principal",
    repeated: true,
    doc: "One principal and the login that it is, whatever the realms say: for machines, instances and users of \
          elsewhere.",
    settings: &[
        Setting {
            key: "gssapi.principal.name",
            kind: Kind::Text,
            default: Standing::Required,
            example: "\"scanner/mfp7.example.test@EXAMPLE.TEST\"",
            doc: "The whole principal, as `klist` shows it.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "gssapi.principal.login",
            kind: Kind::Text,
            default: Standing::Required,
            example: "\"scanner\"",
            doc: "The login, as the accounts know it.",
            exchange: None,
            dovecot: None,
        },
    ],
};
