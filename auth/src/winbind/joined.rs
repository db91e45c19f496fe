//! The names under which this host stands in the domain.
//!
//! A client repeats the names of the CHALLENGE in its proof, and a domain controller refuses a proof
//! that was made for another computer than the one that asks (CVE-2015-0005). So with winbind the two
//! NetBIOS names must be those of the membership, or every login fails like a wrong password.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::WinbindSettings;
use super::helper::Helper;
use crate::ntlm::netbios_names;

/// What chooses the protocol on the command line of the helper.
const PROTOCOL: &str = "--helper-protocol=";
/// In this protocol the helper makes challenges itself, with the names of the membership.
const CHALLENGER: &str = "--helper-protocol=squid-2.5-ntlmssp";
/// NEGOTIATE of a client that can do what every client can: Unicode, NTLM, extended session security.
const NEGOTIATE: &[u8] =
    b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\x61\x4a\0\0\0\x0f";
const WITHIN: Duration = Duration::from_secs(2);

/// The NetBIOS names of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedNames {
    /// The domain's.
    pub domain: String,
    /// This host's.
    pub computer: String,
}

impl WinbindSettings {
    /// Asks the helper for the names. Takes no longer than two seconds, and asks no domain controller.
    ///
    /// None where it does not say: it cannot be started, or is another program than Samba's.
    pub fn joined_names(&self) -> Option<JoinedNames> {
        let is_protocol = |argument: &String| argument.starts_with(PROTOCOL);
        let place = self.command.iter().position(is_protocol)?;
        let mut command = self.command.clone();
        CHALLENGER.clone_into(command.get_mut(place)?);
        let mut helper = Helper::start(&command).ok()?;
        let question = format!("YR {}\n", BASE64_STANDARD.encode(NEGOTIATE));
        let answer = helper.line(&question, WITHIN.min(self.deadline)).ok()?;
        let challenge = BASE64_STANDARD.decode(answer.strip_prefix("TT ")?).ok()?;
        let (domain, computer) = netbios_names(&challenge)?;
        Some(JoinedNames { domain, computer })
    }
}
