//! What the configuration accepts, refuses and says.

mod ldap;

use std::path::Path;

use postern_auth::{CrossSite, LoginType};

use super::file::File;
use super::option::{self, Kind, Standing};
use super::*;

mod gssapi;
mod ntlm;

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

#[test]
fn tls_needs_a_certificate() {
    let text = SMALL.replace(
        "[tls]\ncertificate = \"chain.pem\"\nprivate_key = \"/keys/key.pem\"",
        "",
    );
    let said = refused(&text);
    assert!(said.contains("listener[0].tls: the listener uses TLS, but there is no [tls] section"));
    assert!(
        said.contains("postern.toml:7:7: error: listener[1].tls"),
        "{said}"
    );
}

#[test]
fn clients_are_asked_for_certificates_of_an_authority() {
    let with = |keys: &str| SMALL.replace("[tls]", &format!("[tls]\n{keys}"));
    assert_eq!(accepted(SMALL).config.tls.unwrap().clients, None);
    let asked = |keys: &str| accepted(&with(keys)).config.tls.unwrap().clients.unwrap();
    let plain = asked("client_authorities = \"ca.pem\"");
    assert_eq!(plain.authorities, Path::new("/etc/postern/ca.pem"));
    assert!(plain.revocation.is_empty() && !plain.required);
    let all = "client_authorities = \"/ca.pem\"\nclient_revocation = [\"a.crl\", \"/b.crl\"]\n";
    let lists = asked(&format!("{all}client_certificates = \"optional\""));
    let expected = [Path::new("/etc/postern/a.crl"), Path::new("/b.crl")];
    assert_eq!(lists.revocation, expected);
    assert!(!lists.required);
    assert!(asked(&format!("{all}client_certificates = \"required\"")).required);
    for (keys, said) in [
        (
            "client_revocation = [\"a.crl\"]",
            "postern.toml:10:21: error: tls.client_revocation: no client is asked for a certificate \
             without client_authorities\n  remedy: remove the key, or add client_authorities",
        ),
        (
            "client_certificates = \"required\"",
            "error: tls.client_certificates: no client is asked",
        ),
        (
            "client_authorities = \"ca.pem\"\nclient_certificates = \"always\"",
            "tls.client_certificates: \"always\" is not one of its words",
        ),
        (
            "client_authorities = \"\"",
            "error: tls.client_authorities: the path is empty",
        ),
        (
            "client_authorities = \"ca.pem\"\nclient_revocation = [\"\"]",
            "error: tls.client_revocation: the path is empty\n  remedy: name a file with",
        ),
    ] {
        let found = refused(&with(keys));
        assert!(found.contains(said), "missing: {said}\nin:\n{found}");
    }
}

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
fn one_address_has_one_listener() {
    for (first, second, fine) in [
        ("[::]:110", "[::]:110", false),
        ("[::]:110", "0.0.0.0:110", false),
        ("0.0.0.0:110", "127.0.0.1:110", false),
        ("127.0.0.1:110", "127.0.0.2:110", true),
        ("127.0.0.1:0", "127.0.0.1:0", true),
    ] {
        let text = SMALL.replace("[::]:110", first).replace("[::]:995", second);
        assert_eq!(run(&text).is_ok(), fine, "{first} {second}");
    }
}

