//! Settings of the server as a whole: names, limits, timeouts, extensions, log.

use crate::config::Limits;

use super::{Kind, Section, Setting, Standing, octets, span, text};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

pub(super) const TOP: Section = Section {
    name: "",
    repeated: false,
    doc: "These come first in the file, before any section.",
    settings: &[
        Setting {
            key: "profile",
            kind: Kind::Choice(&[
                "postern",
                "exchange-2007",
                "exchange-2010",
                "exchange-2013",
                "exchange-2016",
            ]),
            default: Standing::Value(|_| text("postern")),
            example: "\"postern\"",
            doc: "Whose behaviour clients see. `postern` follows version 6.0 of [MS-STANXPOP3] and adds exact \
                  sizes, response codes and pipelining; the others take the settings, capabilities and texts of \
                  that version of Exchange. Every value that a profile sets can be set by itself.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "hostname",
            kind: Kind::Text,
            default: Standing::Absent(
                "the name that the system has for itself; DNS is never asked",
            ),
            example: "\"pop.example.test\"",
            doc: "This server's name. `postern check` compares it with the certificate's names.",
            exchange: Some("Set-PopSettings -X509CertificateName"),
            dovecot: Some("hostname"),
        },
        Setting {
            key: "banner",
            kind: Kind::Text,
            default: Standing::Value(|defaults| text(defaults.banner)),
            example: "\"Mail for example.test is ready.\"",
            doc: "The text of the greeting. Printable ASCII; no `<` or `>` (clients would take it for APOP), no `[` \
                  at its beginning (a response code), 506 octets at most.",
            exchange: Some("Set-PopSettings -Banner"),
            dovecot: Some("login_greeting"),
        },
        Setting {
            key: "site",
            kind: Kind::Text,
            default: Standing::Absent("the site rule is off"),
            example: "\"london\"",
            doc: "The site in which this server stands. Accounts of another site meet `login.cross_site`.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "user",
            kind: Kind::Text,
            default: Standing::Absent("the user who starts the server"),
            example: "\"postern\"",
            doc: "The user to become after binding when the server is started as root. It must own the Maildirs.",
            exchange: None,
            dovecot: Some("mail_uid"),
        },
        Setting {
            key: "group",
            kind: Kind::Text,
            default: Standing::Absent("the group of `user`"),
            example: "\"mail\"",
            doc: "The group to become together with `user`.",
            exchange: None,
            dovecot: Some("mail_gid"),
        },
    ],
};

pub(super) const LIMITS: Section = Section {
    name: "limits",
    repeated: false,
    doc: "How much one client, and all of them together, may take.",
    settings: &[
        Setting {
            key: "limits.max_command",
            kind: Kind::Octets(40, 1024),
            default: Standing::Value(|defaults| octets(defaults.max_command)),
            example: "512",
            doc: "The longest command line, with its CRLF. RFC 2449 §4 wants 255 at least; Exchange 2007 has 47. A \
                  longer command is answered with an error and the connection is closed.",
            exchange: Some("Set-PopSettings -MaxCommandSize"),
            dovecot: None,
        },
        Setting {
            key: "limits.max_sasl_line",
            kind: Kind::Octets(12 << 10, 1 << 20),
            default: Standing::Value(|defaults| octets(defaults.max_sasl_line)),
            example: "\"96KiB\"",
            doc: "The longest line of a client within an AUTH exchange, with its CRLF (RFC 5034 §4).",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "limits.max_connections",
            kind: Kind::Number(1, Limits::UNLIMITED),
            default: Standing::Value(|defaults| defaults.max_connections.to_string()),
            example: "10000",
            doc: "Connections at the same time. Who comes later is told so and closed; sessions that run are not \
                  touched. A session takes up to three file descriptors: the server lets in no more than its limit \
                  of them (`LimitNOFILE=` of the unit) has room for, whatever stands here.",
            exchange: Some("Set-PopSettings -MaxConnections"),
            dovecot: Some("service/pop3-login/client_limit"),
        },
        Setting {
            key: "limits.max_connections_per_source",
            kind: Kind::Number(1, Limits::UNLIMITED),
            default: Standing::Value(|defaults| defaults.max_connections_per_source.to_string()),
            example: "100",
            doc: "Connections from one address at the same time; of IPv6, from one /64. `::ffff:192.0.2.1` and \
                  `192.0.2.1` are one address.",
            exchange: Some("Set-PopSettings -MaxConnectionFromSingleIP"),
            dovecot: None,
        },
        Setting {
            key: "limits.max_connections_per_user",
            kind: Kind::Number(1, Limits::UNLIMITED),
            default: Standing::Value(|defaults| defaults.max_connections_per_user.to_string()),
            example: "16",
            doc: "Sessions of one account at the same time, counted after login, whatever the mechanism.",
            exchange: Some("Set-PopSettings -MaxConnectionsPerUser"),
            dovecot: Some("mail_max_userip_connections"),
        },
    ],
};

