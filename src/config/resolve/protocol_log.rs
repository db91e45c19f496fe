//! The protocol log.

use super::{Resolver, or, word, words};
use crate::config::option::PROTOCOL_LOG_FOLDER;
use crate::config::quantity::{Quota, UNLIMITED};
use crate::config::{Period, ProtocolLog, Rolling, file};

impl Resolver<'_> {
    pub(super) fn protocol_log(&mut self, written: &file::ProtocolLog) -> Option<ProtocolLog> {
        let folder = match &written.folder {
            None => PROTOCOL_LOG_FOLDER.into(),
            there => {
                let remedy = "name a folder, such as \"/var/log/postern\"";
                self.path("protocol_log.folder", there, remedy)?
            }
        };
        let rolling = match or(&written.max_file_size, Quota(0)).0 {
            0 => Rolling::Every(word(&written.roll_over, words::period, Period::Daily)),
            UNLIMITED => Rolling::Never,
            octets => Rolling::AtSize(octets),
        };
        or(&written.enabled, false).then_some(ProtocolLog { folder, rolling })
    }
}
