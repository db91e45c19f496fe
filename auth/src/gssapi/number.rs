//! What the library's minor codes say by number, so that no text of it is read.
//!
//! MIT's library gives Kerberos' own error numbers (RFC 4120 §7.5.9), and behind them its own, with a base added
//! that its error table has had from the beginning; beside them it gives those of the system. GSSAPI hands
//! them on as they are. Under SPNEGO they are renumbered: ask Kerberos for them, see [`super::talk`].

use libgssapi::error::Error;
use rustix::io::Errno;

/// `ERROR_TABLE_BASE_krb5` of `krb5.h`.
const BASE: i32 = -1_765_328_384;

/// An error of Kerberos: of the protocol below 128, of the library above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(u8);

impl Number {
    /// KDC_ERR_C_PRINCIPAL_UNKNOWN.
    pub(super) const UNKNOWN_CLIENT: Self = Self(6);
    /// KDC_ERR_S_PRINCIPAL_UNKNOWN.
    pub(super) const UNKNOWN_SERVICE: Self = Self(7);
    /// KDC_ERR_ETYPE_NOSUPP.
    pub(super) const NO_ENCTYPE: Self = Self(14);
    /// KDC_ERR_CLIENT_REVOKED.
    pub(super) const REVOKED: Self = Self(18);
    /// KDC_ERR_KEY_EXPIRED.
    pub(super) const KEY_EXPIRED: Self = Self(23);
    /// KDC_ERR_PREAUTH_FAILED.
    pub(super) const WRONG_KEY: Self = Self(24);
    /// KRB_AP_ERR_BAD_INTEGRITY, which a client says of a reply that its password does not open.
    pub(super) const BAD_INTEGRITY: Self = Self(31);
    /// KRB_AP_ERR_TKT_EXPIRED.
    pub(super) const EXPIRED: Self = Self(32);
    /// KRB_AP_ERR_TKT_NYV.
    pub(super) const NOT_YET_VALID: Self = Self(33);
    /// KRB_AP_ERR_REPEAT.
    pub(super) const REPEATED: Self = Self(34);
    /// KRB_AP_ERR_SKEW.
    pub(super) const SKEW: Self = Self(37);
    /// KRB5_REALM_UNKNOWN: nothing says where the realm's KDCs are.
    pub(super) const UNKNOWN_REALM: Self = Self(154);
    /// KRB5_KDC_UNREACH.
    pub(super) const UNREACHABLE: Self = Self(156);
    /// KRB5_KT_NOTFOUND: the keytab has no such key.
    pub(super) const NO_KEY: Self = Self(181);
    /// KRB5_REALM_CANT_RESOLVE: the KDCs have names that DNS does not know.
    pub(super) const UNRESOLVED: Self = Self(220);

    /// That of a failed call; none when it is of something else than Kerberos.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let above = error.minor.cast_signed().checked_sub(BASE)?;
        u8::try_from(above).ok().map(Self)
    }

    /// The KRB5_RC_ codes: the replay cache failed.
    fn is_of_replay_cache(self) -> bool {
        matches!(self.0, 159..=172 | 215)
    }
}

/// Whether files failed, the keytab's or the replay cache's: the server's trouble, whoever the client is.
pub(super) fn is_trouble_with_files(error: &Error) -> bool {
    const TROUBLE: [Errno; 11] = [
        Errno::ACCESS,
        Errno::DQUOT,
        Errno::IO,
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOENT,
        Errno::NOMEM,
        Errno::NOSPC,
        Errno::NOTDIR,
        Errno::PERM,
        Errno::ROFS,
    ];
    let of_system = |errno: &Errno| errno.raw_os_error() == error.minor.cast_signed();
    TROUBLE.iter().any(of_system) || Number::of(error).is_some_and(Number::is_of_replay_cache)
}

#[cfg(test)]
mod tests {
    use libgssapi::error::MajorFlags;

    use super::*;

    fn error(minor: i64) -> Error {
        Error {
            major: MajorFlags::from_bits_retain(13 << 16),
            minor: u32::try_from(minor & 0xffff_ffff).unwrap(),
        }
    }

    /// The values are those of `krb5.h`.
    #[test]
    fn numbers_are_those_of_the_table() {
        for (minor, number) in [
            (-1_765_328_378, Number::UNKNOWN_CLIENT),
            (-1_765_328_377, Number::UNKNOWN_SERVICE),
            (-1_765_328_352, Number::EXPIRED),
            (-1_765_328_350, Number::REPEATED),
            (-1_765_328_347, Number::SKEW),
            (-1_765_328_228, Number::UNREACHABLE),
            (-1_765_328_203, Number::NO_KEY),
            (-1_765_328_164, Number::UNRESOLVED),
        ] {
            assert_eq!(Number::of(&error(minor)), Some(number));
        }
        for minor in [0, 13, 100_001, -1_765_328_385, -1_750_600_192] {
            assert_eq!(Number::of(&error(minor)), None, "{minor}");
        }
    }

    #[test]
    fn trouble_is_of_the_system_or_of_the_replay_cache() {
        for minor in [2, 13, 28, -1_765_328_220, -1_765_328_169] {
            assert!(is_trouble_with_files(&error(minor)), "{minor}");
        }
        for minor in [0, 22, -1_765_328_347, -1_765_328_203] {
            assert!(!is_trouble_with_files(&error(minor)), "{minor}");
        }
    }
}
