//! Settings of the protocol log.

use super::{Kind, Section, Setting, Standing, text};
use crate::config::Period;

pub(super) const PROTOCOL_LOG: Section = Section {
    name: "protocol_log",
    repeated: false,
    doc: "A file with a record for each command, in the form of Exchange's protocol log. These settings are used \
          when the server starts.",
    settings: &[
        Setting {
            key: "protocol_log.enabled",
            kind: Kind::Switch,
            default: Standing::Value(|_| false.to_string()),
            example: "false",
            doc: "Whether it is written. The arguments of PASS and AUTH are `*****`; names of users are shown.",
            exchange: Some("Set-PopSettings -ProtocolLogEnabled"),
            dovecot: Some("rawlog_dir (with the octets, and the passwords)"),
        },
        Setting {
            key: "protocol_log.folder",
            kind: Kind::Path,
            default: Standing::Value(|_| text(FOLDER)),
            example: "\"/var/log/postern\"",
            doc: "The folder of the files. It must be there, and the service user must be able to write in it. \
                  Nothing is deleted in it.",
            exchange: Some("Set-PopSettings -LogFileLocation"),
            dovecot: None,
        },
        Setting {
            key: "protocol_log.roll_over",
            kind: Kind::Choice(&["hourly", "daily", "weekly", "monthly"]),
            default: Standing::Value(|_| text(Period::Daily.as_str())),
            example: "\"daily\"",
            doc: "When the next file begins, in UTC; used only when `protocol_log.max_file_size` is 0.",
            exchange: Some("Set-PopSettings -LogFileRollOverSettings"),
            dovecot: None,
        },
        Setting {
            key: "protocol_log.max_file_size",
            kind: Kind::Quota(4096, 64 << 30),
            default: Standing::Value(|_| 0.to_string()),
            example: "0",
            doc: "The next file begins before a file becomes larger than this. 0: time decides instead. \
                  `\"unlimited\"`: one file for ever.",
            exchange: Some("Set-PopSettings -LogPerFileSizeQuota"),
            dovecot: None,
        },
    ],
};

/// Where the files are when nothing is said.
pub(in crate::config) const FOLDER: &str = "/var/log/postern";
