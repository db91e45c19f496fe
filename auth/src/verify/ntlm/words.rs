//! What a domain controller means by the words of a refusal, for the record alone.

use crate::Reason;

/// Pieces of the texts of \[MS-ERREF\] 2.3.1, as Samba says them, and of the names of these values, which it
/// says where it has no text. The first that is found counts.
const WORDS: [(&str, Reason); 14] = [
    ("currently disabled", Reason::Disabled),
    ("ACCOUNT_DISABLED", Reason::Disabled),
    ("locked", Reason::LockedOut),
    ("ACCOUNT_LOCKED_OUT", Reason::LockedOut),
    ("password has expired", Reason::PasswordExpired),
    ("PASSWORD_EXPIRED", Reason::PasswordExpired),
    ("must be changed", Reason::MustChangePassword),
    ("PASSWORD_MUST_CHANGE", Reason::MustChangePassword),
    ("account has expired", Reason::AccountExpired),
    ("ACCOUNT_EXPIRED", Reason::AccountExpired),
    ("time restrictions", Reason::WrongHours),
    ("INVALID_LOGON_HOURS", Reason::WrongHours),
    ("source workstation", Reason::WrongWorkstation),
    ("INVALID_WORKSTATION", Reason::WrongWorkstation),
];

/// Why a controller refused. Whatever is not known is a wrong password, and so is a user that it does
/// not know.
pub(super) fn meaning(words: &str) -> Reason {
    let known = WORDS.iter().find(|(piece, _)| words.contains(piece));
    known.map_or(Reason::WrongPassword, |(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_samba_says_is_understood() {
        for (words, reason) in [
            (
                "The referenced account is currently disabled and cannot be logged on to.",
                Reason::Disabled,
            ),
            (
                "The user account has been automatically locked because too many invalid logon attempts or \
                 password change attempts have been requested.",
                Reason::LockedOut,
            ),
            ("The user account has expired.", Reason::AccountExpired),
            (
                "The user account password has expired.",
                Reason::PasswordExpired,
            ),
            (
                "The user password must be changed before logging on the first time.",
                Reason::MustChangePassword,
            ),
            (
                "The user account has time restrictions and cannot be logged onto at this time.",
                Reason::WrongHours,
            ),
            ("NT_STATUS_INVALID_WORKSTATION", Reason::WrongWorkstation),
            (
                "The specified account does not exist.",
                Reason::WrongPassword,
            ),
            ("The attempted logon is invalid.", Reason::WrongPassword),
            ("", Reason::WrongPassword),
        ] {
            assert_eq!(meaning(words), reason, "{words}");
        }
    }
}
