//! PLAIN (RFC 4616): authorization identity, name and password in one message.
//!
//! Name and password are taken as typed. rsasl's own PLAIN prepares them with SASLprep, which
//! refuses every character newer than Unicode 3.2 and changes others; directories want the octets
//! of the client. Only the authorization identity is prepared (RFC 5034 §4).

use std::io::Write;

use rsasl::mechanism::{
    Authentication, MechanismData, MechanismError, MechanismErrorKind, SessionError, State,
    ThisProvider,
};
use rsasl::prelude::{Mechname, MessageSent};
use rsasl::registry::{Mechanism, Side};

use super::authzid;
use super::conversation::Collected;
use crate::Secret;
use crate::evidence::Evidence;
use crate::password::MAX_PASSWORD;

/// The longest name, in octets. RFC 4616 §2: 255 of each part must be accepted.
const MAX_NAME: usize = 1024;

/// PLAIN as rsasl registers it: the client speaks first.
pub(super) const MECHANISM: Mechanism = Mechanism::build(
    Mechname::const_new_unchecked(b"PLAIN"),
    300,
    None,
    Some(|_| Ok(Box::new(Plain))),
    Side::Client,
    |_| None,
    |_| true,
);

/// The server's side. It has one step.
struct Plain;

impl Authentication for Plain {
    fn step(
        &mut self,
        session: &mut MechanismData,
        input: Option<&[u8]>,
        _writer: &mut dyn Write,
    ) -> Result<State, SessionError> {
        let evidence = parse(input.ok_or(SessionError::InputDataRequired)?)?;
        session.validate(&ThisProvider::<Collected>::with(&evidence))?;
        Ok(State::Finished(MessageSent::No))
    }
}

/// Why a message is not one of PLAIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum PlainError {
    #[error("not three parts with a NUL between them")]
    Parts,
    #[error("name or password is empty")]
    Empty,
    #[error("a part is too long")]
    TooLong,
    #[error("a part is not UTF-8")]
    NotUtf8,
    #[error("the authorization identity cannot be prepared, or nothing is left of it")]
    Unprepared,
}

impl MechanismError for PlainError {
    fn kind(&self) -> MechanismErrorKind {
        MechanismErrorKind::Parse
    }
}

/// RFC 4616 §2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`.
fn parse(message: &[u8]) -> Result<Evidence, PlainError> {
    if message.len() > 2 * MAX_NAME + MAX_PASSWORD + 2 {
        return Err(PlainError::TooLong);
    }
    let mut parts = message.split(|octet| *octet == 0);
    let mut next = || parts.next().ok_or(PlainError::Parts);
    let (authzid, login, password) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return Err(PlainError::Parts);
    }
    // RFC 4616 §2: authcid and passwd have at least one character. An empty password would be an
    // unauthenticated bind to some directories (RFC 4513 §5.1.2).
    if login.is_empty() || password.is_empty() {
        return Err(PlainError::Empty);
    }
    if authzid.len() > MAX_NAME || login.len() > MAX_NAME || password.len() > MAX_PASSWORD {
        return Err(PlainError::TooLong);
    }
    text(password)?;
    Ok(Evidence::Password {
        authzid: authzid::prepare(text(authzid)?).map_err(|_| PlainError::Unprepared)?,
        login: text(login)?.to_owned(),
        password: Secret::new(password.to_vec()),
    })
}

fn text(part: &[u8]) -> Result<&str, PlainError> {
    std::str::from_utf8(part).map_err(|_| PlainError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(message: &[u8]) -> Result<(Option<String>, String, Vec<u8>), PlainError> {
        let Evidence::Password {
            authzid,
            login,
            password,
        } = parse(message)?
        else {
            panic!("no password");
        };
        Ok((authzid, login, password.expose().to_vec()))
    }

    fn plain(authzid: &str, login: &str, password: &str) -> Vec<u8> {
        format!("{authzid}\0{login}\0{password}").into_bytes()
    }

    #[test]
    fn three_parts_are_taken_as_typed() {
        let typed = parts(&plain("", "Alice@Example.test", " a b  c ")).unwrap();
        assert_eq!(
            typed,
            (None, "Alice@Example.test".to_owned(), b" a b  c ".to_vec())
        );
        let typed = parts(&plain("sales", "alice", "Secret\u{b9}\u{1f512}")).unwrap();
        assert_eq!(typed.0.as_deref(), Some("sales"));
        assert_eq!(
            typed.2,
            "Secret\u{b9}\u{1f512}".as_bytes(),
            "no preparation"
        );
    }

    #[test]
    fn exactly_two_nuls() {
        for message in [
            &b""[..],
            b"alice",
            b"\0alice",
            b"\0alice\0pw\0",
            b"\0a\0b\0c",
        ] {
            assert_eq!(parts(message), Err(PlainError::Parts), "{message:?}");
        }
    }

    #[test]
    fn empty_name_or_password_is_refused() {
        for message in [&b"\0\0pw"[..], b"\0alice\0", b"\0\0", b"x\0\0"] {
            assert_eq!(parts(message), Err(PlainError::Empty), "{message:?}");
        }
    }

    #[test]
    fn every_part_is_utf8() {
        for message in [
            &b"\xc0\x80\0a\0b"[..],
            b"\0\xc0\x80\0b",
            b"\0a\0\xc0\x80",
            b"\0a\0\xed\xa0\x80",
        ] {
            assert_eq!(parts(message), Err(PlainError::NotUtf8), "{message:?}");
        }
    }

    #[test]
    fn long_parts_are_accepted_up_to_a_bound() {
        let long = "a".repeat(255);
        assert!(parts(&plain(&long, &long, &long)).is_ok());
        let most = "a".repeat(1024);
        assert!(parts(&plain(&most, &most, &most)).is_ok());
        let more = "a".repeat(1025);
        for message in [
            plain(&more, "a", "b"),
            plain("", &more, "b"),
            plain("", "a", &more),
        ] {
            assert_eq!(parts(&message), Err(PlainError::TooLong));
        }
    }

    #[test]
    fn the_authorization_identity_is_prepared() {
        assert_eq!(
            parts(&plain("s\u{ad}ales", "a", "b")).unwrap().0.as_deref(),
            Some("sales")
        );
        assert_eq!(
            parts(&plain("\u{ad}", "a", "b")),
            Err(PlainError::Unprepared)
        );
        assert_eq!(
            parts(&plain("sa\u{7}les", "a", "b")),
            Err(PlainError::Unprepared)
        );
    }

    proptest! {
        #[test]
        fn what_is_joined_comes_apart(login in "[^\0]{1,60}", password in "[^\0]{1,60}") {
            let typed = parts(&plain("", &login, &password)).unwrap();
            prop_assert_eq!(typed, (None, login, password.into_bytes()));
        }

        #[test]
        fn nothing_panics(message in proptest::collection::vec(any::<u8>(), 0..4000)) {
            let _ = parse(&message);
        }
    }
}