#[test]
fn banners_are_safe() {
    for wrong in [
        "[IN-USE] x",
        "a <b>",
        "line\\r\\nline",
        "r\u{e9}sum\u{e9}",
        &"x".repeat(507),
    ] {
        assert!(
            refused(&small_with(&format!("banner = \"{wrong}\""))).contains("banner"),
            "{wrong}"
        );
    }
    let longest = "x".repeat(506);
    assert_eq!(
        accepted(&small_with(&format!("banner = \"{longest}\"")))
            .config
            .banner,
        longest
    );
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
fn names_of_users_and_hosts_are_checked() {
    assert!(refused(&small_with("user = \"root\"")).contains("never runs as root"));
    assert!(refused(&small_with("group = \"mail\"")).contains("a group without a user"));
    assert!(refused(&small_with("hostname = \"a b\"")).contains("is not the name of a host"));
    assert!(refused(&small_with("site = \" \"")).contains("the name is empty"));
}

#[test]
fn a_refusal_must_come_before_the_timeout() {
    let text =
        format!("{SMALL}\n[login]\nrefusal_delay = \"20s\"\n[timeouts]\npre_authenticated = 20\n");
    assert!(refused(&text).contains("login.refusal_delay: it is not shorter"));
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

/// SET-range: both ends of every range are taken, and nothing beyond them.
#[test]
fn ranges_end_where_the_table_says() {
    for section in option::SECTIONS {
        for setting in section.settings {
            let (from, to, unit) = match setting.kind {
                Kind::Number(from, to) | Kind::Octets(from, to) => (from, to, ""),
                Kind::Span(from, to) => (from, to, "ms"),
                Kind::Text
                | Kind::Path
                | Kind::Choice(_)
                | Kind::Switch
                | Kind::List
                | Kind::Command => continue,
                // 0 is below its range, and has its own test.
                Kind::Quota(..) => continue,
            };
            let with = |amount: u64| {
                let value = if unit.is_empty() {
                    amount.to_string()
                } else {
                    format!("\"{amount}{unit}\"")
                };
                format!(
                    "{SMALL}\n[{}]\n{} = {value}\n",
                    section.name,
                    setting.name()
                )
            };
            accepted(&with(from));
            accepted(&with(to));
            assert!(
                refused(&with(to + 1)).contains("out of range"),
                "{}",
                setting.key
            );
            if let Some(below) = from.checked_sub(1) {
                assert!(
                    refused(&with(below)).contains("out of range"),
                    "{}",
                    setting.key
                );
            }
        }
    }
    assert!(refused(&format!("{SMALL}\n[login]\nattempts = -1\n")).contains("out of range"));
}

/// The mirror and the table have the same keys: the mirror takes each example of the table, and
/// what it says it knows is in the table.
#[test]
fn mirror_and_table_agree() {
    for section in option::SECTIONS {
        let wrapped = |body: &str| match section.name {
            "" => body.to_owned(),
            _ => format!("{}\n{body}", inspect::header(section)),
        };
        for setting in section.settings {
            let text = wrapped(&format!("{} = {}\n", setting.name(), setting.example));
            toml::from_str::<File>(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", setting.key));
        }
        let error = toml::from_str::<File>(&wrapped("nonsense = 1\n"))
            .unwrap_err()
            .to_string();
        let known = error.split('`').skip(3).step_by(2);
        for name in known {
            let key = match section.name {
                "" => name.to_owned(),
                home => format!("{home}.{name}"),
            };
            let there = option::find(&key).is_some() || option::section(&key).is_some();
            assert!(there, "{key} is in the mirror and not in the table");
        }
    }
}

/// The defaults in the pages are the defaults in force.
#[test]
fn defaults_of_the_table_are_those_in_force() {
    for profile in Profile::ALL {
        let top = format!("profile = \"{}\"\n", profile.name());
        let silent = accepted(&small_with(&top)).config;
        let mut spoken = String::new();
        for section in option::SECTIONS.iter().filter(|section| !section.repeated) {
            if !section.name.is_empty() {
                spoken.push_str(&format!("{}\n", inspect::header(section)));
            }
            for setting in section.settings {
                let value = match setting.default {
                    Standing::Required => required(setting.key).to_owned(),
                    Standing::Absent(_) => continue,
                    Standing::Value(_) if setting.key == "profile" => {
                        format!("\"{}\"", profile.name())
                    }
                    Standing::Value(_) => setting.default_text(profile).unwrap(),
                };
                spoken.push_str(&format!("{} = {value}\n", setting.name()));
            }
        }
        spoken.push_str("[[listener]]\naddress = \"[::]:110\"\ntls = \"starttls\"\n");
        spoken.push_str("[[listener]]\naddress = \"[::]:995\"\ntls = \"implicit\"\n");
        let spoken = accepted(&spoken).config;
        assert_eq!(format!("{silent:#?}"), format!("{spoken:#?}"));
    }
}

fn required(key: &str) -> &'static str {
    match key {
        "tls.certificate" => "\"chain.pem\"",
        "tls.private_key" => "\"/keys/key.pem\"",
        "users.file" => "\"users.toml\"",
        "maildrop.path" => "\"/var/mail/{domain}/{user}/Maildir\"",
        _ => panic!("a new required key: {key}"),
    }
}

#[test]
fn the_example_resolves_as_it_is_and_with_everything_in_it() {
    let example = render::example();
    assert_eq!(accepted(&example).warnings, [], "{example}");
    let all: String = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => setting,
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    accepted(&all);
    for setting in option::all() {
        assert!(
            all.contains(&format!("\n{} = ", setting.name())),
            "{}",
            setting.key
        );
    }
}

proptest::proptest! {
    /// Whatever a file contains, the answer is findings and never a panic.
    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        let _ = run(&text);
        let _ = run(&format!("{SMALL}\n{text}"));
    }
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
