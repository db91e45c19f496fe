//! Users files with and without mistakes in them.

use super::*;

#[test]
fn every_key_is_read() {
    let desk = desk(
        "[[user]]\nname = \"Alice@Example.test\"\naliases = [\"a\", 'CORP\\alice']\nsite = \"London\"\n\
         pop3 = false\ndisabled = true\nexact_size = true\ndelegates = [\"B\", \"other\"]\n\
         maildrop = \"/srv/mail/alice\"\n[[user]]\nname = \"bob\"\naliases = [\"b\"]\n",
    );
    let users = LocalUsers::open(&desk.path, None).unwrap();
    assert_eq!(users.count(), 2);
    for name in [
        "alice@example.test",
        "A",
        "corp\\ALICE",
        "corp/alice",
        "alice@corp",
    ] {
        let account = users.account(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(account.name, "alice@example.test");
    }
    let account = users.account("a").unwrap();
    assert!(account.disabled && account.pop3_off && account.exact_size == Some(true));
    assert_eq!(
        account.site.as_ref().map(crate::Site::as_str),
        Some("London")
    );
    assert_eq!(
        account.delegates,
        ["bob", "other"],
        "an alias counts as its user"
    );
    assert_eq!(
        account.maildrop.as_deref(),
        Some(Path::new("/srv/mail/alice"))
    );
    assert_eq!(
        users.account("alice").map(|account| account.name.clone()),
        None
    );
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    for (text, says) in [
        (
            "[[user]]\nname = \"a\"\npasword = \"x\"",
            ":3:1: unknown field `pasword`",
        ),
        (
            "[[user]]\nname = \"a\"\npop3 = \"no\"",
            ":3:8: invalid type",
        ),
        ("[[user]]\npop3 = true", ":1:1: missing field `name`"),
        ("users = 1", ":1:1: unknown field `users`"),
        ("[[user]]\nname = \"a\"\n[[us", ":3:5: "),
        (
            "[[user]]\nname = \"a\"\npassword = \"secret\"",
            ":3:12: user \"a\": password: is not a hash",
        ),
        (
            "[[user]]\nname = \"a\"\nmaildrop = \"mail/a\"",
            ":3:12: user \"a\": maildrop = \"mail/a\": give the absolute",
        ),
        (
            "[[user]]\nname = \"a\"\nmaildrop = \"/srv/../a\"",
            ":3:12: user \"a\": maildrop",
        ),
        (
            "[[user]]\nname = \"a\"\nsite = \" \"",
            ":3:8: user \"a\": site: the name is empty",
        ),
        (
            "[[user]]\nname = \"a\"\n[[user]]\nname = \"A\"",
            ":4:8: user \"A\": name = \"A\": the user \"a\" answers",
        ),
        (
            "[[user]]\nname = \"a\"\n[[user]]\nname = \"b\"\naliases = [\"c\", \"A\"]",
            ":5:17: user \"b\": aliases = \"A\": the user \"a\"",
        ),
        (
            "[[user]]\nname = \"x@y\"\n[[user]]\nname = \"b\"\naliases = ['Y\\X']",
            ":5:12: user \"b\": aliases",
        ),
    ] {
        assert!(
            complaint(text).starts_with(says),
            "{text}\n-> {}",
            complaint(text)
        );
    }
}

#[test]
fn names_that_could_lead_anywhere_are_refused() {
    for name in [
        "",
        "a/b",
        "a\\\\b",
        ".",
        "..",
        ".a",
        "a..b",
        "a@.b",
        "@b",
        "a@",
        "a\\u0000b",
        "a\\nb",
        " a",
        "a@b ",
    ] {
        let says = complaint(&format!("[[user]]\nname = \"{name}\""));
        assert!(
            says.starts_with(":2:8: user ") && says.contains("a name has no slash"),
            "{says}"
        );
    }
    let long = "a".repeat(256);
    assert!(complaint(&format!("[[user]]\nname = \"{long}\"")).contains("255 octets"));
    assert!(complaint("[[user]]\nname = \"a\"\naliases = [\"../x\"]").starts_with(":3:12:"));
    assert!(complaint("[[user]]\nname = \"a\"\ndelegates = [\"a/b/c\"]").starts_with(":3:14:"));
}

#[test]
fn a_hash_is_never_repeated_in_a_complaint() {
    let says = complaint("[[user]]\nname = \"a\"\npassword = \"$6$verysecret$damaged\"");
    assert!(
        says.contains("is damaged") && !says.contains("verysecret"),
        "{says}"
    );
}