pub(super) const TIMEOUTS: Section = Section {
    name: "timeouts",
    repeated: false,
    doc: "How long things may take.",
    settings: &[
        Setting {
            key: "timeouts.authenticated",
            kind: Kind::Span(30_000, 24 * HOUR),
            default: Standing::Value(|defaults| span(defaults.authenticated)),
            example: "\"30m\"",
            doc: "After login: how long a silent client is kept. It is told, then closed; messages marked with DELE \
                  stay (RFC 1939 §3, V0002 and V0003).",
            exchange: Some("Set-PopSettings -AuthenticatedConnectionTimeout"),
            dovecot: None,
        },
        Setting {
            key: "timeouts.pre_authenticated",
            kind: Kind::Span(10_000, HOUR),
            default: Standing::Value(|defaults| span(defaults.pre_authenticated)),
            example: "\"1m\"",
            doc: "Before login: how long a silent client is kept.",
            exchange: Some("Set-PopSettings -PreAuthenticatedConnectionTimeout"),
            dovecot: None,
        },
        Setting {
            key: "timeouts.drain",
            kind: Kind::Span(0, HOUR),
            default: Standing::Value(|defaults| span(defaults.drain)),
            example: "\"30s\"",
            doc: "After SIGTERM: how long sessions may go on before they are closed.",
            exchange: None,
            dovecot: None,
        },
    ],
};

pub(super) const PROTOCOL: Section = Section {
    name: "protocol",
    repeated: false,
    doc: "Which extensions are announced by CAPA and used.",
    settings: &[
        Setting {
            key: "protocol.pipelining",
            kind: Kind::Switch,
            default: Standing::Value(|defaults| defaults.pipelining.to_string()),
            example: "true",
            doc: "Announce PIPELINING (RFC 2449 §6.6). Commands that come together are understood either way.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "protocol.response_codes",
            kind: Kind::Switch,
            default: Standing::Value(|defaults| defaults.response_codes.to_string()),
            example: "true",
            doc: "Announce and use RESP-CODES and AUTH-RESP-CODE (RFC 2449 §6.4, RFC 3206), such as `[AUTH]`.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "protocol.utf8",
            kind: Kind::Choice(&["off", "on", "strict"]),
            default: Standing::Value(|defaults| text(defaults.utf8.as_str())),
            example: "\"on\"",
            doc: "Announce and understand UTF8 (RFC 6856 §2). `on`: a client that does not ask for it gets messages \
                  as they are stored all the same. `strict`: it gets `-ERR [UTF8]` for a message whose header is not \
                  ASCII, as the RFC asks; such mail is common, and then stays on the server.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "protocol.lang",
            kind: Kind::Switch,
            default: Standing::Value(|defaults| defaults.lang.to_string()),
            example: "true",
            doc: "Announce and understand LANG (RFC 6856 §3).",
            exchange: None,
            dovecot: None,
        },
    ],
};

pub(super) const LOG: Section = Section {
    name: "log",
    repeated: false,
    doc: "The log goes to standard error; under systemd that is the journal.",
    settings: &[
        Setting {
            key: "log.format",
            kind: Kind::Choice(&["human", "json"]),
            default: Standing::Value(|defaults| text(defaults.log_format.as_str())),
            example: "\"human\"",
            doc: "`human` is for people; `json` writes one object a line, for programs.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "log.level",
            kind: Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
            default: Standing::Value(|defaults| text(defaults.log_level.as_str())),
            example: "\"info\"",
            doc: "The least important records that are written. Login records are `info`. Passwords and the \
                  arguments of PASS and AUTH are not written at any level.",
            exchange: None,
            dovecot: Some("auth_verbose, mail_debug"),
        },
    ],
};
