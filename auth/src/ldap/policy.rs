//! What a server's password policy says beside the result of a bind (draft-behera-ldap-password-policy
//! §6.2). Without it a locked account looks like a wrong password, and a password that has to be
//! changed first like a right one.

use ldap3::LdapResult;
use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};
use ldap3::controls::RawControl;

use crate::Reason;

/// The type of the control, of the request and of the response.
const CONTROL: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// The longest value that is looked at.
const MAX_VALUE: usize = 64;

/// Asks the server to say it. One that does not know the control leaves it out.
pub(super) fn asked() -> RawControl {
    RawControl {
        ctype: CONTROL.to_owned(),
        crit: false,
        val: None,
    }
}

/// Why the account may not be used, if the policy says so.
pub(super) fn said(result: &LdapResult) -> Option<Reason> {
    let controls = result.ctrls.iter().map(|control| &control.1);
    let mut ours = controls.filter(|control| control.ctype == CONTROL);
    of_value(ours.next()?.val.as_deref()?)
}

/// `SEQUENCE { warning [0] CHOICE … OPTIONAL, error [1] ENUMERATED OPTIONAL }`. Warnings keep nobody
/// out.
fn of_value(value: &[u8]) -> Option<Reason> {
    if value.len() > MAX_VALUE {
        return None;
    }
    let (_, StructureTag { payload, .. }) = parse_tag(value).ok()?;
    let PL::C(parts) = payload else { return None };
    let is_error = |part: &&StructureTag| part.class == TagClass::Context && part.id == 1;
    let PL::P(octets) = &parts.iter().find(is_error)?.payload else {
        return None;
    };
    match octets.as_slice() {
        [0] => Some(Reason::PasswordExpired),
        [1] => Some(Reason::LockedOut),
        [2] => Some(Reason::MustChangePassword),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_warnings() {
        for (value, reason) in [
            (&[0x30, 3, 0x81, 1, 0][..], Some(Reason::PasswordExpired)),
            (&[0x30, 3, 0x81, 1, 1], Some(Reason::LockedOut)),
            (&[0x30, 3, 0x81, 1, 2], Some(Reason::MustChangePassword)),
            (
                &[0x30, 8, 0xa0, 3, 0x80, 1, 9, 0x81, 1, 2],
                Some(Reason::MustChangePassword),
            ),
            // A warning alone, an error that concerns changes, and what is none of it.
            (&[0x30, 5, 0xa0, 3, 0x80, 1, 9], None),
            (&[0x30, 3, 0x81, 1, 7], None),
            (&[0x30, 0], None),
            (&[], None),
            (&[0x30, 9], None),
            (&[0x81, 1, 0], None),
        ] {
            assert_eq!(of_value(value), reason, "{value:x?}");
        }
    }
}
