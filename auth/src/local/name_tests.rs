//! The identity map: every spelling of a name reaches its one account, no twin reaches another's.

use super::tests::write;
use super::*;

/// A file of users, each a name and aliases.
fn file(users: &[(&str, &[&str])]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.toml");
    let user = |(name, aliases): &(&str, &[&str])| {
        let aliases: Vec<_> = aliases.iter().map(|alias| format!("'{alias}'")).collect();
        format!(
            "[[user]]\nname = '{name}'\naliases = [{}]\n",
            aliases.join(", ")
        )
    };
    write(&path, &users.iter().map(user).collect::<String>());
    (folder, path)
}

#[test]
fn every_spelling_reaches_the_one_account() {
    let (_folder, path) = file(&[
        ("Jörg.Weiß@Corp.Test", &["CORP\\jörg", "jörg", "jw"]),
        ("jw2@corp.test", &[]),
    ]);
    let users = LocalUsers::open(&path, None).unwrap();
    for typed in [
        "jörg.weiß@corp.test",
        "JÖRG.WEIẞ@CORP.TEST",
        "jo\u{308}rg.weiß@corp.test",
        "JO\u{308}RG.Weiß@corp.test",
        "ｊörg.weiß＠corp．test",
        "corp.test\\Jörg.Weiß",
        "corp.test/Jörg.Weiß",
        "CORP\\JÖRG",
        "corp/jo\u{308}rg",
        "jörg@corp",
        "JO\u{308}RG",
        "jw",
        "JW",
        "ＪＷ",
    ] {
        let account = users.account(typed).unwrap_or_else(|| panic!("{typed}"));
        assert_eq!(account.name, "jörg.weiß@corp.test");
    }
}

#[test]
fn a_twin_reaches_nobody() {
    let (_folder, path) = file(&[
        ("ilker@corp.test", &["CORP\\ilker"]),
        ("weiss", &[]),
        ("kelvin", &[]),
        ("alice", &[]),
    ]);
    let users = LocalUsers::open(&path, None).unwrap();
    for typed in [
        "\u{131}lker@corp.test",
        "\u{130}lker@corp.test",
        "CORP\\\u{131}lker",
        "weiß",
        "weiẞ",
        "wei\u{17f}s",
        "al\u{200b}ice",
        "alice\u{200d}",
        "\u{feff}alice",
        "\u{202e}alice",
        "al\u{ad}ice",
        "alice\u{a0}",
        " alice",
        "alice ",
        "\u{430}lice",
        "al\u{131}ce",
        "alic\u{e9}",
        "alice@",
        "@alice",
        "corp\\alice",
        "alice@corp",
        "alice\\",
        "alice/",
        "ilker",
        "ilker@corp.test@corp.test",
        "corp/ilker/alice",
    ] {
        let found = users.account(typed).map(|account| account.name.clone());
        assert_eq!(found, None, "{typed:?}");
    }
    // One letter in two places of Unicode, by its own rules.
    assert_eq!(users.account("\u{212a}elvin").unwrap().name, "kelvin");
}

#[test]
fn two_users_who_could_be_mistaken_for_each_other_are_refused() {
    for (one, other) in [
        ("ann", "ANN"),
        ("ann", "ａｎｎ"),
        ("andr\u{e9}", "andre\u{301}"),
        ("kelvin", "\u{212a}elvin"),
        ("ilker", "\u{131}lker"),
        ("ilker", "\u{130}lker"),
        ("weiss", "weiß"),
        ("weiß", "weiẞ"),
        ("sam", "\u{17f}am"),
        ("alice", "\u{430}lice"),
        ("alice@corp.test", "\u{430}lice@corp.test"),
        ("alice@corp.test", "corp.test\\\u{430}lice"),
        ("apple", "аррӏе"),
        ("fin", "ﬁn"),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            let (_folder, path) = file(&[("first", &[one]), ("second", &[other])]);
            let said = UsersFile::load(&path).expect_err(other).to_string();
            let place = format!("{}:6:12: user \"second\": aliases = ", path.display());
            assert!(said.starts_with(&place), "{said}");
            assert!(said.contains("user \"first\""), "{said}");
            assert!(LocalUsers::open(&path, None).is_err());
            // For one user they are two names, as an administrator may want.
            let (_folder, path) = file(&[("first", &[one]), ("second", &[])]);
            let mut file = UsersFile::load(&path).unwrap();
            assert!(file.add(&User::new(other)).is_err() || other.contains('\\'));
        }
    }
}

#[test]
fn names_that_are_told_apart_everywhere_are_fine() {
    let (_folder, path) = file(&[
        ("user1", &["modem", "o"]),
        ("userl", &["modern", "0"]),
        ("müller", &["straße", "strasse"]),
        ("muller", &["alice", "mül1er"]),
    ]);
    let said = UsersFile::load(&path)
        .expect_err("mül1er is müller")
        .to_string();
    assert!(said.contains("looks like \"müller\""), "{said}");
    let (_folder, path) = file(&[
        ("user1", &["modem", "o"]),
        ("userl", &["modern", "0"]),
        ("müller", &["straße", "strasse"]),
        ("muller", &["alice"]),
    ]);
    assert_eq!(UsersFile::load(&path).unwrap().users().len(), 4);
}

#[test]
fn a_name_that_cannot_be_seen_whole_or_leads_elsewhere_is_refused() {
    for name in [
        "al\u{200b}ice",
        "\u{202e}ecila",
        "al\u{a0}ice",
        "a／b",
        "a＼b",
        "．．",
        "．ann",
        "ann＠",
    ] {
        let (_folder, path) = file(&[(name, &[])]);
        let said = UsersFile::load(&path).expect_err(name).to_string();
        assert!(said.contains("invisible character"), "{said}");
    }
}
