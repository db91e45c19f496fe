//! TLS in both ways, the local socket, and who we are on each.

use super::*;

fn external(slapd: &Slapd, server: String, start_tls: bool) -> LdapSettings {
    LdapSettings {
        servers: vec![LdapServer::parse(&server, start_tls).unwrap()],
        tls: LdapTls {
            authorities: Some(slapd.file("ca.pem")),
            certificate: Some((slapd.file("client.pem"), slapd.file("client.key"))),
        },
        service: ServiceAccount::External,
        ..settings(&[])
    }
}

#[tokio::test]
async fn every_way_to_the_server_carries_a_login() {
    let slapd = Slapd::start();
    for (server, start_tls) in [
        (slapd.tls(), false),
        (slapd.plain(), true),
        (slapd.socket(), false),
        (slapd.plain(), false),
    ] {
        let mut settings = external(&slapd, server.clone(), start_tls);
        settings.service = super::settings(&[]).service;
        let directory = directory(settings);
        assert_eq!(
            directory.login("alice", "right").await,
            Ok(Verdict::Right),
            "{server}"
        );
        assert_eq!(
            directory.login("alice", "wrong").await,
            Ok(Verdict::Wrong),
            "{server}"
        );
    }
}

#[tokio::test]
async fn a_certificate_or_a_local_user_is_the_service_account() {
    let slapd = Slapd::start();
    for (server, start_tls) in [
        (slapd.tls(), false),
        (slapd.plain(), true),
        (slapd.socket(), false),
    ] {
        let directory = directory(external(&slapd, server.clone(), start_tls));
        assert_eq!(
            directory.login("alice", "right").await,
            Ok(Verdict::Right),
            "{server}"
        );
    }
    // Without the certificate TLS says nothing about us, and nothing may be read.
    let mut settings = external(&slapd, slapd.tls(), false);
    settings.tls.certificate = None;
    let nobody = directory(settings);
    assert_eq!(
        nobody.login("alice", "right").await,
        Err(Unavailable::Trouble)
    );
}

#[tokio::test]
async fn a_server_that_cannot_prove_its_name_hears_nothing() {
    let slapd = Slapd::start();
    for (server, start_tls) in [(slapd.tls(), false), (slapd.plain(), true)] {
        let mut settings = external(&slapd, server.clone(), start_tls);
        settings.tls.authorities = Some(slapd.file("other.pem"));
        let directory = directory(settings);
        assert_eq!(
            directory.login("alice", "right").await,
            Err(Unavailable::Trouble),
            "{server}"
        );
        // Another name than the certificate's.
        let elsewhere = server.replace("127.0.0.1", "localhost");
        let directory = super::directory(external(&slapd, elsewhere, start_tls));
        assert_eq!(
            directory.login("alice", "right").await,
            Err(Unavailable::Trouble)
        );
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("ca.pem");
    let mut settings = settings(&["ldaps://127.0.0.1:9".to_owned()]);
    settings.tls.authorities = Some(missing.clone());
    let pool = || Arc::new(Pool::new("hash", 1, 1, 1).unwrap());
    let error = LdapDirectory::new(settings.clone(), pool())
        .unwrap_err()
        .to_string();
    assert!(error.contains(&missing.display().to_string()), "{error}");
    settings.tls = LdapTls::default();
    settings.service = ServiceAccount::Simple {
        name: SERVICE.to_owned(),
        password: Secret::new(Vec::new()),
    };
    let error = LdapDirectory::new(settings, pool())
        .unwrap_err()
        .to_string();
    assert!(error.contains("ldap.password_file"), "{error}");
}
