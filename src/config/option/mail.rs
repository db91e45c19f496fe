//! Settings of accounts and mail.

use super::{Kind, Section, Setting, Standing, text};

pub(super) const USERS: Section = Section {
    name: "users",
    repeated: false,
    doc: "The local accounts; `postern user` keeps the file.",
    settings: &[
        Setting {
            key: "users.file",
            kind: Kind::Path,
            default: Standing::Required,
            example: "\"/etc/postern/users.toml\"",
            doc: "The file of the local accounts. Nobody but root and the service user may read it. Changes are \
                  seen without a reload.",
            exchange: None,
            dovecot: Some("passdb passwd-file"),
        },
        Setting {
            key: "users.key_file",
            kind: Kind::Path,
            default: Standing::Absent("NT hashes are stored in the clear"),
            example: "\"/etc/postern/users.key\"",
            doc: "The key under which the NT hashes of local accounts are sealed; `postern user key new` makes it. \
                  Nobody but root and the service user may read it, and copies of the users file should not go \
                  where it goes. A systemd credential of the name `postern-users.key` comes before it.",
            exchange: None,
            dovecot: None,
        },
    ],
};

pub(super) const MAILDROP: Section = Section {
    name: "maildrop",
    repeated: false,
    doc: "Where mail is.",
    settings: &[Setting {
        key: "maildrop.path",
        kind: Kind::Path,
        default: Standing::Required,
        example: "\"/var/mail/{domain}/{user}/Maildir\"",
        doc: "The Maildir of an account. `{name}` is the canonical name, `{user}` the part of it before `@`, \
              `{domain}` the part after it. One of `{name}` and `{user}` must be in it, else all accounts would \
              share one Maildir. An account may name its own Maildir in the users file.",
        exchange: None,
        dovecot: Some("mail_path"),
    }],
};

pub(super) const MESSAGES: Section = Section {
    name: "messages",
    repeated: false,
    doc: "How messages are numbered and counted.",
    settings: &[
        Setting {
            key: "messages.order",
            kind: Kind::Choice(&["ascending", "descending"]),
            default: Standing::Value(|defaults| text(defaults.order.as_str())),
            example: "\"ascending\"",
            doc: "`ascending`: message 1 is the oldest. `descending`: message 1 is the newest.",
            exchange: Some("Set-PopSettings -MessageRetrievalSortOrder"),
            dovecot: None,
        },
        Setting {
            key: "messages.exact_size",
            kind: Kind::Switch,
            default: Standing::Value(|defaults| defaults.exact_size.to_string()),
            example: "true",
            doc: "Whether STAT and LIST count every octet that RETR will send. Without it they say the size on \
                  disk, which is quicker to find for mail whose size is not in its file name.",
            exchange: Some(
                "Set-PopSettings -EnableExactRFC822Size, Set-CASMailbox -PopEnableExactRFC822Size",
            ),
            dovecot: Some("pop3_fast_size_lookups (the opposite)"),
        },
    ],
};
