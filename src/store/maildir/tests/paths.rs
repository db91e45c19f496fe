//! From an account to a path, and from a file name to what it tells.

use super::*;
use crate::store::maildir::PatternError;
use crate::store::maildir::name;

fn path(pattern: &str, name: &str) -> Result<PathBuf, StoreError> {
    let account = Account {
        name: name.to_owned(),
        ..Account::default()
    };
    Pattern::new(pattern).unwrap().path(&account)
}

#[test]
fn patterns_are_filled_from_the_canonical_name() {
    let full = "/var/mail/{domain}/{user}/Maildir";
    assert_eq!(
        path(full, "ann@example.test").unwrap(),
        Path::new("/var/mail/example.test/ann/Maildir")
    );
    assert_eq!(
        path("/m/{name}", "ann@example.test").unwrap(),
        Path::new("/m/ann@example.test")
    );
    assert_eq!(path("/m/{user}", "ann").unwrap(), Path::new("/m/ann"));
    assert_eq!(
        path("/m/{user}", "{domain}@x").unwrap(),
        Path::new("/m/{domain}")
    );
    let override_ = Account {
        name: "../../x".to_owned(),
        maildrop: Some("/home/ann/Maildir".into()),
        ..Account::default()
    };
    assert_eq!(
        Pattern::new(full).unwrap().path(&override_).unwrap(),
        Path::new("/home/ann/Maildir")
    );
}

#[test]
fn names_that_are_no_path_piece_are_refused() {
    for name in [
        "",
        ".",
        "..",
        ".ann",
        "../ann",
        "ann/../bob",
        "/etc",
        "ann\0",
        "ann\n",
        "ann\u{85}",
        &"a".repeat(256),
    ] {
        assert!(path("/m/{name}", name).is_err(), "{name:?}");
        assert!(path("/m/{user}", name).is_err(), "{name:?}");
    }
    for name in [
        "ann",
        "ann@",
        "@example.test",
        "ann@..",
        "ann@a/b",
        "ann@.hidden",
        "a@b@c",
    ] {
        assert!(path("/m/{domain}/{user}", name).is_err(), "{name:?}");
    }
    let relative = Account {
        maildrop: Some("Maildir".into()),
        ..Account::default()
    };
    assert!(Pattern::new("/{name}").unwrap().path(&relative).is_err());
}

#[test]
fn wrong_patterns_are_refused() {
    assert_eq!(
        Pattern::new("mail/{name}").unwrap_err(),
        PatternError::Relative
    );
    assert_eq!(
        Pattern::new("/mail/all").unwrap_err(),
        PatternError::Constant
    );
    for (text, placeholder) in [
        ("/m/{home}", "{home}"),
        ("/m/{name", "{name"),
        ("/m/}", "}"),
        ("/{{name}}", "{{name}"),
    ] {
        let wanted = PatternError::Placeholder(placeholder.to_owned());
        assert_eq!(Pattern::new(text).unwrap_err(), wanted);
    }
}

#[test]
fn the_fixed_part_of_a_pattern_is_its_root() {
    for (text, root) in [
        ("/var/mail/{domain}/{user}", "/var/mail/"),
        ("/m/x-{name}", "/m/"),
        ("/{name}", "/"),
    ] {
        assert_eq!(Pattern::new(text).unwrap().root(), Path::new(root));
    }
}

#[test]
fn file_names_tell_sizes_flags_and_times() {
    let whole = b"1762.M5P9V1I2.host,S=12,W=13:2,RS";
    assert_eq!(name::base(whole), b"1762.M5P9V1I2.host,S=12,W=13");
    assert_eq!(name::flags(whole), b"RS");
    assert_eq!(name::flags(b"1762.host:1,x"), b"");
    assert_eq!(name::number(name::base(whole), b'S'), Some(12));
    assert_eq!(name::number(name::base(whole), b'W'), Some(13));
    for lying in [
        &b"S=1"[..],
        b"1,S=",
        b"1,S=1x",
        b"1,S=-1",
        b"1,S=99999999999999999999",
        b"1,s=5",
    ] {
        assert_eq!(name::number(lying, b'S'), None, "{lying:?}");
    }
    assert_eq!(name::delivered(b"1762.M005P9.host"), (1762, 5));
    assert_eq!(name::delivered(b"1762.V801I2fM17.host"), (1762, 17));
    assert_eq!(name::delivered(b"1762.4711_1.host"), (1762, 0));
    assert_eq!(name::delivered(b"msg.AbC"), (0, 0));
    for odd in [&b""[..], b".x", b":2,S", b"a\nb", b"a\rb"] {
        assert!(!name::is_mail(odd));
    }
}
