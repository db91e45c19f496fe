//! Kerberos in the configuration.

use super::*;

const WITH_KEYTAB: &str = r#"
[login]
mechanisms = ["gssapi", "GSS-SPNEGO", "PLAIN"]
[gssapi]
keytab = "pop.keytab"
"#;

fn with(more: &str) -> String {
    format!("{SMALL}{WITH_KEYTAB}{more}")
}

#[test]
fn a_keytab_is_all_that_kerberos_needs() {
    let Accepted { config, warnings } = accepted(&with(""));
    assert_eq!(warnings, []);
    let gssapi = config.gssapi.unwrap();
    assert_eq!(gssapi.keytab, Path::new("/etc/postern/pop.keytab"));
    let services: Vec<_> = gssapi
        .services
        .iter()
        .map(|name| name.service.as_str())
        .collect();
    assert_eq!(services, ["pop", "pop3"]);
    assert_eq!((gssapi.replay_cache, gssapi.weak_keys), (None, false));
    assert!(gssapi.rules.realms.is_empty() && gssapi.rules.principals.is_empty());
    assert!(accepted(SMALL).config.gssapi.is_none());
}

#[test]
fn rules_are_taken_as_written() {
    let more = r#"
services = ["pop/mail.example.test"]
replay_cache = "/run/postern/replays"
[[gssapi.realm]]
name = "EXAMPLE.TEST"
login = "{user}"
ignore_case = true
[[gssapi.realm]]
name = "PARTNER.TEST"
[[gssapi.principal]]
name = "scan/mfp7@EXAMPLE.TEST"
login = "scanner"
"#;
    let rules = accepted(&with(more)).config.gssapi.unwrap().rules;
    let realms: Vec<_> = rules
        .realms
        .iter()
        .map(|rule| (rule.realm.as_str(), rule.login.as_str(), rule.ignore_case))
        .collect();
    assert_eq!(
        realms,
        [
            ("EXAMPLE.TEST", "{user}", true),
            ("PARTNER.TEST", "{user}@{realm}", false)
        ]
    );
    assert_eq!(
        rules.principals[0].principal.to_string(),
        "scan/mfp7@EXAMPLE.TEST"
    );
    assert_eq!(rules.principals[0].login, "scanner");
}

#[test]
fn what_is_wrong_is_said_with_its_key() {
    for (text, key) in [
        ("services = []", "gssapi.services"),
        ("services = [\"pop@host\"]", "gssapi.services"),
        (
            "[[gssapi.realm]]\nlogin = \"{user}\"",
            "gssapi.realm[0].name",
        ),
        (
            "[[gssapi.realm]]\nname = \"R\"\nlogin = \"all\"",
            "gssapi.realm[0].login",
        ),
        (
            "[[gssapi.realm]]\nname = \"R\"\n[[gssapi.realm]]\nname = \"R\"",
            "gssapi.realm[1].name",
        ),
        (
            "[[gssapi.principal]]\nname = \"alice\"\nlogin = \"alice\"",
            "gssapi.principal[0].name",
        ),
        (
            "[[gssapi.principal]]\nname = \"alice@R\"\nlogin = \"\"",
            "gssapi.principal[0].login",
        ),
        (
            "[[gssapi.principal]]\nname = \"alice@R\"",
            "gssapi.principal[0].name",
        ),
        ("keytabs = \"x\"", "gssapi.keytabs"),
    ] {
        let said = refused(&with(text));
        assert!(said.contains(key), "{text}: {said}");
    }
}

#[test]
fn kerberos_and_its_mechanisms_come_together() {
    let said = refused(&format!("{SMALL}[login]\nmechanisms = [\"GSS-SPNEGO\"]\n"));
    assert!(
        said.contains("gssapi.keytab") && said.contains("need a keytab"),
        "{said}"
    );
    let warnings = accepted(&format!("{SMALL}[gssapi]\nkeytab = \"k\"\n")).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].to_string().contains("no list of mechanisms"),
        "{}",
        warnings[0]
    );
}
