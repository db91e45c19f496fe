//! The LDAP directory: what follows from little, and what is wrong with much.

use postern_auth::{CacheTimes, Preset, Proof, ServiceAccount, UnknownSite};

use super::*;
use crate::config::Ldap;

/// A small file with this under `[ldap]`.
fn with(ldap: &str) -> String {
    format!("{}\n[ldap]\n{ldap}", small_with(""))
}

fn ldap(text: &str) -> Ldap {
    accepted(&with(text)).config.ldap.unwrap()
}

const SERVICE: &str = "bind_name = \"postern@ad.example.test\"\npassword_file = \"password\"\n";

#[test]
fn without_a_preset_no_directory_is_asked_and_half_a_description_is_said() {
    assert!(accepted(&with("")).config.ldap.is_none());
    assert!(accepted(&with("timeout = \"2s\"")).config.ldap.is_none());
    let words = refused(&with("servers = [\"ldaps://dc1\"]"));
    assert!(
        words.contains("ldap.preset") && words.contains("exchange-schema"),
        "{words}"
    );
}

#[test]
fn active_directory_needs_a_domain_and_a_service_account_and_nothing_else() {
    let ldap = ldap(&format!(
        "preset = \"ad\"\ndomain = \"AD.example.test\"\n{SERVICE}"
    ));
    let settings = ldap.settings;
    let servers: Vec<_> = settings.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["ldaps://ad.example.test:636"]);
    let discovery = settings.discovery.unwrap();
    assert_eq!(
        (discovery.domain.as_str(), discovery.active_directory),
        ("ad.example.test", true)
    );
    assert!(discovery.start_tls);
    assert_eq!(settings.cache, CacheTimes::default());
    assert_eq!(settings.base, "DC=AD,DC=example,DC=test");
    assert_eq!(settings.schema.domain.as_deref(), Some("ad.example.test"));
    assert_eq!(settings.schema.realms, ["ad"]);
    assert!(matches!(settings.proof, Proof::Bind));
    assert!(ldap.password_file.unwrap().ends_with("password"));
    assert!(settings.site.is_none() && settings.groups.is_empty());
    assert_eq!(settings.timeout, Duration::from_secs(5));
    let ServiceAccount::Simple { name, password } = settings.service else {
        panic!("no service account");
    };
    assert_eq!(
        (name.as_str(), password.is_empty()),
        ("postern@ad.example.test", true)
    );
}

#[test]
fn what_is_missing_is_named() {
    let words = refused(&with("preset = \"ad\""));
    for key in [
        "ldap.domain",
        "ldap.servers",
        "ldap.base",
        "ldap.password_file",
        "ldap.bind_name",
    ] {
        assert!(words.contains(&format!("error: {key}: ")), "{key}: {words}");
    }
    let words = refused(&with(
        "preset = \"openldap\"\nbase = \"dc=x\"\nservice = \"anonymous\"",
    ));
    assert!(
        words.contains("ldap.servers") && !words.contains("ldap.bind_name"),
        "{words}"
    );
}

#[test]
fn any_domain_may_tell_its_servers_unless_they_are_named() {
    let found = |more: &str| {
        let text = format!("preset = \"openldap\"\ndomain = \"Example.test\"\n{SERVICE}{more}");
        ldap(&text).settings.discovery
    };
    let discovery = found("starttls = false").unwrap();
    assert_eq!(discovery.domain, "example.test");
    assert!(!discovery.active_directory && !discovery.start_tls);
    assert_eq!(found("servers = [\"ldaps://ds.example.test\"]"), None);
}

#[test]
fn answers_are_kept_where_it_is_said_and_for_an_hour_at_most() {
    let text = "preset = \"ad\"\ndomain = \"ad.example.test\"\n";
    let kept = |cache: &str| with(&format!("{text}{SERVICE}[ldap.cache]\n{cache}"));
    let settings = accepted(&kept("accounts = \"1m\"\npasswords = \"5m\""))
        .config
        .ldap;
    let cache = settings.unwrap().settings.cache;
    assert_eq!(cache.accounts, Duration::from_secs(60));
    assert_eq!(cache.passwords, Duration::from_secs(300));
    assert!(refused(&kept("passwords = \"2h\"")).contains("ldap.cache.passwords"));
}

