//! What a written filter mentions: its attributes and object classes, so that they can be looked up in
//! the schema. A filter that names what does not exist finds nothing, and no server says why.

use ldap3::asn1::Tag;
use ldap3::parse_filter;

use super::filter::{Attribute, WrittenFilter};

/// The tags of RFC 4511 §4.5.1.7 whose content is a list of filters, or one.
const AND: u64 = 0;
const OR: u64 = 1;
const NOT: u64 = 2;
const EQUALITY: u64 = 3;
const PRESENT: u64 = 7;
const EXTENSIBLE: u64 = 9;
/// Within `extensibleMatch`: the attribute.
const EXTENSIBLE_TYPE: u64 = 2;

/// What a filter mentions, each once and as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// Values of `objectClass`.
    pub classes: Vec<String>,
}

impl WrittenFilter {
    /// What it mentions.
    pub fn mentioned(&self) -> Mentioned {
        let mut mentioned = Mentioned::default();
        if let Ok(filter) = parse_filter(self.as_str()) {
            mentioned.walk(&filter);
        }
        mentioned
    }
}

impl Mentioned {
    fn walk(&mut self, filter: &Tag) {
        match filter {
            Tag::Sequence(list) if matches!(list.id, AND | OR) => {
                list.inner.iter().for_each(|part| self.walk(part));
            }
            Tag::ExplicitTag(part) if part.id == NOT => self.walk(&part.inner),
            Tag::OctetString(attribute) if attribute.id == PRESENT => {
                self.attribute(&attribute.inner);
            }
            Tag::Sequence(parts) if parts.id == EXTENSIBLE => {
                for part in &parts.inner {
                    if let Tag::OctetString(text) = part
                        && text.id == EXTENSIBLE_TYPE
                    {
                        self.attribute(&text.inner);
                    }
                }
            }
            Tag::Sequence(pair) => {
                let texts: Vec<_> = pair.inner.iter().filter_map(text).collect();
                let [attribute, rest @ ..] = texts.as_slice() else {
                    return;
                };
                self.attribute(attribute);
                if pair.id == EQUALITY
                    && attribute.eq_ignore_ascii_case(b"objectClass")
                    && let [class] = rest
                {
                    self.class(class);
                }
            }
            // What is no part of a filter.
            Tag::Integer(_)
            | Tag::Enumerated(_)
            | Tag::Set(_)
            | Tag::OctetString(_)
            | Tag::Boolean(_)
            | Tag::Null(_)
            | Tag::ExplicitTag(_)
            | Tag::StructureTag(_) => {}
        }
    }

    fn attribute(&mut self, name: &[u8]) {
        let attribute = std::str::from_utf8(name).ok().and_then(Attribute::parse);
        let new = attribute.filter(|attribute| !self.attributes.contains(attribute));
        self.attributes.extend(new);
    }

    fn class(&mut self, name: &[u8]) {
        let class = String::from_utf8_lossy(name).into_owned();
        if !self.classes.contains(&class) {
            self.classes.push(class);
        }
    }
}

fn text(tag: &Tag) -> Option<&[u8]> {
    if let Tag::OctetString(text) = tag {
        Some(&text.inner)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_classes_are_found_in_every_kind_of_filter() {
        for (filter, attributes, classes) in [
            (
                "(&(objectCategory=person)(objectClass=user)(!(cn=x)))",
                "objectCategory objectClass cn",
                "user",
            ),
            ("(|(mail=*)(uid=a*b)(age>=3)(age<=9))", "mail uid age", ""),
            ("(memberOf:1.2.840.113556.1.4.1941:=CN=x)", "memberOf", ""),
            ("(sn~=miller)", "sn", ""),
            (
                "(OBJECTCLASS=inetOrgPerson)",
                "OBJECTCLASS",
                "inetOrgPerson",
            ),
        ] {
            let mentioned = WrittenFilter::parse(filter).unwrap().mentioned();
            let names: Vec<_> = mentioned.attributes.iter().map(Attribute::as_str).collect();
            assert_eq!(names.join(" "), attributes, "{filter}");
            assert_eq!(mentioned.classes.join(" "), classes, "{filter}");
        }
    }
}
