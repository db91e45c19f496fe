//! What the client typed as its name, and the key under which a directory looks it up.
//!
//! A login is never a piece of a path and is never shown unescaped. It says nothing about whether
//! an account exists.

use crate::letters;

/// The longest name that is looked at, in octets; an address may have 254 (RFC 5321 §4.5.3.1).
pub(crate) const MAX_LOGIN: usize = 512;

/// A typed name in the forms that a server of this kind meets: `user`, `user@realm` (split at the
/// last `@`), `DOMAIN\user` and `domain/user` (one slash and no `@` before it).
///
/// Upper and lower case are the same, and so are fullwidth letters, and `é` as one and as two
/// characters (RFC 8265 §3.3.2, without regard to language). Letters that only look the same stay
/// different, so that no name reaches the account of its twin; the users file may not have both.
///
/// The three forms with a realm have the same key, `user@realm`. A realm is never dropped: to let
/// `CORP\alice` reach the account `alice`, the account needs the alias `CORP\alice`. An explicit
/// rule cannot be met by accident, as a guess at what a realm means could be.
///
/// The delegate forms of \[MS-OXPOP3\] 2.2.2 are two logins, and [`split_delegate`] takes them apart
/// where they may be typed; elsewhere their key is the typed text, which no account has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Login {
    typed: Box<str>,
    user: String,
    realm: Option<String>,
    key: Box<str>,
}

/// Why a typed name cannot be anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Nothing was typed.
    #[error("the name is empty")]
    Empty,
    /// More than 512 octets.
    #[error("the name is longer than 512 octets")]
    TooLong,
    /// NUL or another control character.
    #[error("the name has a control character in it")]
    Control,
    /// A character that nobody could see: some directories overlook it.
    #[error("the name has an invisible character in it")]
    Invisible,
}

impl Login {
    /// Takes a typed name apart.
    ///
    /// # Errors
    /// When it is empty, longer than 512 octets, or has a control or invisible character in it.
    pub fn parse(typed: &str) -> Result<Self, LoginError> {
        if typed.is_empty() {
            return Err(LoginError::Empty);
        }
        if typed.len() > MAX_LOGIN {
            return Err(LoginError::TooLong);
        }
        if typed.chars().any(char::is_control) {
            return Err(LoginError::Control);
        }
        if typed.chars().any(letters::is_invisible) {
            return Err(LoginError::Invisible);
        }
        let lower = letters::spelled(typed);
        Ok(match split(&lower) {
            Some((user, realm)) => Self {
                typed: lower.as_str().into(),
                key: format!("{user}@{realm}").into(),
                user: user.to_owned(),
                realm: Some(realm.to_owned()),
            },
            None => Self {
                typed: lower.as_str().into(),
                key: lower.as_str().into(),
                user: lower,
                realm: None,
            },
        })
    }

    /// The whole name as it was typed, in its one spelling: a directory may have one that only looks
    /// like a name with a realm.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Two logins in one, where the typed name has one of the delegate forms of \[MS-OXPOP3\] 2.2.2:
    /// whose password it is, and the mailbox to be opened.
    pub fn split_delegate(typed: &str) -> Option<(&str, &str)> {
        split_delegate(typed)
    }

