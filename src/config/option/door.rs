//! Settings of the door: listeners and certificates.

use super::{Kind, Section, Setting, Standing, list, text};

pub(super) const LISTENER: Section = Section {
    name: "listener",
    repeated: true,
    doc: "One for each address on which connections are accepted; at least one. The last five keys override \
          `[login]` and `[ntlm]` for this listener only.",
    settings: &[
        Setting {
            key: "listener.address",
            kind: Kind::Text,
            default: Standing::Required,
            example: "\"[::]:110\"",
            doc: "Address and port. `[::]` takes IPv4 as well; port 0 lets the system choose one.",
            exchange: Some("Set-PopSettings -UnencryptedOrTLSBindings, -SSLBindings"),
            dovecot: Some("service/pop3-login/inet_listener"),
        },
        Setting {
            key: "listener.tls",
            kind: Kind::Choice(&["none", "starttls", "implicit"]),
            default: Standing::Value(|_| text("starttls")),
            example: "\"starttls\"",
            doc: "`implicit`: TLS from the first octet (port 995, RFC 8314). `starttls`: TLS when the client sends \
                  STLS (port 110, RFC 2595). `none`: no TLS; for loopback and for tests.",
            exchange: Some(
                "Set-PopSettings -SSLBindings (implicit), -UnencryptedOrTLSBindings (starttls)",
            ),
            dovecot: Some("ssl, service/pop3-login/inet_listener/ssl"),
        },
        Setting {
            key: "listener.login_type",
            kind: Kind::Choice(&["plain-text", "plain-text-authentication", "secure"]),
            default: Standing::Absent("`login.type`"),
            example: "\"plain-text\"",
            doc: "As `login.type`, for this listener.",
            exchange: Some("Set-PopSettings -LoginType"),
            dovecot: None,
        },
        Setting {
            key: "listener.mechanisms",
            kind: Kind::List,
            default: Standing::Absent("`login.mechanisms`"),
            example: "[\"PLAIN\"]",
            doc: "As `login.mechanisms`, for this listener.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "listener.user_pass",
            kind: Kind::Switch,
            default: Standing::Absent("`login.user_pass`"),
            example: "true",
            doc: "As `login.user_pass`, for this listener.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "listener.extended_protection",
            kind: Kind::Choice(&["none", "audit", "allow", "require"]),
            default: Standing::Absent("`login.extended_protection`"),
            example: "\"require\"",
            doc: "As `login.extended_protection`, for this listener.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "listener.accept_ntlmv1",
            kind: Kind::List,
            default: Standing::Absent("`ntlm.accept_ntlmv1`"),
            example: "[\"10.20.30.40\"]",
            doc: "As `ntlm.accept_ntlmv1`, for this listener.",
            exchange: None,
            dovecot: None,
        },
    ],
};

pub(super) const TLS: Section = Section {
    name: "tls",
    repeated: false,
    doc: "Needed when a listener uses TLS. SIGHUP reads the files again; sessions that run keep theirs.",
    settings: &[
        Setting {
            key: "tls.certificate",
            kind: Kind::Path,
            default: Standing::Required,
            example: "\"/etc/postern/tls/chain.pem\"",
            doc: "The certificate in PEM: the server's own first, then the intermediates.",
            exchange: Some("Set-PopSettings -X509CertificateName"),
            dovecot: Some("ssl_server_cert_file"),
        },
        Setting {
            key: "tls.private_key",
            kind: Kind::Path,
            default: Standing::Required,
            example: "\"/etc/postern/tls/key.pem\"",
            doc: "Its private key in PEM (PKCS #8, SEC 1 or PKCS #1, without a passphrase). Nobody but root and the \
                  service user may read it.",
            exchange: None,
            dovecot: Some("ssl_server_key_file"),
        },
        Setting {
            key: "tls.minimum",
            kind: Kind::Choice(&["1.2", "1.3"]),
            default: Standing::Value(|defaults| text(defaults.tls_minimum.as_str())),
            example: "\"1.2\"",
            doc: "The oldest version of TLS that is accepted. TLS 1.0 and 1.1 are not available (RFC 8996).",
            exchange: None,
            dovecot: Some("ssl_min_protocol"),
        },
        Setting {
            key: "tls.extra_certificates",
            kind: Kind::List,
            default: Standing::Value(|_| list(&[])),
            example: "[\"/etc/postern/tls/balancer.pem\"]",
            doc: "Certificates that a load balancer shows to clients in the place of this server, in PEM: the first of \
                  each file counts. Clients of NTLM and GSSAPI that are bound to one of them are bound to this server \
                  (`login.extended_protection`).",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "tls.client_authorities",
            kind: Kind::Path,
            default: Standing::Absent("no client is asked for a certificate"),
            example: "\"/etc/postern/tls/client-ca.pem\"",
            doc: "The certificates of the authorities that issue certificates to clients, in PEM. With it every \
                  client under TLS is asked for a certificate; one that another authority issued ends the \
                  connection. An intermediate that issues them by itself may stand here without its root.",
            exchange: None,
            dovecot: Some("ssl_server_ca_file (2.3: ssl_ca)"),
        },
        Setting {
            key: "tls.client_revocation",
            kind: Kind::List,
            default: Standing::Absent("nobody's certificate is revoked"),
            example: "[\"/etc/postern/tls/client-ca.crl\"]",
            doc: "Files with revocation lists (CRLs), in PEM or DER. When there are any, there must be a valid one of \
                  each issuer: certificates whose issuer has no list here, or one that is past its next update, are \
                  refused, and the log says so. Read again on SIGHUP, not by themselves.",
            exchange: None,
            dovecot: Some("ssl_server_ca_file, ssl_server_require_crl"),
        },
        Setting {
            key: "tls.client_certificates",
            kind: Kind::Choice(&["optional", "required"]),
            default: Standing::Absent("`optional`, with `tls.client_authorities`"),
            example: "\"optional\"",
            doc: "`optional`: clients without a certificate go on as ever. `required`: they cannot connect under TLS.",
            exchange: None,
            dovecot: Some("ssl_server_request_client_cert, auth_ssl_require_client_cert"),
        },
    ],
};

pub(super) const SNI: Section = Section {
    name: "tls.sni",
    repeated: true,
    doc: "A further certificate, for clients that ask for this name (RFC 6066 §3).",
    settings: &[
        Setting {
            key: "tls.sni.name",
            kind: Kind::Text,
            default: Standing::Required,
            example: "\"mail.example.test\"",
            doc: "The name that the client asks for, without wildcards.",
            exchange: None,
            dovecot: Some("local_name"),
        },
        Setting {
            key: "tls.sni.certificate",
            kind: Kind::Path,
            default: Standing::Required,
            example: "\"/etc/postern/tls/mail-chain.pem\"",
            doc: "As `tls.certificate`.",
            exchange: None,
            dovecot: Some("ssl_server_cert_file"),
        },
        Setting {
            key: "tls.sni.private_key",
            kind: Kind::Path,
            default: Standing::Required,
            example: "\"/etc/postern/tls/mail-key.pem\"",
            doc: "As `tls.private_key`.",
            exchange: None,
            dovecot: Some("ssl_server_key_file"),
        },
    ],
};
