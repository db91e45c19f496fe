//! Who may log in, and how.

use super::*;

#[test]
fn somebody_must_be_able_to_log_in() {
    let none = SMALL
        .replace("\"implicit\"", "\"none\"")
        .replace("110\"", "110\"\ntls = \"none\"");
    let said = refused(&none);
    assert!(
        said.contains("error: login.type: nobody could log in"),
        "{said}"
    );
    let closed = format!("{SMALL}\n[login]\nuser_pass = false\nmechanisms = []\n");
    assert!(refused(&closed).contains("nobody could log in"));
    let half = SMALL.replace("\"implicit\"", "\"none\"");
    let warnings = accepted(&half).warnings;
    assert!(
        warnings[0]
            .problem
            .contains("nobody can log in on this listener"),
        "{warnings:?}"
    );
}

#[test]
fn listeners_override_the_login_rule() {
    let text = SMALL.replace(
        "\"[::]:110\"",
        "\"127.0.0.1:110\"\nlogin_type = \"plain-text\"\nmechanisms = []\nuser_pass = true",
    );
    let Accepted { config, warnings } = accepted(&text);
    assert_eq!(warnings, []);
    assert_eq!(config.listeners[0].rule.login_type, LoginType::PlainText);
    assert!(config.listeners[0].rule.mechanisms.is_empty());
    assert_eq!(config.listeners[1].rule.login_type, LoginType::Secure);
}

#[test]
fn passwords_in_the_clear_over_a_network_are_warned_of() {
    let text = format!("{SMALL}\n[login]\ntype = \"plain-text\"\n");
    let warnings = accepted(&text).warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].problem.contains("in the clear"), "{warnings:?}");
}

#[test]
fn the_site_rule_without_a_site_is_warned_of() {
    let text = format!("{SMALL}\n[login]\ncross_site = \"refuse\"\n");
    assert_eq!(accepted(&text).warnings.len(), 1);
    assert_eq!(accepted(&format!("site = \"london\"\n{text}")).warnings, []);
    let old = accepted(&small_with("profile = \"exchange-2007\"")).warnings;
    assert!(
        old.iter().any(|finding| finding.key == "login.cross_site"),
        "{old:?}"
    );
    assert!(
        old.iter()
            .any(|finding| finding.key == "limits.max_command"),
        "{old:?}"
    );
}

#[test]
fn a_refusal_must_come_before_the_timeout() {
    let text =
        format!("{SMALL}\n[login]\nrefusal_delay = \"20s\"\n[timeouts]\npre_authenticated = 20\n");
    assert!(refused(&text).contains("login.refusal_delay: it is not shorter"));
}

#[test]
fn ways_from_a_certificate_are_known_words_once() {
    use postern_auth::CertificateName::{Email, Fingerprint, Upn};
    let names = |line: &str| format!("{SMALL}\n[login]\n{line}\n");
    let of = |line: &str| accepted(&names(line)).config.policy.certificate_names;
    assert_eq!(of(""), [Fingerprint, Upn, Email]);
    assert_eq!(of("certificate_names = [\"email\", \"upn\"]"), [Email, Upn]);
    assert!(of("certificate_names = []").is_empty());
    let mechanisms = "mechanisms = [\"external\", \"Login\", \"scram-sha-256-plus\"]";
    assert_eq!(
        accepted(&names(mechanisms)).config.listeners[0]
            .rule
            .mechanisms,
        ["EXTERNAL", "LOGIN", "SCRAM-SHA-256-PLUS"]
    );
    for (line, says) in [
        ("certificate_names = [\"cn\"]", "not a way"),
        ("certificate_names = [\"upn\", \"upn\"]", "stands twice"),
    ] {
        let rejected = run(&names(line)).err().unwrap();
        assert!(rejected.to_string().contains(says), "{rejected}");
    }
}