    /// The name without the realm, in lower case.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The realm, the mail domain or the Windows domain, in lower case.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The lookup key: `user` or `user@realm`, in lower case.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What is typed at USER by somebody who opens another's mailbox: `domain/user/mailbox` or
/// `user@realm/mailbox` (\[MS-OXPOP3\] 2.2.2). The mailbox follows the last slash; before it stands
/// whose password it is. None for every other name, `domain/user` among them: one with further
/// slashes or an empty part stays whole, and is nobody.
pub(crate) fn split_delegate(typed: &str) -> Option<(&str, &str)> {
    let (delegate, mailbox) = typed.rsplit_once('/')?;
    let is_delegate = match delegate.split_once('/') {
        Some((domain, user)) => {
            !domain.is_empty() && !user.is_empty() && !user.contains('/') && !delegate.contains('@')
        }
        None => split(delegate).is_some_and(|_| delegate.contains('@')),
    };
    (is_delegate && !mailbox.is_empty()).then_some((delegate, mailbox))
}

/// User and realm, where the name has one of the three forms with a realm.
fn split(name: &str) -> Option<(&str, &str)> {
    let whole = |(user, realm): (&'_ str, &'_ str)| !user.is_empty() && !realm.is_empty();
    if let Some((realm, user)) = name.split_once('\\') {
        return Some((user, realm)).filter(|pair| whole(*pair) && !user.contains('\\'));
    }
    if let Some((realm, user)) = name.split_once('/') {
        let down_level = !realm.contains('@') && !user.contains('/');
        return Some((user, realm)).filter(|pair| whole(*pair) && down_level);
    }
    name.rsplit_once('@').filter(|pair| whole(*pair))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(typed: &str) -> String {
        Login::parse(typed).unwrap().key().to_owned()
    }

    #[test]
    fn every_form_has_its_key() {
        assert_eq!(key("Alice"), "alice");
        assert_eq!(key("Alice@Example.TEST"), "alice@example.test");
        assert_eq!(key("EXAMPLE\\Alice"), "alice@example");
        assert_eq!(key("example/Alice"), "alice@example");
        assert_eq!(key("ÄNNE@Example.test"), "änne@example.test");
    }

    #[test]
    fn the_last_at_sign_splits() {
        let login = Login::parse("odd@name@example.test").unwrap();
        assert_eq!(
            (login.user(), login.realm()),
            ("odd@name", Some("example.test"))
        );
    }

    #[test]
    fn delegate_forms_and_halves_stay_as_typed() {
        for typed in [
            "corp/alice/sales",
            "corp\\alice\\sales",
            "a@b/sales",
            "\\alice",
            "@b",
            "a@",
        ] {
            let login = Login::parse(typed).unwrap();
            assert_eq!((login.key(), login.realm()), (typed, None));
        }
    }

    #[test]
    fn the_four_delegate_forms_are_two_logins() {
        for (typed, delegate, mailbox) in [
            ("corp/alice/sales", "corp/alice", "sales"),
            (
                "corp/alice/sales@corp.test",
                "corp/alice",
                "sales@corp.test",
            ),
            ("alice@corp.test/sales", "alice@corp.test", "sales"),
            (
                "alice@corp.test/s@corp.test",
                "alice@corp.test",
                "s@corp.test",
            ),
        ] {
            assert_eq!(split_delegate(typed), Some((delegate, mailbox)));
        }
        for typed in [
            "alice",
            "corp/alice",
            "corp\\alice",
            "alice/",
            "corp/alice/",
            "/alice/sales",
            "corp//sales",
            "a/b/c/d",
            "alice@/sales",
            "@corp/sales",
            "corp/alice@corp/sales",
        ] {
            assert_eq!(split_delegate(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_domain_is_never_dropped() {
        assert_ne!(key("CORP\\alice"), key("alice"));
        assert_ne!(key("alice@corp"), key("alice"));
    }

    #[test]
    fn empty_long_and_control_names_are_nobody() {
        assert_eq!(Login::parse(""), Err(LoginError::Empty));
        assert_eq!(Login::parse("a\0b"), Err(LoginError::Control));
        assert_eq!(Login::parse("a\u{85}"), Err(LoginError::Control));
        assert_eq!(Login::parse(&"a".repeat(513)), Err(LoginError::TooLong));
        assert!(Login::parse(&"a".repeat(512)).is_ok());
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(typed in "\\PC{1,40}") {
            prop_assume!(Login::parse(&typed).is_ok());
            let once = key(&typed);
            prop_assume!(!once.contains(['/', '\\']));
            prop_assert_eq!(key(&once), once);
        }

        #[test]
        fn case_never_matters(user in "[a-zA-Z]{1,9}", realm in "[a-zA-Z.]{1,9}") {
            let up = format!("{user}@{realm}").to_uppercase();
            prop_assert_eq!(key(&up), key(&format!("{realm}\\{user}")));
        }

        #[test]
        fn nothing_panics(typed in any::<String>()) {
            let _ = Login::parse(&typed);
        }
    }
}
