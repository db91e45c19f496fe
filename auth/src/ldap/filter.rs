//! Search filters, built of parts (RFC 4515) and never by formatting a typed name into a text.
//!
//! A value becomes text in one place, [`Filter`]'s `Display`, which escapes it; so whatever is
//! typed, the filter has the shape that the code gave it.

use std::fmt;

use ldap3::{ldap_escape, parse_filter};

/// The name of an attribute, with its options if any (RFC 4512 §2.5); compared without regard to
/// case.
#[derive(Clone, Debug)]
pub struct Attribute(String);

impl Attribute {
    /// An attribute by its name or its numeric form.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let kind = parts.next()?;
        let keystring = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic())
                && part
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        };
        let number =
            |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
        let sound = keystring(kind) || kind.split('.').all(number);
        let option = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        };
        (text.len() <= 256 && sound && parts.all(option)).then(|| Self(text.to_owned()))
    }

    /// One of ours, which is known to be sound.
    pub(super) fn known(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Attribute {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Attribute {}

/// A filter that an administrator wrote: one whole filter, in parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFilter(String);

impl WrittenFilter {
    /// Takes a filter of RFC 4515; none when the text is not exactly one.
    pub fn parse(text: &str) -> Option<Self> {
        let whole = text.len() <= 4096 && text.starts_with('(') && parse_filter(text).is_ok();
        whole.then(|| Self(text.to_owned()))
    }

    /// One of ours, which is known to be sound.
    pub(super) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A filter in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// All of them.
    And(Vec<Self>),
    /// Any of them.
    Or(Vec<Self>),
    /// The attribute has this value.
    Equal(Attribute, String),
    /// The attribute has any value.
    Present(Attribute),
    /// The attribute has a value that this rule says is this one (RFC 4515 `extensible`).
    Rule(Attribute, &'static str, String),
    /// As an administrator wrote it.
    Written(WrittenFilter),
}

impl Filter {
    pub(super) fn equal(attribute: &Attribute, value: impl Into<String>) -> Self {
        Self::Equal(attribute.clone(), value.into())
    }

    pub(super) fn present(attribute: &Attribute) -> Self {
        Self::Present(attribute.clone())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, sign, parts: &[Self]| {
            write!(f, "({sign}")?;
            parts.iter().try_for_each(|part| part.fmt(f))?;
            f.write_str(")")
        };
        match self {
            Self::And(parts) => list(f, '&', parts),
            Self::Or(parts) => list(f, '|', parts),
            Self::Equal(attribute, value) => {
                write!(f, "({}={})", attribute.0, ldap_escape(value.as_str()))
            }
            Self::Present(attribute) => write!(f, "({}=*)", attribute.0),
            Self::Rule(attribute, rule, value) => {
                write!(
                    f,
                    "({}:{rule}:={})",
                    attribute.0,
                    ldap_escape(value.as_str())
                )
            }
            Self::Written(WrittenFilter(text)) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::Tag;
    use proptest::prelude::*;

    use super::*;

    /// What a filter is made of, with the values left out, as the library reads it.
    fn shape(tag: &Tag, values: &mut Vec<Vec<u8>>) -> String {
        match tag {
            Tag::OctetString(value) => {
                values.push(value.inner.clone());
                format!("v{}", value.id)
            }
            Tag::Boolean(value) => format!("b{}", value.id),
            Tag::ExplicitTag(inner) => format!("!{}({})", inner.id, shape(&inner.inner, values)),
            Tag::Sequence(list) => {
                let parts: Vec<_> = list.inner.iter().map(|tag| shape(tag, values)).collect();
                format!("s{}[{}]", list.id, parts.join(" "))
            }
            Tag::Integer(_)
            | Tag::Enumerated(_)
            | Tag::Set(_)
            | Tag::Null(_)
            | Tag::StructureTag(_) => panic!("{tag:?}"),
        }
    }

    fn parsed(typed: &str) -> (String, Vec<Vec<u8>>) {
        let uid = Attribute::known("uid");
        let filter = Filter::And(vec![
            Filter::Written(WrittenFilter::parse("(objectClass=person)").unwrap()),
            Filter::Or(vec![
                Filter::equal(&uid, typed),
                Filter::equal(&Attribute::known("proxyAddresses"), format!("smtp:{typed}")),
                Filter::Rule(
                    Attribute::known("memberOf"),
                    "1.2.840.113556.1.4.1941",
                    typed.to_owned(),
                ),
            ]),
        ]);
        let mut values = Vec::new();
        let shape = shape(&parse_filter(filter.to_string()).unwrap(), &mut values);
        (shape, values)
    }

    proptest! {
        #[test]
        fn no_typed_name_changes_the_shape(typed in any::<String>()) {
            let (plain, _) = parsed("x");
            let (shape, values) = parsed(&typed);
            prop_assert_eq!(shape, plain);
            // The value arrives as it was typed, and nothing else does.
            prop_assert!(values.contains(&typed.clone().into_bytes()));
            let address = format!("smtp:{typed}").into_bytes();
            prop_assert!(values.contains(&address));
        }

        #[test]
        fn nor_does_one_made_of_what_filters_are_made_of(typed in "[()*\\\\&|!=:\\x00a]{0,12}") {
            prop_assert_eq!(parsed(&typed).0, parsed("x").0);
        }
    }

    #[test]
    fn the_classic_injections_are_values() {
        for typed in ["*", "*)(uid=*", "a)(|(uid=*", "\\2a", "w(ei*rd)\\x", "\0"] {
            let (shape, values) = parsed(typed);
            assert_eq!(shape, parsed("x").0, "{typed}");
            assert!(values.contains(&typed.as_bytes().to_vec()), "{typed}");
        }
    }

    #[test]
    fn attributes_and_written_filters_are_checked() {
        for sound in ["uid", "2.5.4.3", "userCertificate;binary", "msDS-User"] {
            assert!(Attribute::parse(sound).is_some(), "{sound}");
        }
        for odd in ["", "a=b", "a)(b", "1a", "2..5", "a;", "a b", "-a"] {
            assert!(Attribute::parse(odd).is_none(), "{odd}");
        }
        assert!(WrittenFilter::parse("(&(objectClass=user)(!(cn=x)))").is_some());
        for odd in ["", "uid=a", "(uid=a", "(uid=a)(uid=b)", "(uid=a))"] {
            assert!(WrittenFilter::parse(odd).is_none(), "{odd}");
        }
    }
}
