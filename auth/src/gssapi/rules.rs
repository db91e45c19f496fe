//! From a principal to the login whose account it is: by written rules alone.
//!
//! A ticket says that a KDC vouches for a principal. Which account that is, if any, is said here
//! and nowhere else: never by `.k5login`, `auth_to_local` or a guess. What no rule names (another
//! realm, a machine, an instance, an escaped sign, another case) reaches nobody.

use super::principal::Principal;

/// What stands for the user and for the realm in a pattern.
const USER: &str = "{user}";
const REALM: &str = "{realm}";

/// A realm whose users may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmRule {
    /// The realm, as the KDC writes it.
    pub realm: String,
    /// The login of its users: `{user}` and `{realm}` stand for theirs.
    pub login: LoginPattern,
    /// Whether `Alice` is `alice`. In Active Directory it is; an MIT KDC may have both.
    pub ignore_case: bool,
}

/// One principal and the login that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalRule {
    /// The principal; it matches whole and as written.
    pub principal: Principal,
    /// The login, as a directory knows it.
    pub login: String,
}

/// How a login is made of a user and a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPattern(String);

impl LoginPattern {
    /// Reads a pattern. `{user}` must stand in it, once, and nothing else in braces but `{realm}`:
    /// without the user all would be one.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.replacen(USER, "", 1).replacen(REALM, "", 1);
        (text.contains(USER) && !rest.contains(['{', '}'])).then(|| Self(text.to_owned()))
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pieces are put in at once, so that a user named `{realm}` stays one.
    fn login(&self, user: &str, realm: &str) -> String {
        let with_realm = |piece: &str| piece.replacen(REALM, realm, 1);
        match self.0.split_once(USER) {
            Some((before, after)) => format!("{}{user}{}", with_realm(before), with_realm(after)),
            None => String::new(),
        }
    }
}

impl Default for LoginPattern {
    fn default() -> Self {
        Self("{user}@{realm}".to_owned())
    }
}

/// All rules. Principals come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalRules {
    /// Realms whose users may log in. None: the realms of the service's own keys, with the default
    /// pattern.
    pub realms: Vec<RealmRule>,
    /// Principals that are to be somebody else, or that no realm's rule lets in.
    pub principals: Vec<PrincipalRule>,
}

/// Why a principal is nobody. The words are for an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRule {
    #[error("no [[gssapi.realm]] names its realm")]
    Realm,
    #[error("it has an instance, and no [[gssapi.principal]] names it")]
    Instance,
    #[error("it is a machine's, and no [[gssapi.principal]] names it")]
    Machine,
    #[error("it has a character in it that no login has, and no [[gssapi.principal]] names it")]
    Odd,
    #[error(
        "it is not in lower case: set ignore_case in its [[gssapi.realm]] if the KDC does not tell case apart"
    )]
    Case,
}

impl PrincipalRules {
    /// The login of a principal. `own`: the realm of the key that opened its ticket.
    pub(crate) fn login(&self, principal: &Principal, own: &str) -> Result<String, NoRule> {
        let named = self
            .principals
            .iter()
            .find(|rule| rule.principal == *principal);
        if let Some(rule) = named {
            return Ok(rule.login.clone());
        }
        let realm = principal.realm();
        let fallback = LoginPattern::default();
        let (pattern, ignore_case) = match self.realms.iter().find(|rule| rule.realm == realm) {
            Some(rule) => (&rule.login, rule.ignore_case),
            None if self.realms.is_empty() && realm == own => (&fallback, false),
            None => return Err(NoRule::Realm),
        };
        let user = principal.user().ok_or(NoRule::Instance)?;
        if user.ends_with('$') {
            return Err(NoRule::Machine);
        }
        if user.contains(['@', '/', '\\']) || user.chars().any(char::is_control) {
            return Err(NoRule::Odd);
        }
        if !ignore_case && user.chars().any(|character| !is_lower(character)) {
            return Err(NoRule::Case);
        }
        Ok(pattern.login(user, realm))
    }
}

/// Whether it is its own lower case.
fn is_lower(character: char) -> bool {
    let mut lower = character.to_lowercase();
    lower.next() == Some(character) && lower.next().is_none()
}

