//! AUTH EXTERNAL (RFC 4422 appendix A): a client's certificate opens the mailbox of its holder.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::Signal;
use rcgen::{CertificateParams, OtherNameValue, SanType};
use rustls::version;

use super::certificates::{GOOD, VERSIONS, asking_in, greeted};
use crate::wire::certificates::{Authority, Shown, ended};
use crate::wire::client::Client;
use crate::wire::house::{Ground, House};
use crate::wire::play::Connection as _;
use crate::wire::postern::users;

/// A server that lets these people in by the fingerprints of their certificates.
fn letting_in(
    authority: &Authority,
    lists: &[String],
    people: &[(&str, &Shown)],
    more: &[(&str, &str)],
) -> House {
    let mut settings = vec![("login.mechanisms", r#"["PLAIN", "EXTERNAL"]"#)];
    settings.extend(more);
    let users = known(people);
    asking_in(&authority.pem(), lists, &settings, |ground: &Ground| {
        ground.secret("users.toml", &users);
    })
}

/// The users of the fixture, with the certificates of these.
fn known(people: &[(&str, &Shown)]) -> String {
    let mut file: toml::Table = users().parse().expect("a users file");
    for entry in file["user"].as_array_mut().expect("users") {
        let entry = entry.as_table_mut().expect("a user");
        let name = entry["name"].as_str().expect("a name").to_owned();
        let theirs = people.iter().filter(|(person, _)| *person == name);
        let prints: Vec<_> = theirs
            .map(|(_, shown)| shown.fingerprint().into())
            .collect();
        entry.insert("certificates".to_owned(), toml::Value::Array(prints));
    }
    toml::to_string(&file).expect("a table of plain values")
}

/// A connection under TLS that shows the certificate.
fn shows(house: &House, shown: &Shown) -> Client {
    greeted(house, Arc::new(shown.client(&version::TLS13))).expect("a greeting")
}

/// AUTH EXTERNAL for a mailbox; for one's own when it is empty.
fn external(client: &mut Client, mailbox: &str) -> String {
    let response = if mailbox.is_empty() {
        "=".to_owned()
    } else {
        BASE64_STANDARD.encode(mailbox)
    };
    client.ask(&format!("AUTH EXTERNAL {response}"))
}

fn offers(client: &mut Client) -> bool {
    assert!(client.ask("CAPA").starts_with("+OK"));
    let lines = client.list();
    let sasl = lines.iter().find(|line| line.starts_with("SASL"));
    sasl.is_some_and(|line| line.contains("EXTERNAL"))
}

fn upn(name: &str) -> SanType {
    let oid = vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
    SanType::OtherName((oid, OtherNameValue::Utf8String(name.to_owned())))
}

fn email(name: &str) -> SanType {
    SanType::Rfc822Name(name.try_into().expect("ASCII"))
}

fn named(authority: &Authority, name: &SanType) -> Shown {
    authority.issue_with("somebody", |params: &mut CertificateParams| {
        params.subject_alt_names.push(name.clone());
    })
}

#[test]
fn a_certificate_opens_its_holders_mailbox() {
    let authority = Authority::new("Clients");
    let (alice, bob) = (authority.issue("one"), authority.issue("two"));
    let house = letting_in(&authority, &[], &[("alice", &alice), ("paula", &bob)], &[]);
    for version in VERSIONS {
        for mailbox in ["", "alice", "alice@example.test"] {
            let mut client = greeted(&house, Arc::new(alice.client(version))).expect("a greeting");
            assert!(offers(&mut client));
            assert!(
                external(&mut client, mailbox).starts_with("+OK"),
                "{mailbox}"
            );
            assert!(client.ask("STAT").starts_with("+OK 2 "));
        }
        let mut client = house.client().with_tls(Arc::new(alice.client(version)));
        assert!(!offers(&mut client), "before TLS there is no certificate");
        assert!(client.ask("STLS").starts_with("+OK"));
        client.start_tls().expect("a handshake");
        assert!(offers(&mut client));
        assert_eq!(client.ask("AUTH EXTERNAL"), "+ ");
        assert!(client.ask("").starts_with("+OK"));
        assert!(client.ask("STAT").starts_with("+OK 2 "));
    }
    house.logged(&["\"login\"", "EXTERNAL", "granted", "alice"]);
}

#[test]
fn without_a_certificate_it_is_not_offered_and_refused() {
    let authority = Authority::new("Clients");
    let house = letting_in(&authority, &[], &[("alice", &authority.issue("one"))], &[]);
    let mut client = house.tls_client();
    assert!(!offers(&mut client));
    assert!(external(&mut client, "alice").starts_with("-ERR"));
    assert!(client.ask("STAT").starts_with("-ERR"));
}

#[test]
fn a_certificate_opens_nobody_elses_mailbox() {
    let authority = Authority::new("Clients");
    let (alice, dan, dora) = (
        authority.issue("alice"),
        authority.issue("dan"),
        authority.issue("dora"),
    );
    let people = [("alice", &alice), ("dan", &dan), ("dora", &dora)];
    let house = letting_in(&authority, &[], &people, &[]);
    let mut wrong = house.tls_client();
    assert!(wrong.ask("USER alice").starts_with("+OK"));
    let refusal = wrong.ask("PASS wrong");
    let nobodys = authority.issue("alice");
    // Another's mailbox, one that is not there, a disabled account's own, a certificate that
    // nobody registered: all as a wrong password.
    for (shown, mailbox) in [
        (&alice, "paula"),
        (&alice, "nobody"),
        (&dora, ""),
        (&nobodys, ""),
        (&nobodys, "alice"),
    ] {
        let mut client = shows(&house, shown);
        assert_eq!(external(&mut client, mailbox), refusal, "{mailbox}");
        assert!(client.ask("STAT").starts_with("-ERR"));
    }
    // A delegate has the right.
    let mut client = shows(&house, &dan);
    assert!(external(&mut client, "alice").starts_with("+OK"));
    assert!(client.ask("STAT").starts_with("+OK 2 "));
}

#[test]
fn names_in_the_certificate_lead_to_the_account() {
    let authority = Authority::new("Clients");
    let by_mail = named(&authority, &email("alice@example.test"));
    let by_upn = named(&authority, &upn("alice@example.test"));
    let of_nobody = named(&authority, &email("alice@example.invalid"));
    for (names, opens) in [
        (r#"["email"]"#, [true, false]),
        (r#"["upn"]"#, [false, true]),
        (r#"["fingerprint", "upn", "email"]"#, [true, true]),
        (r#"["fingerprint"]"#, [false, false]),
    ] {
        let more = [("login.certificate_names", names)];
        let house = letting_in(&authority, &[], &[], &more);
        for (shown, opens) in [&by_mail, &by_upn].into_iter().zip(opens) {
            let answer = external(&mut shows(&house, shown), "");
            assert_eq!(answer.starts_with("+OK"), opens, "{names}: {answer}");
        }
        let answer = external(&mut shows(&house, &of_nobody), "");
        assert!(answer.starts_with("-ERR"), "{names}");
    }
}

#[test]
fn a_revocation_locks_out_after_a_reload() {
    let authority = Authority::new("Clients");
    let alice = authority.issue("alice");
    let lists = [authority.revoke(&[], GOOD)];
    let house = letting_in(&authority, &lists, &[("alice", &alice)], &[]);
    let configs = VERSIONS.map(|version| Arc::new(alice.client(version)));
    for config in &configs {
        let mut client = greeted(&house, config.clone()).expect("a greeting");
        assert!(external(&mut client, "").starts_with("+OK"));
    }
    let list = authority.revoke(&[&alice], (-1, 24));
    std::fs::write(house.ground.path("0.crl"), list).expect("writing");
    house.signal(Signal::SIGHUP);
    house.logged(&["\"reloaded\""]);
    for config in configs {
        greeted(&house, config).err().expect("a refusal");
    }
}

/// What curl fetches, or its complaint.
fn curl(house: &House, shown: Option<&Shown>, stls: bool, user: &str) -> Result<String, String> {
    let path = |name: &str| house.ground.path(name).display().to_string();
    let mut command = Command::new("curl");
    let (scheme, address) = if stls {
        ("pop3", house.clear)
    } else {
        ("pop3s", house.implicit)
    };
    command
        .args(["--silent", "--show-error", "--max-time", "15", "--insecure"])
        .args(["--login-options", "AUTH=EXTERNAL", "--user"])
        .arg(format!("{user}:"));
    if stls {
        command.arg("--ssl-reqd");
    }
    if let Some(shown) = shown {
        let write = |name: &str, text: String| std::fs::write(Path::new(&path(name)), text);
        write("client.pem", shown.pem()).expect("writing");
        write("client.key", shown.key_pem()).expect("writing");
        command.args(["--cert", &path("client.pem"), "--key", &path("client.key")]);
    }
    let output = command.arg(format!("{scheme}://{address}/1")).output();
    let output = output.expect("curl: run script/bootstrap");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn curl_fetches_with_a_certificate() {
    let authority = Authority::new("Clients");
    let (alice, mallory) = (authority.issue("alice"), authority.issue("mallory"));
    let lists = [authority.revoke(&[&mallory], GOOD)];
    let people = [("alice", &alice), ("paula", &mallory)];
    let house = letting_in(&authority, &lists, &people, &[]);
    for stls in [false, true] {
        let mail = curl(&house, Some(&alice), stls, "alice").expect("a message");
        assert!(mail.contains("Subject:"), "{mail}");
        for (shown, user) in [
            (None, "alice"),
            (Some(&alice), "paula"),
            (Some(&mallory), "paula"),
            (Some(&authority.issue_with("alice", ended)), "alice"),
            (Some(&Authority::new("Others").issue("alice")), "alice"),
        ] {
            curl(&house, shown, stls, user).expect_err("a refusal");
        }
    }
}
