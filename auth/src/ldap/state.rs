//! The state of an account, as far as its entry or a refused bind tells it.
//!
//! Directories say it in different attributes. Whichever of them an entry has counts, so that no
//! preset has to know.

use super::fault::Answer;
use super::filter::Attribute;
use super::search::Entry;
use crate::Reason;

/// Attributes that tell the state; operational ones are given only when asked for by name.
pub(super) const ATTRIBUTES: &[&str] = &[
    USER_ACCOUNT_CONTROL,
    COMPUTED,
    ACCOUNT_EXPIRES,
    ACCOUNT_LOCK,
    PRINCIPAL_EXPIRATION,
    LOCKED_TIME,
];

/// \[MS-ADTS\] 2.2.16: bit 1 is ACCOUNTDISABLE.
const USER_ACCOUNT_CONTROL: &str = "userAccountControl";
/// \[MS-ADTS\] 3.1.1.4.5.17: bit 4 is lockout, with its end taken into account.
const COMPUTED: &str = "msDS-User-Account-Control-Computed";
/// \[MS-ADTS\]: 100 ns since 1601; 0 and the largest number mean never.
const ACCOUNT_EXPIRES: &str = "accountExpires";
/// 389 Directory Server and FreeIPA.
const ACCOUNT_LOCK: &str = "nsAccountLock";
/// FreeIPA and the LDAP back end of MIT Kerberos.
const PRINCIPAL_EXPIRATION: &str = "krbPrincipalExpiration";
/// draft-behera-ldap-password-policy §5.3.3: the first moment of the year 0 means for good. Any
/// other time is the beginning of a lockout whose length the entry does not tell; the bind will.
const LOCKED_TIME: &str = "pwdAccountLockedTime";

const DISABLED: i64 = 0x2;
const LOCKED_OUT: i64 = 0x10;
/// From 1601 to 1970, in seconds.
const FILE_TIME_EPOCH: i64 = 11_644_473_600;

/// Why nobody may log in to the account of this entry; `now` in seconds since 1970.
pub(super) fn barred(entry: &Entry, now: i64) -> Option<Reason> {
    let text = |name: &'static str| entry.text(&Attribute::known(name));
    let number = |name| text(name).and_then(|text| text.parse::<i64>().ok());
    let bit = |name, bit: i64| number(name).is_some_and(|value| value & bit != 0);
    if bit(USER_ACCOUNT_CONTROL, DISABLED)
        || text(ACCOUNT_LOCK).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    {
        return Some(Reason::Disabled);
    }
    if bit(COMPUTED, LOCKED_OUT) || text(LOCKED_TIME) == Some("000001010000Z") {
        return Some(Reason::LockedOut);
    }
    let expires = number(ACCOUNT_EXPIRES).filter(|time| *time != 0 && *time != i64::MAX);
    let expires = expires.map(|time| time / 10_000_000 - FILE_TIME_EPOCH);
    let ends = text(PRINCIPAL_EXPIRATION).and_then(generalized_time);
    if expires.into_iter().chain(ends).any(|end| end <= now) {
        return Some(Reason::AccountExpired);
    }
    None
}

/// What a bind says, beyond that the password was wrong.
///
/// Active Directory puts a number of Windows into the text, `…, data 533, …`. 389 Directory Server
/// answers with other codes, and OpenLDAP by its password policy.
pub(super) fn of_bind(answer: &Answer) -> Option<Reason> {
    if answer.policy.is_some() {
        return answer.policy;
    }
    match answer.code {
        49 => sub_code(&answer.text).and_then(by_sub_code),
        19 if answer.text.contains("retry limit") => Some(Reason::LockedOut),
        53 if answer.text.contains("inactivated") => Some(Reason::Disabled),
        _ => None,
    }
}

/// The hexadecimal number after `data `.
fn sub_code(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("data ")?;
    after
        .split(|character: char| !character.is_ascii_hexdigit())
        .next()
}

