//! Distinguished names: written from parts (RFC 4514), and read as far as we need to.
//!
//! A name that a bind is made with can never be empty: with an empty name a simple bind is
//! anonymous, and servers say yes to it (RFC 4513 §5.1.1).

use ldap3::dn_escape;

/// Under which name a bind is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BindName(String);

impl BindName {
    /// None for an empty name, and for one with a NUL in it.
    pub(super) fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        let usable = !name.trim().is_empty() && !name.contains('\0');
        usable.then_some(Self(name))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A pattern for the names of binds: `{user}@corp.test` or `uid={user},ou=people,dc=corp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTemplate {
    parts: Vec<Part>,
    /// Whether it is a distinguished name, in which values are escaped.
    distinguished: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The account's short name.
    User,
    /// The account's whole name.
    Name,
}

impl NameTemplate {
    /// Reads a pattern; none when it holds nothing of the account, or something unknown in braces.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, left) = after.split_once('}')?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match word {
                "user" => Part::User,
                "name" => Part::Name,
                _ => return None,
            });
            rest = left;
        }
        if parts.is_empty() || rest.contains('}') || text.contains('\0') {
            return None;
        }
        parts.push(Part::Text(rest.to_owned()));
        Some(Self {
            parts,
            distinguished: text.contains('='),
        })
    }

    /// The name of an account: its whole name, of which the short one is what stands before the
    /// last `@`.
    pub(super) fn fill(&self, name: &str) -> Option<BindName> {
        let user = name.rsplit_once('@').map_or(name, |(user, _)| user);
        let value = |text: &str| {
            if self.distinguished {
                dn_escape(text).into_owned()
            } else {
                text.to_owned()
            }
        };
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::User => value(user),
            Part::Name => value(name),
        });
        BindName::new(parts.collect::<String>())
    }
}

/// A name of the directory that is surely nobody's, for binds in vain.
pub(super) fn nobody(base: &str) -> String {
    let rest = if base.is_empty() { "" } else { "," };
    format!("cn=nobody.of.postern{rest}{base}")
}

/// The value of the last part named `cn` in a legacy Exchange name, `/o=Org/…/cn=EX01`.
pub(super) fn legacy_server(value: &str) -> Option<&str> {
    let (kind, name) = value.rsplit_once('/')?.1.split_once('=')?;
    (kind.eq_ignore_ascii_case("cn") && !name.is_empty()).then_some(name)
}

/// The value of the first part of a distinguished name: `EX01` of `CN=EX01,CN=Servers,…`. None when
/// the text has not the form of one.
pub(super) fn first_value(text: &str) -> Option<String> {
    let (kind, rest) = text.split_once('=')?;
    if !kind.starts_with(|first: char| first.is_ascii_alphanumeric())
        || kind.contains([',', '/', ' '])
    {
        return None;
    }
    let mut value = String::new();
    let mut escaped = false;
    for character in rest.chars() {
        match character {
            _ if escaped => {
                value.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            ',' | '+' => break,
            _ => value.push(character),
        }
    }
    Some(value).filter(|value| !value.is_empty())
}

/// `ad.example.test` as a base: `DC=ad,DC=example,DC=test`.
pub fn base_of_domain(domain: &str) -> String {
    let label = |label: &str| format!("DC={}", dn_escape(label));
    domain.split('.').map(label).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(template: &str, name: &str) -> String {
        let template = NameTemplate::parse(template).unwrap();
        template.fill(name).unwrap().as_str().to_owned()
    }

    #[test]
    fn values_in_distinguished_names_are_escaped_and_others_are_not() {
        assert_eq!(filled("{user}@corp.test", "a+b@x"), "a+b@corp.test");
        assert_eq!(filled("{name}", "a@x"), "a@x");
        assert_eq!(
            filled("uid={user},ou=people,dc=corp", "a,b=c+\"d@x"),
            "uid=a\\2cb\\3dc\\2b\\22d,ou=people,dc=corp"
        );
    }

    #[test]
    fn templates_without_the_account_are_none() {
        for text in [
            "", "cn=admin", "{}", "{domain}", "{user", "user}", "{user}}",
        ] {
            assert!(NameTemplate::parse(text).is_none(), "{text}");
        }
        assert!(BindName::new("").is_none() && BindName::new(" ").is_none());
        assert!(BindName::new("a\0").is_none());
    }

    proptest! {
        #[test]
        fn a_name_never_gets_another_part(name in "[^\\x00@]{1,20}") {
            let dn = filled("uid={user},dc=corp", &name);
            let (user, rest) = dn.rsplit_once(',').unwrap();
            prop_assert_eq!(rest, "dc=corp");
            // Every sign that could end a part is escaped: as `\2c` or with a backslash before it.
            let bare = user.strip_prefix("uid=").unwrap();
            prop_assert!(!bare.contains([',', '+', '=', ';', '<', '>', '"']));
        }
    }

    #[test]
    fn servers_are_found_in_both_kinds_of_names() {
        let legacy = "/o=Org/ou=Exchange (FYDIBOHF23SPDLT)/cn=Configuration/cn=Servers/cn=EX01";
        assert_eq!(legacy_server(legacy), Some("EX01"));
        assert_eq!(legacy_server("EX01"), None);
        assert_eq!(first_value("CN=DB\\, one,CN=x").as_deref(), Some("DB, one"));
        assert_eq!(first_value("alice@corp.test"), None);
        assert_eq!(
            base_of_domain("ad.example.test"),
            "DC=ad,DC=example,DC=test"
        );
    }
}
