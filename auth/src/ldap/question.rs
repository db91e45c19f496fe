//! From a name to the one question that finds its entry.

use ldap3::Scope;

use super::filter::{Attribute, Filter};
use super::schema::Schema;
use super::search::Question;
use crate::directory::Name;
use crate::{Login, letters};

/// Two are asked for, as more than one is nobody.
const MOST: usize = 2;

/// What to search for when this name was typed or proven. All of it is one search: two entries that
/// answer to one name are seen as two.
pub(super) fn by_name(
    schema: &Schema,
    base: &str,
    attributes: Vec<String>,
    name: Name<'_>,
) -> Question {
    let names = match (name, &schema.principal) {
        (Name::Typed(login), _) => typed(schema, login),
        (Name::Principal(login), Some(principal)) => vec![Filter::equal(principal, login.typed())],
        (Name::Principal(login), None) | (Name::Own(login), _) => own(schema, login, login.key()),
    };
    Question {
        base: base.to_owned(),
        scope: Scope::Subtree,
        filter: Filter::And(vec![
            Filter::Written(schema.people.clone()),
            Filter::Or(names),
        ]),
        attributes,
        most: MOST,
    }
}

/// The account's own name: whole, or without a realm of the directory.
fn own(schema: &Schema, login: &Login, whole: &str) -> Vec<Filter> {
    let short = login.realm().filter(|realm| schema.is_own(realm));
    let short = short.map(|_| Filter::equal(&schema.name, login.user()));
    let whole = Filter::equal(&schema.name, whole);
    std::iter::once(whole).chain(short).collect()
}

/// The own name, or an address when there is an `@`. A short name may itself look like a name with a
/// realm, so what was typed is looked for as it is.
fn typed(schema: &Schema, login: &Login) -> Vec<Filter> {
    let typed = login.typed();
    let mut names = own(schema, login, typed);
    if typed.contains('@') {
        let equal = |attribute: &Attribute, prefix: &str| {
            Filter::equal(attribute, format!("{prefix}{typed}"))
        };
        let addresses = schema.addresses.iter();
        names.extend(addresses.map(|address| equal(&address.attribute, address.prefix)));
    }
    names
}

impl Schema {
    /// Whether a realm, in lower case, is one in which short names are typed.
    pub(super) fn is_own(&self, realm: &str) -> bool {
        let own = self.domain.iter().chain(&self.realms);
        own.into_iter().any(|own| own.eq_ignore_ascii_case(realm))
    }