/// The errors of Windows that a bind is refused with.
fn by_sub_code(code: &str) -> Option<Reason> {
    Some(match code.to_ascii_lowercase().as_str() {
        // ERROR_NO_SUCH_USER: only that, as the entry was found.
        "525" => Reason::UnknownUser,
        "52e" => Reason::WrongPassword,
        "530" => Reason::WrongHours,
        "531" => Reason::WrongWorkstation,
        "532" => Reason::PasswordExpired,
        "533" => Reason::Disabled,
        "701" => Reason::AccountExpired,
        "773" => Reason::MustChangePassword,
        "775" => Reason::LockedOut,
        _ => return None,
    })
}

/// `20261231235959Z` (RFC 4517 §3.3.13, in the form that servers give it) in seconds since 1970.
fn generalized_time(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z')?.split('.').next()?;
    if digits.len() != 14 || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let field = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(4, 6)?, field(6, 8)?);
    let (hour, minute, second) = (field(8, 10)?, field(10, 12)?, field(12, 14)?);
    // Days since 1970 by a calendar whose year begins in March, so that leap days come last.
    let shifted = (month + 9) % 12;
    let years = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (years.div_euclid(400), years.rem_euclid(400));
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn state(name: &str, value: &str) -> Option<Reason> {
        barred(&Entry::of("cn=x", &[(name, value.as_bytes())]), NOW)
    }

    #[test]
    fn every_directory_has_its_way_to_say_it() {
        for (name, value, reason) in [
            ("userAccountControl", "512", None),
            ("userAccountControl", "514", Some(Reason::Disabled)),
            ("userAccountControl", "66050", Some(Reason::Disabled)),
            ("msDS-User-Account-Control-Computed", "0", None),
            (
                "msDS-User-Account-Control-Computed",
                "16",
                Some(Reason::LockedOut),
            ),
            // An expired password is the bind's business: a ticket may do without.
            ("msDS-User-Account-Control-Computed", "8388608", None),
            ("accountExpires", "0", None),
            ("accountExpires", "9223372036854775807", None),
            (
                "accountExpires",
                "131000000000000000",
                Some(Reason::AccountExpired),
            ),
            ("accountExpires", "139000000000000000", None),
            ("nsAccountLock", "TRUE", Some(Reason::Disabled)),
            ("nsAccountLock", "false", None),
            (
                "krbPrincipalExpiration",
                "20260101000000Z",
                Some(Reason::AccountExpired),
            ),
            ("krbPrincipalExpiration", "20370101000000Z", None),
            ("krbPrincipalExpiration", "nonsense", None),
            (
                "pwdAccountLockedTime",
                "000001010000Z",
                Some(Reason::LockedOut),
            ),
            ("pwdAccountLockedTime", "20260101000000Z", None),
        ] {
            assert_eq!(state(name, value), reason, "{name}: {value}");
        }
        assert_eq!(barred(&Entry::default(), NOW), None);
    }

    #[test]
    fn times_are_counted_from_1970() {
        for (text, seconds) in [
            ("19700101000000Z", 0),
            ("20000229120000.0Z", 951_825_600),
            ("20261125214500Z", 1_795_643_100),
            ("19691231235959Z", -1),
        ] {
            assert_eq!(generalized_time(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn windows_says_why_in_a_number() {
        let samba = |code: &str| {
            let text = format!(
                "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {code}, v1db1"
            );
            of_bind(&Answer::new(49, &text))
        };
        for (code, reason) in [
            ("52e", Reason::WrongPassword),
            ("525", Reason::UnknownUser),
            ("530", Reason::WrongHours),
            ("531", Reason::WrongWorkstation),
            ("532", Reason::PasswordExpired),
            ("533", Reason::Disabled),
            ("701", Reason::AccountExpired),
            ("773", Reason::MustChangePassword),
            ("775", Reason::LockedOut),
        ] {
            assert_eq!(samba(code), Some(reason), "{code}");
        }
        assert_eq!(samba("999"), None);
        assert_eq!(of_bind(&Answer::new(49, "Invalid credentials")), None);
        let inactive = "Account inactivated. Contact system administrator.";
        assert_eq!(of_bind(&Answer::new(53, inactive)), Some(Reason::Disabled));
        let retry = "Exceed password retry limit. Please try later.";
        assert_eq!(of_bind(&Answer::new(19, retry)), Some(Reason::LockedOut));
        assert_eq!(of_bind(&Answer::new(53, "")), None);
    }
}
