//! Settings of NTLM, and of the domain controller that may verify it.

use super::{Kind, Section, Setting, Standing, list, text};

const DAY: u64 = 86_400_000;

pub(super) const NTLM: Section = Section {
    name: "ntlm",
    repeated: false,
    doc: "NTLM as clients of Exchange speak it ([MS-OXPOP3], [MS-NLMP]), and the way out of it. It is offered where \
          `login.mechanisms` names it.",
    settings: &[
        Setting {
            key: "ntlm.mode",
            kind: Kind::Choice(&["on", "audit", "off"]),
            default: Standing::Value(|_| text("on")),
            example: "\"audit\"",
            doc: "`audit`: everybody may use NTLM, and the log says `would_break=\"ntlm-off\"` for whoever could not if \
                  it were `off`. `off`: only those of `ntlm.except` may; to others it is neither offered nor \
                  understood.",
            exchange: Some("Set-PopSettings -EnableGSSAPIAndNTLMAuth"),
            dovecot: Some("auth_mechanisms"),
        },
        Setting {
            key: "ntlm.except",
            kind: Kind::List,
            default: Standing::Value(|_| list(&[])),
            example: "[\"10.20.0.0/16\", \"scanner@example.test\"]",
            doc: "Who may use NTLM although `ntlm.mode` is `off`: networks or addresses of clients, and accounts by \
                  their canonical names. With an account in the list NTLM is offered to everybody, as its name comes \
                  later.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.accept_ntlmv1",
            kind: Kind::List,
            default: Standing::Value(|_| list(&[])),
            example: "[\"10.20.30.40\"]",
            doc: "Networks or addresses whose clients may answer with NTLMv1, which is broken: whoever hears one answer \
                  can find the NT hash. Elsewhere it is refused before anybody verifies it, and the log names the \
                  client. A domain controller must accept it too (`ntlm auth = mschapv2-and-ntlmv2-only` of Samba \
                  does not). It carries neither an integrity code nor a channel binding, so `ntlm.require_mic` and \
                  `extended_protection = \"require\"` refuse it all the same.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.domain",
            kind: Kind::Text,
            default: Standing::Absent("the server speaks for itself, without a domain"),
            example: "\"EXAMPLE\"",
            doc: "The NetBIOS name of the domain. This and the next three names are shown to anybody who asks, before a \
                  login (nmap's pop3-ntlm-info does). Some clients take the domain for their user's when none was \
                  typed, and so does Postern when a domain controller verifies. With `verify = \"local\"` none of \
                  the four need be true. With winbind the two NetBIOS names must be those under which this host has \
                  joined (`workgroup` and `netbios name` of smb.conf), as a domain controller refuses every proof \
                  that was made for another computer; `postern check` compares them.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.computer",
            kind: Kind::Text,
            default: Standing::Absent(
                "the first part of `hostname`, upper case, at most 15 characters",
            ),
            example: "\"POP\"",
            doc: "The NetBIOS name of the server; with winbind, of the membership.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.dns_domain",
            kind: Kind::Text,
            default: Standing::Absent("it is not told"),
            example: "\"example.test\"",
            doc: "The DNS name of the domain.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.dns_computer",
            kind: Kind::Text,
            default: Standing::Absent("`hostname`"),
            example: "\"pop.example.test\"",
            doc: "The DNS name of the server.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.require_mic",
            kind: Kind::Switch,
            default: Standing::Value(|_| "false".to_owned()),
            example: "true",
            doc: "Refuse clients that do not protect the messages with an integrity code. One that is there is always \
                  verified. Windows sends it; curl, gss-ntlmssp and most scanners do not.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.max_skew",
            kind: Kind::Span(0, 30 * DAY),
            default: Standing::Value(|_| text("36h")),
            example: "\"1h\"",
            doc: "How far the clock of a client may be off; 0 means that it is not looked at.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.targets",
            kind: Kind::List,
            default: Standing::Value(|_| list(&[])),
            example: "[\"pop/pop.example.test\"]",
            doc: "Service names (SPN) that a client may have meant to talk to. A client that says another one is \
                  refused; one that says none is not. The empty list takes every name.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.verify",
            kind: Kind::Choice(&["local", "winbind", "both"]),
            default: Standing::Value(|_| text("local")),
            example: "\"winbind\"",
            doc: "Who verifies. `local`: the accounts of the users file that have an NT hash (`postern user passwd \
                  --ntlm`). `winbind`: a domain controller of Active Directory. `both`: the users file for the \
                  domains of `ntlm.local_domains`, a domain controller for all others. The account comes from \
                  the users file, where `CORP\\alice` needs one with that name or alias, or from `[ldap]`, by its \
                  own name.",
            exchange: None,
            dovecot: Some("auth_use_winbind"),
        },
        Setting {
            key: "ntlm.local_domains",
            kind: Kind::List,
            default: Standing::Absent("names without a domain, and `ntlm.computer`"),
            example: "[\"\", \"POP\"]",
            doc: "Domains whose users are local accounts; without regard to case. `\"\"` stands for names without a \
                  domain. In them `DOMAIN\\alice` also reaches the account `alice`; elsewhere only one with that \
                  alias.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "ntlm.delegate",
            kind: Kind::Switch,
            default: Standing::Value(|_| "false".to_owned()),
            example: "true",
            doc: "Let a local user open the mailbox of somebody else, as its delegate, by the name `alice/sales`. NTLM \
                  has no place for that: the slash is in the user's name, and a domain controller does not know such \
                  a user, so it works for local accounts alone.",
            exchange: None,
            dovecot: Some("auth_master_user_separator"),
        },
    ],
};

pub(super) const WINBIND: Section = Section {
    name: "winbind",
    repeated: false,
    doc: "How a domain controller is asked: by Samba's `ntlm_auth`, which needs a running winbindd that has joined the \
          domain, and leave to use its privileged pipe (make the service user a member of group winbindd_priv).",
    settings: &[
        Setting {
            key: "winbind.helper",
            kind: Kind::Command,
            default: Standing::Value(|_| text("/usr/bin/ntlm_auth")),
            example: "\"/usr/bin/ntlm_auth\"",
            doc: "The program. A path is run with the arguments that it needs; a list is run as it is, the program \
                  first: [\"/usr/bin/ntlm_auth\", \"--helper-protocol=ntlm-server-1\", \"--allow-mschapv2\"].",
            exchange: None,
            dovecot: Some("auth_winbind_helper_path"),
        },
        Setting {
            key: "winbind.helpers",
            kind: Kind::Number(1, 64),
            default: Standing::Value(|_| "4".to_owned()),
            example: "4",
            doc: "How many of them run at most; each is asked one thing at a time. They start when they are needed.",
            exchange: None,
            dovecot: None,
        },
        Setting {
            key: "winbind.deadline",
            kind: Kind::Span(1000, 60_000),
            default: Standing::Value(|_| text("10s")),
            example: "\"10s\"",
            doc: "How long an answer is waited for. Then the client is told that the server has trouble, the program is \
                  ended, and another one asked next time.",
            exchange: None,
            dovecot: None,
        },
    ],
};