    /// The canonical name of the account with this short name, which its entry has and nobody typed;
    /// none when no account may have it: it becomes a piece of a path, and stands in logs.
    pub(super) fn canonical(&self, short: &str) -> Option<String> {
        // A directory may tell two entries apart that are spelled alike here (`K` and the sign for
        // kelvin): found by its address, the one must not reach the other's mailbox.
        if !letters::is_usual(short) {
            return None;
        }
        let mut name = letters::spelled(short);
        if let Some(domain) = &self.domain
            && !name.contains('@')
        {
            name = format!("{name}@{domain}");
        }
        let part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.trim() == part;
        let sound = name.len() <= 255
            && !name.contains('/')
            && !name.contains("..")
            && !name.chars().any(char::is_control)
            && !name.chars().any(letters::is_invisible)
            && name.split('@').all(part);
        sound.then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ldap::schema::Preset;

    fn filter(preset: Preset, name: Name<'_>) -> String {
        let mut schema = preset.schema();
        schema.domain = Some("corp.test".to_owned());
        schema.realms = vec!["CORP".to_owned()];
        let question = by_name(&schema, "", Vec::new(), name);
        question.filter.to_string()
    }

    #[test]
    fn every_form_of_a_name_has_its_question() {
        let people = "(&(objectCategory=person)(objectClass=user))";
        let short = |name: &str| format!("(sAMAccountName={name})");
        let address = |name: &str| {
            format!("(userPrincipalName={name})(mail={name})(proxyAddresses=smtp:{name})")
        };
        for (typed, names) in [
            ("Alice", short("alice")),
            ("CORP\\Alice", short("corp\\5calice") + &short("alice")),
            ("corp/alice", short("corp/alice") + &short("alice")),
            (
                "corp.test\\alice",
                short("corp.test\\5calice") + &short("alice"),
            ),
            ("OTHER\\alice", short("other\\5calice")),
            (
                "alice@corp.test",
                short("alice@corp.test") + &short("alice") + &address("alice@corp.test"),
            ),
            (
                "a.tester@mail.test",
                short("a.tester@mail.test") + &address("a.tester@mail.test"),
            ),
            ("*)(uid=*", short("\\2a\\29\\28uid=\\2a")),
        ] {
            let login = Login::parse(typed).unwrap();
            assert_eq!(
                filter(Preset::Ad, Name::Typed(&login)),
                format!("(&{people}(|{names}))"),
                "{typed}"
            );
        }
    }

    #[test]
    fn a_proven_name_is_looked_for_among_the_own_names_alone() {
        let short = |name: &str| format!("(sAMAccountName={name})");
        let principal = |name: &str| format!("(userPrincipalName={name})");
        for (proven, own, upn) in [
            ("Alice", short("alice"), principal("alice")),
            (
                "CORP\\Alice",
                short("alice@corp") + &short("alice"),
                principal("corp\\5calice"),
            ),
            // A trusted domain may have an Alice, too.
            (
                "OTHER\\alice",
                short("alice@other"),
                principal("other\\5calice"),
            ),
            (
                "alice@CORP.TEST",
                short("alice@corp.test") + &short("alice"),
                principal("alice@corp.test"),
            ),
            (
                "a.tester@mail.test",
                short("a.tester@mail.test"),
                principal("a.tester@mail.test"),
            ),
        ] {
            let people = "(&(objectCategory=person)(objectClass=user))";
            let login = Login::parse(proven).unwrap();
            for (name, names) in [(Name::Own(&login), own), (Name::Principal(&login), upn)] {
                let filter = filter(Preset::Ad, name);
                assert_eq!(filter, format!("(&{people}(|{names}))"), "{proven}");
            }
        }
        // Where there are no principal names, one is an own name.
        let login = Login::parse("alice@corp.test").unwrap();
        for name in [Name::Own(&login), Name::Principal(&login)] {
            assert_eq!(
                filter(Preset::OpenLdap, name),
                "(&(objectClass=inetOrgPerson)(|(uid=alice@corp.test)(uid=alice)))"
            );
        }
    }

    proptest! {
        /// Whatever is proven, no attribute with an address in it is asked.
        #[test]
        fn no_proven_name_is_an_address(proven in "[ -~é*()\\\\@]{1,30}") {
            let login = Login::parse(&proven).unwrap();
            for preset in Preset::ALL {
                for name in [Name::Own(&login), Name::Principal(&login)] {
                    let asked = filter(preset, name);
                    prop_assert!(!asked.contains("(mail="), "{asked}");
                    prop_assert!(!asked.contains("(proxyAddresses="), "{asked}");
                    prop_assert!(!asked.contains("(krbPrincipalName="), "{asked}");
                }
            }
        }
    }

    #[test]
    fn no_canonical_name_leads_anywhere() {
        let mut schema = Preset::OpenLdap.schema();
        assert_eq!(
            schema.canonical("W(ei*rd)\\x").as_deref(),
            Some("w(ei*rd)\\x")
        );
        for odd in [
            "",
            "a/b",
            "..",
            ".a",
            "a..b",
            "a@",
            "@b",
            " a",
            "a\n",
            "a\0",
            // Another spelling of `alice` or `kelvin`, or what nobody could see.
            "ａlice",
            "\u{212a}elvin",
            "ali\u{200b}ce",
            &"a".repeat(256),
        ] {
            assert_eq!(schema.canonical(odd), None, "{odd:?}");
        }
        schema.domain = Some("corp.test".to_owned());
        assert_eq!(
            schema.canonical("Alice").as_deref(),
            Some("alice@corp.test")
        );
        assert_eq!(
            schema.canonical("alice@x.test").as_deref(),
            Some("alice@x.test")
        );
    }
}
