//! Kerberos principals as text: `alice@EXAMPLE.TEST`, `pop/mail.example.test@EXAMPLE.TEST`.
//!
//! A backslash takes the meaning from the character after it (krb5_unparse_name), so that
//! `a\@b@REALM` has one component. Upper and lower case differ (RFC 4120 §6.1).

use std::fmt;

/// The longest text that is read, in octets.
const MAX_TEXT: usize = 1024;
/// The most components that are read; services have two.
const MAX_COMPONENTS: usize = 8;

/// A principal: its components, and the realm that vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    components: Vec<String>,
    realm: String,
}

impl Principal {
    /// Reads the text of a principal. It has a realm, at least one component, and no empty one.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut pieces = vec![String::new()];
        let mut realm: Option<String> = None;
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let plain = match character {
                '\\' => escaped(characters.next()?),
                '@' if realm.is_none() => {
                    realm = Some(String::new());
                    continue;
                }
                '/' if realm.is_none() => {
                    pieces.push(String::new());
                    continue;
                }
                '@' => return None,
                other => other,
            };
            match &mut realm {
                Some(realm) => realm.push(plain),
                None => pieces.last_mut()?.push(plain),
            }
        }
        Self::new(pieces, realm?)
    }

    /// A principal of these parts, none of which may be empty.
    pub(super) fn new(components: Vec<String>, realm: String) -> Option<Self> {
        let whole = !components.is_empty() && components.len() <= MAX_COMPONENTS;
        let empty = realm.is_empty() || components.iter().any(String::is_empty);
        (whole && !empty).then_some(Self { components, realm })
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The one component of a user's principal.
    pub fn user(&self) -> Option<&str> {
        match self.components.as_slice() {
            [user] => Some(user),
            _ => None,
        }
    }

    /// Service and host of a service's principal.
    pub fn service(&self) -> Option<(&str, &str)> {
        match self.components.as_slice() {
            [service, host] => Some((service, host)),
            _ => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, component) in self.components.iter().enumerate() {
            if place > 0 {
                f.write_str("/")?;
            }
            escape(component, f)?;
        }
        f.write_str("@")?;
        escape(&self.realm, f)
    }
}

fn escaped(character: char) -> char {
    match character {
        'n' => '\n',
        't' => '\t',
        'b' => '\u{8}',
        '0' => '\0',
        other => other,
    }
}

fn escape(part: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for character in part.chars() {
        match character {
            '/' | '@' | '\\' => write!(f, "\\{character}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\u{8}' => f.write_str("\\b")?,
            '\0' => f.write_str("\\0")?,
            other => write!(f, "{other}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> Option<(Vec<String>, String)> {
        Principal::parse(text).map(|read| (read.components, read.realm))
    }

    #[test]
    fn components_and_realm_come_apart() {
        let (components, realm) = parts("pop/mail.example.test@EXAMPLE.TEST").unwrap();
        assert_eq!(components, ["pop", "mail.example.test"]);
        assert_eq!(realm, "EXAMPLE.TEST");
        assert_eq!(Principal::parse("alice@R").unwrap().user(), Some("alice"));
        assert_eq!(Principal::parse("alice/admin@R").unwrap().user(), None);
    }

    #[test]
    fn an_escaped_sign_is_a_part_of_the_name() {
        let read = Principal::parse(r"alice\@elsewhere.test@R").unwrap();
        assert_eq!(
            (read.user(), read.realm()),
            (Some("alice@elsewhere.test"), "R")
        );
        let read = Principal::parse(r"a\/b@R").unwrap();
        assert_eq!(read.user(), Some("a/b"));
        assert_eq!(read.to_string(), r"a\/b@R");
    }

    #[test]
    fn what_is_not_whole_is_nobody() {
        for text in [
            "", "alice", "alice@", "@R", "/a@R", "a/@R", "a@R@S", "a\\", "a@R\\",
        ] {
            assert_eq!(parts(text), None, "{text:?}");
        }
        assert_eq!(parts(&format!("{}@R", "a".repeat(2000))), None);
        assert_eq!(parts("a/b/c/d/e/f/g/h/i@R"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            components in proptest::collection::vec("[a-z@/\\\\\n\0é]{1,8}", 1..4),
            realm in "[A-Z.@\\\\]{1,8}",
        ) {
            let principal = Principal::new(components, realm).unwrap();
            prop_assert_eq!(Principal::parse(&principal.to_string()), Some(principal));
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = Principal::parse(&text);
        }
    }
}
