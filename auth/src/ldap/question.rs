//! From a typed name to the one question that finds its entry.

use ldap3::Scope;

use super::filter::Filter;
use super::schema::Schema;
use super::search::Question;
use crate::{Login, letters};

/// Two are asked for, as more than one is nobody.
const MOST: usize = 2;

/// What to search for when this was typed.
///
/// The short name is looked for when it was typed bare, or in a realm of the directory; an address
/// when there is an `@`. A short name may itself look like a name with a realm, so what was typed
/// is looked for as it is, too. All of it is one search: two entries that answer to one typed name
/// are seen as two.
pub(super) fn by_login(
    schema: &Schema,
    base: &str,
    attributes: Vec<String>,
    login: &Login,
) -> Question {
    let mut names = vec![Filter::equal(&schema.name, login.typed())];
    if let Some(realm) = login.realm()
        && schema.is_own(realm)
    {
        names.push(Filter::equal(&schema.name, login.user()));
    }
    if login.typed().contains('@') {
        let typed = |address: &super::schema::Address| {
            Filter::equal(
                &address.attribute,
                format!("{}{}", address.prefix, login.typed()),
            )
        };
        names.extend(schema.addresses.iter().map(typed));
    }
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
    use super::*;
    use crate::ldap::schema::Preset;

    fn filter(preset: Preset, typed: &str) -> String {
        let mut schema = preset.schema();
        schema.domain = Some("corp.test".to_owned());
        schema.realms = vec!["CORP".to_owned()];
        let login = Login::parse(typed).unwrap();
        by_login(&schema, "", Vec::new(), &login).filter.to_string()
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
            assert_eq!(
                filter(Preset::Ad, typed),
                format!("(&{people}(|{names}))"),
                "{typed}"
            );
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