/// Whether an authorization identity means the principal itself: nothing, its user, the whole
/// principal, or the login that it is. Clients send any of these for "my own mailbox", and saying
/// yes too often gives nobody more than that.
pub(crate) fn is_self(authzid: &str, principal: &Principal, login: &str) -> bool {
    let lower = authzid.to_lowercase();
    let same = |name: &str| name.to_lowercase() == lower;
    authzid.is_empty()
        || principal.user().is_some_and(same)
        || same(&principal.to_string())
        || same(login)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "EXAMPLE.TEST";

    fn principal(text: &str) -> Principal {
        Principal::parse(text).unwrap()
    }

    fn realm(name: &str, login: &str, ignore_case: bool) -> RealmRule {
        RealmRule {
            realm: name.to_owned(),
            login: LoginPattern::parse(login).unwrap(),
            ignore_case,
        }
    }

    fn table(rules: &PrincipalRules, rows: &[(&str, Result<&str, NoRule>)]) {
        for (text, wanted) in rows {
            let login = rules.login(&principal(text), OWN);
            assert_eq!(
                login.as_deref(),
                wanted.as_ref().map(|login| *login),
                "{text}"
            );
        }
    }

    #[test]
    fn without_rules_the_users_of_the_own_realm_are_themselves() {
        table(
            &PrincipalRules::default(),
            &[
                ("alice@EXAMPLE.TEST", Ok("alice@EXAMPLE.TEST")),
                ("root@EXAMPLE.TEST", Ok("root@EXAMPLE.TEST")),
                ("alice@PARTNER.TEST", Err(NoRule::Realm)),
                ("alice@example.test", Err(NoRule::Realm)),
                ("alice/admin@EXAMPLE.TEST", Err(NoRule::Instance)),
                ("host$@EXAMPLE.TEST", Err(NoRule::Machine)),
                ("Alice@EXAMPLE.TEST", Err(NoRule::Case)),
                ("É@EXAMPLE.TEST", Err(NoRule::Case)),
                ("é@EXAMPLE.TEST", Ok("é@EXAMPLE.TEST")),
                (r"alice\@PARTNER.TEST@EXAMPLE.TEST", Err(NoRule::Odd)),
                (r"corp\\alice@EXAMPLE.TEST", Err(NoRule::Odd)),
                (r"a\/b@EXAMPLE.TEST", Err(NoRule::Odd)),
                (r"alice\0@EXAMPLE.TEST", Err(NoRule::Odd)),
                (
                    "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS",
                    Err(NoRule::Realm),
                ),
            ],
        );
    }

    #[test]
    fn a_realm_says_how_its_users_are_called() {
        let rules = PrincipalRules {
            realms: vec![
                realm("EXAMPLE.TEST", "{user}", true),
                realm("PARTNER.TEST", "{user}@partner.example.test", false),
            ],
            principals: Vec::new(),
        };
        table(
            &rules,
            &[
                ("Alice@EXAMPLE.TEST", Ok("Alice")),
                ("alice@PARTNER.TEST", Ok("alice@partner.example.test")),
                ("Alice@PARTNER.TEST", Err(NoRule::Case)),
                ("alice@OTHER.TEST", Err(NoRule::Realm)),
                ("{realm}@EXAMPLE.TEST", Ok("{realm}")),
            ],
        );
    }

    #[test]
    fn named_realms_are_all_realms() {
        let rules = PrincipalRules {
            realms: vec![realm("PARTNER.TEST", "{user}@{realm}", false)],
            principals: Vec::new(),
        };
        table(&rules, &[("alice@EXAMPLE.TEST", Err(NoRule::Realm))]);
    }

    #[test]
    fn a_named_principal_is_who_the_rule_says() {
        let named = |text: &str, login: &str| PrincipalRule {
            principal: principal(text),
            login: login.to_owned(),
        };
        let rules = PrincipalRules {
            realms: Vec::new(),
            principals: vec![
                named("scan/mfp7.example.test@EXAMPLE.TEST", "scanner"),
                named("ticket$@EXAMPLE.TEST", "tickets"),
                named("bob@EXAMPLE.TEST", "robert"),
                named("carol@PARTNER.TEST", "carol"),
            ],
        };
        table(
            &rules,
            &[
                ("scan/mfp7.example.test@EXAMPLE.TEST", Ok("scanner")),
                ("scan/mfp8.example.test@EXAMPLE.TEST", Err(NoRule::Instance)),
                ("ticket$@EXAMPLE.TEST", Ok("tickets")),
                ("bob@EXAMPLE.TEST", Ok("robert")),
                ("Bob@EXAMPLE.TEST", Err(NoRule::Case)),
                ("carol@PARTNER.TEST", Ok("carol")),
                ("dave@PARTNER.TEST", Err(NoRule::Realm)),
                ("alice@EXAMPLE.TEST", Ok("alice@EXAMPLE.TEST")),
            ],
        );
    }

    #[test]
    fn a_pattern_has_the_user_in_it() {
        for text in [
            "",
            "alice",
            "{realm}",
            "{user}{user}",
            "{user}@{host}",
            "{user}}",
        ] {
            assert_eq!(LoginPattern::parse(text), None, "{text}");
        }
        assert!(LoginPattern::parse("{realm}\\{user}").is_some());
    }

    #[test]
    fn the_own_mailbox_has_four_names() {
        let alice = principal("alice@EXAMPLE.TEST");
        for own in [
            "",
            "alice",
            "Alice",
            "alice@EXAMPLE.TEST",
            "alice@example.test",
            "a.smith",
        ] {
            assert!(is_self(own, &alice, "a.smith"), "{own}");
        }
        for other in [
            "bob",
            "alice@partner.test",
            "sales",
            "alice/admin@EXAMPLE.TEST",
        ] {
            assert!(!is_self(other, &alice, "a.smith"), "{other}");
        }
    }
}