#[test]
fn everything_can_be_said_otherwise() {
    let ldap = ldap(
        r#"preset = "openldap"
servers = ["ldapi:///run/slapd/ldapi", "ldap://ds.example.test"]
service = "external"
base = "dc=example,dc=test"
filter = "(objectClass=account)"
user_bind_name = "uid={user},ou=people,dc=example,dc=test"
groups = ["cn=pop,dc=example,dc=test"]
site_servers = ["EX01 = london"]
unknown_site = "here"
[ldap.attributes]
name = "cn"
addresses = ["mail", "proxyAddresses"]
pop3 = "popAllowed"
site = "mailHost"
"#,
    );
    let settings = ldap.settings;
    let servers: Vec<_> = settings.servers.iter().map(ToString::to_string).collect();
    assert_eq!(
        servers,
        ["ldapi:///run/slapd/ldapi", "ldap://ds.example.test:389"]
    );
    assert!(
        settings
            .servers
            .iter()
            .all(|server| !server.is_in_the_clear())
    );
    assert!(matches!(settings.service, ServiceAccount::External));
    assert!(matches!(settings.proof, Proof::BindAs(_)) && ldap.password_file.is_none());
    let prefixes: Vec<_> = settings
        .schema
        .addresses
        .iter()
        .map(|address| address.prefix)
        .collect();
    assert_eq!(prefixes, ["", "smtp:"]);
    assert_eq!(settings.schema.name.as_str(), "cn");
    let site = settings.site.unwrap();
    assert_eq!(
        (site.attribute.as_str(), site.unknown),
        ("mailHost", UnknownSite::Here)
    );
    assert_eq!(site.servers, [("EX01".to_owned(), "london".to_owned())]);
}

#[test]
fn every_mistake_has_its_place_and_its_remedy() {
    for (line, key, remedy) in [
        ("servers = [\"dc1\"]", "ldap.servers", "ldaps://host"),
        ("servers = []", "ldap.servers", "ldaps://host"),
        ("filter = \"uid=a\"", "ldap.filter", "(objectClass="),
        (
            "user_bind_name = \"cn=admin\"",
            "ldap.user_bind_name",
            "{user}@",
        ),
        (
            "user_bind_name = \"{user}\"\nverify = \"read\"",
            "ldap.user_bind_name",
            "remove the key",
        ),
        ("groups = [\"pop users\"]", "ldap.groups", "CN=POP3 users"),
        (
            "site_servers = [\"EX01\"]",
            "ldap.site_servers",
            "EX01=london",
        ),
        (
            "site_servers = [\"EX01=london\"]\nsite_of_server = \"directory\"",
            "ldap.site_servers",
            "ldap.site_of_server",
        ),
        (
            "certificate = \"a.pem\"",
            "ldap.certificate",
            "ldap.private_key",
        ),
        (
            "attributes.site = \"a b\"",
            "ldap.attributes.site",
            "remove the key",
        ),
        (
            "attributes.addresses = [\"mail)\"]",
            "ldap.attributes.addresses",
            "remove the key",
        ),
    ] {
        let text = format!("preset = \"ad\"\ndomain = \"ad.example.test\"\n{SERVICE}{line}\n");
        let words = refused(&with(&text));
        assert!(
            words.contains(&format!("error: {key}: ")),
            "{line}: {words}"
        );
        assert!(
            words.contains(remedy) && words.matches("error:").count() == 1,
            "{words}"
        );
    }
    let words = refused(&with("preset = \"ad\"\ndomain = \"a b\"\n"));
    assert!(words.contains("ldap.domain"), "{words}");
}

#[test]
fn passwords_in_the_clear_to_a_directory_are_warned_of() {
    let warned = |servers: &str| {
        let text = format!(
            "preset = \"openldap\"\nbase = \"dc=x\"\nstarttls = false\n{SERVICE}servers = [\"{servers}\"]\n"
        );
        !accepted(&with(&text)).warnings.is_empty()
    };
    assert!(warned("ldap://ds.example.test"));
    assert!(!warned("ldap://127.0.0.1:3389") && !warned("ldaps://ds.example.test"));
}

#[test]
fn presets_have_the_words_of_the_table() {
    let setting = option::find("ldap.preset").unwrap();
    let Kind::Choice(words) = &setting.kind else {
        panic!("not a choice");
    };
    assert_eq!(Preset::ALL.map(Preset::as_str), **words);
}
