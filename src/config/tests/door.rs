//! Listeners, TLS and the banner: what a client meets first.

use super::*;

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
