//! What the configuration accepts, refuses and says.

mod door;
mod findings;
mod gssapi;
mod ldap;
mod login;
mod ntlm;
mod table;

use std::path::Path;

use postern_auth::{CrossSite, LoginType};

use super::*;

const SMALL: &str = r#"
[[listener]]
address = "[::]:110"

[[listener]]
address = "[::]:995"
tls = "implicit"

[tls]
certificate = "chain.pem"
private_key = "/keys/key.pem"

[users]
file = "users.toml"

[maildrop]
path = "/var/mail/{domain}/{user}/Maildir"
"#;

fn run(text: &str) -> Result<Accepted, Rejected> {
    check(
        text,
        Path::new("/etc/postern/postern.toml"),
        "here.example.test",
    )
}

fn accepted(text: &str) -> Accepted {
    run(text).unwrap_or_else(|rejected| panic!("{rejected}\nin\n{text}"))
}

/// The findings of a file that must be refused, as text.
fn refused(text: &str) -> String {
    run(text).expect_err(text).to_string()
}

fn small_with(top: &str) -> String {
    format!("{top}\n{SMALL}")
}

#[test]
fn a_small_file_gets_every_default() {
    let Accepted { config, warnings } = accepted(SMALL);
    assert_eq!(warnings, []);
    assert_eq!(config.profile, Profile::Postern);
    assert_eq!(config.hostname, "here.example.test");
    assert_eq!(config.listeners.len(), 2);
    assert_eq!(config.listeners[0].tls, ListenerTls::StartTls);
    assert_eq!(config.listeners[1].rule.login_type, LoginType::Secure);
    assert_eq!(config.listeners[1].rule.mechanisms, ["PLAIN"]);
    let tls = config.tls.unwrap();
    assert_eq!(tls.default.certificate, Path::new("/etc/postern/chain.pem"));
    assert_eq!(tls.default.private_key, Path::new("/keys/key.pem"));
    assert_eq!(config.limits.max_command, 512);
    assert_eq!(config.limits.max_sasl_line, 98_304);
    assert_eq!(config.timeouts.pre_authenticated.as_secs(), 60);
    assert_eq!(config.policy.cross_site, CrossSite::Refuse);
    assert!(config.messages.exact_size && config.protocol.response_codes);
}

#[test]
fn profiles_set_what_their_exchange_had() {
    let of = |name: &str| accepted(&small_with(&format!("profile = \"{name}\""))).config;
    let old = of("exchange-2007");
    assert_eq!(old.limits.max_command, 47);
    assert_eq!(old.limits.max_connections_per_user, 10);
    assert_eq!(old.policy.cross_site, CrossSite::Refuse);
    assert!(!old.protocol.pipelining && !old.messages.exact_size);
    assert_eq!(old.banner, "The Microsoft Exchange POP3 service is ready.");
    assert_eq!(of("exchange-2010").policy.cross_site, CrossSite::Direct);
    assert_eq!(of("exchange-2010").limits.max_connections_per_source, 2000);
    assert_eq!(
        of("exchange-2016").policy.blocked_accounts,
        ["administrator", "guest"]
    );
    assert_eq!(of("exchange-2013").limits.max_connections, 2_147_483_647);
}

#[test]
fn names_of_users_and_hosts_are_checked() {
    assert!(refused(&small_with("user = \"root\"")).contains("never runs as root"));
    assert!(refused(&small_with("group = \"mail\"")).contains("a group without a user"));
    assert!(refused(&small_with("hostname = \"a b\"")).contains("is not the name of a host"));
    assert!(refused(&small_with("site = \" \"")).contains("the name is empty"));
}

#[test]
fn every_account_has_a_maildrop_of_its_own() {
    let with = |path: &str| SMALL.replace("/var/mail/{domain}/{user}/Maildir", path);
    for wrong in [
        "/var/mail",
        "/var/{domain}",
        "/var/{nmae}/{user}",
        "/{user",
        "",
    ] {
        assert!(
            refused(&with(wrong)).contains(" maildrop.path: "),
            "{wrong}"
        );
    }
    let relative = accepted(&with("mail/{name}")).config;
    assert_eq!(relative.maildrop.root(), Path::new("/etc/postern/mail/"));
}

#[test]
fn a_full_file_has_a_size_or_time_decides_or_nothing() {
    let with = |size: &str| {
        format!(
            "{SMALL}\n[protocol_log]\nenabled = true\nroll_over = \"weekly\"\nmax_file_size = {size}\n"
        )
    };
    let rolling = |size: &str| accepted(&with(size)).config.protocol_log.unwrap().rolling;
    assert_eq!(rolling("0"), Rolling::Every(Period::Weekly));
    assert_eq!(rolling("\"0\""), Rolling::Every(Period::Weekly));
    assert_eq!(rolling("\"10MiB\""), Rolling::AtSize(10 << 20));
    assert_eq!(rolling("4096"), Rolling::AtSize(4096));
    assert_eq!(rolling("\"unlimited\""), Rolling::Never);
    for wrong in ["4095", "\"65537MiB\"", "\"for ever\"", "-1", "true"] {
        assert!(
            refused(&with(wrong)).contains(" protocol_log.max_file_size: "),
            "{wrong}"
        );
    }
    assert_eq!(accepted(SMALL).config.protocol_log, None);
}
