//! Names in questions to a directory: whatever is typed, the filter has the shape that the code gave
//! it and the name in it as it was typed (RFC 4515), and a distinguished name keeps its parts
//! (RFC 4514). The input is the name.

use postern_auth::readers::{ldap_bind_name, ldap_filter};
use postern_auth::{Login, NameTemplate, Preset, Schema, base_of_domain};

/// Asks for the name, and binds with it.
pub fn run(input: &[u8]) {
    let typed = String::from_utf8_lossy(input);
    if let Ok(login) = Login::parse(&typed) {
        let mut schema = Preset::Ad.schema();
        schema.domain = Some("corp.test".to_owned());
        schema.realms = vec!["CORP".to_owned()];
        asked(&schema, &login);
    }
    bound(&typed);
    let base = base_of_domain(&typed);
    let labels: Vec<_> = typed
        .split('.')
        .map(|label| ("DC".to_owned(), label.to_owned()))
        .collect();
    assert_eq!(distinguished(&base), labels, "{base}");
}

/// One question: who of the people has one of these names.
fn asked(schema: &Schema, login: &Login) {
    let filter = ldap_filter(schema, login);
    let people = "(&(objectCategory=person)(objectClass=user))";
    let names = filter
        .strip_prefix("(&")
        .and_then(|rest| rest.strip_prefix(people))
        .and_then(|rest| rest.strip_prefix("(|"))
        .and_then(|rest| rest.strip_suffix("))"))
        .expect("the shape that it always has");
    let leaves: Option<Vec<_>> = names
        .split_inclusive(')')
        .map(|leaf| leaf.strip_prefix('(')?.strip_suffix(')')?.split_once('='))
        .collect();
    let leaves = leaves.expect("a list of equalities");
    let found: Vec<_> = leaves
        .into_iter()
        .map(|(attribute, value)| (attribute, unescaped(value)))
        .collect();
    let typed = login.typed();
    let mut expected = vec![("sAMAccountName", typed.to_owned())];
    if matches!(login.realm(), Some("corp" | "corp.test")) {
        expected.push(("sAMAccountName", login.user().to_owned()));
    }
    if typed.contains('@') {
        expected.push(("userPrincipalName", typed.to_owned()));
        expected.push(("mail", typed.to_owned()));
        expected.push(("proxyAddresses", format!("smtp:{typed}")));
    }
    assert_eq!(found, expected, "{filter}");
}

/// The value of an equality (RFC 4515 §3): nothing with a meaning stands in it but `\` and two digits.
fn unescaped(value: &str) -> String {
    assert!(!value.contains(['*', '(', ')', '\0']), "{value}");
    let mut pieces = value.split('\\');
    let mut octets = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).expect("two digits");
        octets.push(u8::from_str_radix(digits, 16).expect("two digits"));
        octets.extend(rest.as_bytes());
    }
    String::from_utf8(octets).expect("a value of text")
}

fn bound(account: &str) {
    let user = account.rsplit_once('@').map_or(account, |(user, _)| user);
    let template = |text| NameTemplate::parse(text).expect("a template");
    let in_tree = template("uid={user},ou=people,dc=corp");
    let name = ldap_bind_name(&in_tree, account);
    // A NUL that is escaped in the name is none.
    let name = name.expect("a name that is not empty");
    let parts = [("uid", user), ("ou", "people"), ("dc", "corp")];
    assert_eq!(distinguished(&name), parts.map(owned), "{name}");
    let plain = format!("{user}@corp.test");
    let usable = (!plain.contains('\0')).then_some(plain);
    let by_address = template("{user}@corp.test");
    assert_eq!(ldap_bind_name(&by_address, account), usable);
    let bare = ldap_bind_name(&template("{name}"), account);
    let usable = !account.trim().is_empty() && !account.contains('\0');
    assert_eq!(bare.as_deref(), Some(account).filter(|_| usable));
}

fn owned((kind, value): (&str, &str)) -> (String, String) {
    (kind.to_owned(), value.to_owned())
}

/// The parts of a distinguished name (RFC 4514 §3), each of one kind and one value.
fn distinguished(name: &str) -> Vec<(String, String)> {
    let octets = name.as_bytes();
    let mut parts = vec![Vec::new()];
    let mut at = 0;
    // Blanks at the ends of a value have no meaning, unless they are escaped.
    while let Some(octet) = octets.get(at) {
        at += 1;
        match octet {
            b',' | b'+' | b';' => parts.push(Vec::new()),
            b'\\' => {
                let digits = name
                    .get(at..at + 2)
                    .filter(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()));
                let kept = match digits {
                    Some(digits) => {
                        at += 2;
                        u8::from_str_radix(digits, 16).expect("two digits")
                    }
                    None => {
                        at += 1;
                        octets[at - 1]
                    }
                };
                parts.last_mut().expect("a part").push((kept, true));
            }
            other => {
                assert!(!matches!(other, 0 | b'"' | b'<' | b'>'), "{name}");
                parts.last_mut().expect("a part").push((*other, false));
            }
        }
    }
    parts.iter().map(|part| kind_and_value(part)).collect()
}

/// Octets, and whether each was escaped.
fn kind_and_value(part: &[(u8, bool)]) -> (String, String) {
    let text = |octets: &[(u8, bool)]| {
        let octets = octets.iter().map(|(octet, _)| *octet).collect();
        String::from_utf8(octets).expect("text")
    };
    let sign = part.iter().position(|octet| *octet == (b'=', false));
    let (kind, value) = part.split_at(sign.expect("a kind and a value"));
    let value = &value[1..];
    for end in [value.first(), value.last()] {
        assert_ne!(end, Some(&(b' ', false)), "a blank that is dropped");
    }
    assert_ne!(value.first(), Some(&(b'#', false)), "octets in digits");
    (text(kind), text(value))
}
