//! What is wrong with a file is said with its place and its remedy.

use super::*;

#[test]
fn everything_wrong_is_said_at_once_with_place_key_and_remedy() {
    let text = "\
profile = \"exchange-2003\"
hostnam = \"x\"
banner = \"<1@x>\"
[[listener]]
address = \"*:110\"
[login]
type = 3
attempts = 0
mechanisms = [\"XOAUTH2\", \"FOO\"]
[limits]
max_command = \"39\"
attempts = 5
[timeouts]
drain = \"soon\"
";
    let said = refused(text);
    for expected in [
        "postern.toml:1:11: error: profile: \"exchange-2003\" is not one of its words",
        "postern.toml:2:1: error: hostnam: there is no such key\n  remedy: did you mean `hostname`?",
        "postern.toml:3:10: error: banner: clients would take < and >",
        "postern.toml:5:11: error: listener[0].address: \"*:110\" is not an address with a port",
        "postern.toml:7:8: error: login.type: a value of type integer does not fit",
        "postern.toml:8:12: error: login.attempts: 0 is out of range\n  remedy: write number from 1 to 100",
        "postern.toml:9:15: error: login.mechanisms: XOAUTH2 is not in this version",
        "postern.toml:9:26: error: login.mechanisms: \"FOO\" is not a SASL mechanism",
        "postern.toml:11:15: error: limits.max_command: 39B is out of range",
        "postern.toml:12:1: error: limits.attempts: there is no such key\n  remedy: it belongs under [login]",
        "postern.toml:14:9: error: timeouts.drain: \"soon\" is not a duration",
    ] {
        assert!(said.contains(expected), "missing: {expected}\nin:\n{said}");
    }
}

#[test]
fn a_syntax_error_has_its_place() {
    let said = refused("profile = \"postern\"\nsite = london\n");
    assert!(
        said.contains("postern.toml:2:8: error: this is not TOML"),
        "{said}"
    );
}

#[test]
fn missing_keys_are_named() {
    let said = refused("");
    for expected in [
        "listener: there is no listener",
        "users.file: the key is missing",
        "maildrop.path: the key is missing",
    ] {
        assert!(said.contains(expected), "missing: {expected}\nin:\n{said}");
    }
    let said = refused("[[listener]]\ntls = \"none\"\n[tls]\n");
    assert!(
        said.contains("postern.toml:1:1: error: listener[0].address: the key is missing"),
        "{said}"
    );
    assert!(
        said.contains("tls.private_key: the key is missing"),
        "{said}"
    );
}

#[test]
fn sections_are_not_values() {
    let said = refused("login = 3\nlistener = \"x\"\n[[users]]\nfile = \"x\"\n");
    assert!(
        said.contains(
            "login: this is a section, not a value\n  remedy: begin it with a line [login]"
        )
    );
    assert!(said.contains("begin it with a line [[listener]]"), "{said}");
    assert!(said.contains("begin it with a line [users]"), "{said}");
}

proptest::proptest! {
    /// Whatever a file contains, the answer is findings and never a panic.
    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        let _ = run(&text);
        let _ = run(&format!("{SMALL}\n{text}"));
    }
}
