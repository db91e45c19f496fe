//! The schema that a directory says it has (RFC 4512 §4.2): which attributes and object classes exist.
//!
//! Names alone are taken from the descriptions; what cannot be read is left out.

use std::collections::HashSet;

use super::filter::Attribute;

/// The names and numbers of everything that exists, in lower case.
#[derive(Clone, Debug, Default)]
pub struct Subschema {
    attributes: HashSet<String>,
    classes: HashSet<String>,
}

impl Subschema {
    /// Takes the values of `attributeTypes` and `objectClasses`.
    pub(super) fn read<'a>(
        attributes: impl Iterator<Item = &'a str>,
        classes: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            attributes: attributes.flat_map(names).collect(),
            classes: classes.flat_map(names).collect(),
        }
    }

    /// Whether nothing was read: some servers hide their schema.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Whether there is an attribute of this name or number; its options do not count.
    pub fn has_attribute(&self, attribute: &Attribute) -> bool {
        let kind = attribute.as_str().split(';').next().unwrap_or_default();
        self.attributes.contains(&kind.to_ascii_lowercase())
    }

    /// Whether there is an object class of this name or number.
    pub fn has_class(&self, name: &str) -> bool {
        self.classes.is_empty() || self.classes.contains(&name.to_ascii_lowercase())
    }
}

/// The number and the names of one description (RFC 4512 §4.1): `( 2.5.4.3 NAME ( 'cn' 'commonName' ) …`.
fn names(description: &str) -> Vec<String> {
    let inner = description.trim().strip_prefix('(').unwrap_or_default();
    let mut words = inner.split_ascii_whitespace();
    let mut names: Vec<_> = words
        .next()
        .map(str::to_ascii_lowercase)
        .into_iter()
        .collect();
    if words.next() != Some("NAME") {
        return names;
    }
    let rest = inner.split_once("NAME").map_or("", |(_, rest)| rest);
    let list = rest.trim_start();
    let list = match list.strip_prefix('(') {
        Some(list) => list.split(')').next().unwrap_or_default(),
        None => {
            let end = list.match_indices('\'').nth(1).map_or(0, |(end, _)| end);
            list.get(..end).unwrap_or_default()
        }
    };
    // Every second piece is between two quotes.
    let quoted = list.split('\'').skip(1).step_by(2);
    names.extend(quoted.map(str::to_ascii_lowercase));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_from_every_form() {
        for (description, wanted) in [
            (
                "( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519: common name(s) for which' SUP name )",
                &["2.5.4.3", "cn", "commonname"][..],
            ),
            (
                "( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX '1.3.6' SINGLE-VALUE )",
                &["1.2.840.113556.1.4.221", "samaccountname"],
            ),
            ("(1.2.3 NAME 'uid')", &["1.2.3", "uid"]),
            ("( 1.2.3 DESC 'NAME of nothing' )", &["1.2.3"]),
            ("( 1.2.3 NAME ", &["1.2.3"]),
            ("nonsense", &[]),
            ("", &[]),
        ] {
            assert_eq!(names(description), wanted, "{description}");
        }
    }

    #[test]
    fn options_and_case_do_not_count() {
        let read =
            |types: &'static [&str]| Subschema::read(types.iter().copied(), std::iter::empty());
        let schema = read(&["( 2.5.4.36 NAME 'userCertificate' )"]);
        let has = |name| schema.has_attribute(&Attribute::parse(name).unwrap());
        assert!(has("USERcertificate;binary") && has("2.5.4.36") && !has("uid"));
        assert!(read(&[]).is_empty());
        assert!(schema.has_class("person"), "it does not say");
    }
}
