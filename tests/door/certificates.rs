//! Certificates of clients: which ones are let through, and what the log says of the others.

use std::sync::Arc;

use nix::sys::signal::Signal;
use rustls::client::{Resumption, Tls12Resumption};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion, version};

use crate::wire::certificates::{Authority, Shown, ended, for_servers, not_begun};
use crate::wire::client::Client;
use crate::wire::clock::until;
use crate::wire::house::{Ground, House};
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, start_on};
use crate::wire::tls;

pub(super) const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// A list that was made yesterday and is good until tomorrow.
pub(super) const GOOD: (i64, i64) = (-24, 24);

/// A server that asks clients for certificates of this authority.
pub(super) fn asking(authority: &Authority, lists: &[String], more: &[(&str, &str)]) -> House {
    asking_all(&authority.pem(), lists, more)
}

/// The same, for all authorities of a PEM file.
pub(super) fn asking_all(authorities: &str, lists: &[String], more: &[(&str, &str)]) -> House {
    asking_in(authorities, lists, more, |_| ())
}

/// The same, on a ground to which something is added first.
pub(super) fn asking_in(
    authorities: &str,
    lists: &[String],
    more: &[(&str, &str)],
    add: impl Fn(&Ground),
) -> House {
    let names: Vec<_> = (0..lists.len()).map(|at| format!("{at}.crl")).collect();
    let mut setup = Setup::new().set("tls.client_authorities", "\"client-ca.pem\"");
    if !lists.is_empty() {
        setup = setup.set("tls.client_revocation", &format!("{names:?}"));
    }
    for (key, value) in more {
        setup = setup.set(key, value);
    }
    start_on(&setup, |ground| {
        let write = |name: &str, text: &str| {
            std::fs::write(ground.path(name), text).expect("writing");
        };
        write("client-ca.pem", authorities);
        names
            .iter()
            .zip(lists)
            .for_each(|(name, list)| write(name, list));
        add(ground);
    })
}

/// Connects to the implicit port, and takes the greeting. With TLS 1.3 the server's word on the
/// certificate comes instead of it.
pub(super) fn greeted(house: &House, config: Arc<ClientConfig>) -> Result<Client, String> {
    let mut client = Client::connect(house.implicit)?.with_tls(config);
    client.start_tls()?;
    match client.line()? {
        Some(line) if line.starts_with(b"+OK") => Ok(client),
        other => Err(format!("greeted with {other:?}")),
    }
}

fn kind(client: &Client) -> HandshakeKind {
    let session = client.session().expect("TLS");
    session.handshake_kind().expect("a handshake")
}

fn without(version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    tls::client_of(version)
}

#[test]
fn who_shows_no_certificate_goes_on_as_ever() {
    let house = asking(&Authority::new("Clients"), &[], &[]);
    for version in VERSIONS {
        let mut client = greeted(&house, without(version)).expect("a greeting");
        assert!(client.ask("USER alice").starts_with("+OK"));
        assert!(client.ask("PASS correct horse").starts_with("+OK"));
        let mut client = house.client().with_tls(without(version));
        assert!(client.ask("STLS").starts_with("+OK"));
        client.start_tls().expect("a handshake");
        assert!(client.ask("CAPA").starts_with("+OK"));
    }
}

#[test]
fn a_good_certificate_is_let_through() {
    let authority = Authority::new("Clients");
    let department = authority.intermediate("Department");
    let direct = authority.issue("alice");
    let indirect = department.issue("bob").with([department.der()]);
    let lists = [authority.revoke(&[], GOOD), department.revoke(&[], GOOD)];
    for lists in [&lists[..], &[]] {
        let house = asking(&authority, lists, &[]);
        for shown in [&direct, &indirect] {
            for version in VERSIONS {
                let config = Arc::new(shown.client(version));
                greeted(&house, config.clone()).expect("a greeting");
                let mut client = house.client().with_tls(config);
                assert!(client.ask("STLS").starts_with("+OK"));
                client.start_tls().expect("a handshake");
                assert!(client.ask("CAPA").starts_with("+OK"));
            }
        }
    }
}

/// RFC 2595 §4: a client that showed a certificate has still to log in.
#[test]
fn a_certificate_alone_logs_nobody_in() {
    let authority = Authority::new("Clients");
    let house = asking(&authority, &[], &[]);
    for version in VERSIONS {
        let config = Arc::new(authority.issue("alice").client(version));
        let mut client = house.client().with_tls(config);
        assert!(client.ask("STLS").starts_with("+OK"));
        client.start_tls().expect("a handshake");
        assert!(client.ask("STAT").starts_with("-ERR"));
        assert!(client.ask("USER alice").starts_with("+OK"));
        assert!(client.ask("PASS wrong").starts_with("-ERR"));
        assert!(client.ask("USER alice").starts_with("+OK"));
        assert!(client.ask("PASS correct horse").starts_with("+OK"));
        assert!(client.ask("STAT").starts_with("+OK"));
    }
}

#[test]
fn a_certificate_may_be_required() {
    let authority = Authority::new("Clients");
    let required = [("tls.client_certificates", "\"required\"")];
    let house = asking(&authority, &[], &required);
    for version in VERSIONS {
        let refused = greeted(&house, without(version)).err().expect("a refusal");
        assert!(refused.contains("alert"), "{refused}");
        let config = Arc::new(authority.issue("alice").client(version));
        greeted(&house, config).expect("a greeting");
    }
    house.logged(&["TLS handshake failed", "peer sent no certificates"]);
}

/// The server refuses this certificate in every way to begin TLS, and says why.
pub(super) fn refuses(house: &House, shown: &Shown, name: &str, why: &str) {
    for version in VERSIONS {
        let config = Arc::new(shown.client(version));
        let refused = greeted(house, config.clone()).err().expect(why);
        assert!(refused.contains("alert"), "{why}: {refused}");
        let mut client = house.client().with_tls(config);
        assert!(client.ask("STLS").starts_with("+OK"));
        let answer = client.start_tls().and_then(|()| client.line());
        assert!(!matches!(answer, Ok(Some(_))), "{why}: {answer:?}");
    }
    let record = house.logged(&["TLS handshake failed", why, name]);
    let named = format!("refused: {why}; {name}, sha256:");
    assert!(record.contains(&named), "{record}");
    // One for each connection, and no more.
    until("the records", || {
        let log = house.log.lock().expect("the log");
        let failed = log.iter().filter(|line| line.contains("handshake failed"));
        (failed.filter(|line| line.contains(&named)).count() == 4).then_some(())
    });
}

#[test]
fn a_certificate_that_is_not_good_ends_the_connection() {
    let authority = Authority::new("Clients");
    let department = authority.intermediate("Department");
    let foreign = Authority::new("Clients");
    let (revoked, other) = (authority.issue("mallory"), authority.issue("other"));
    let of_department = department.issue("carol").with([department.der()]);
    let house = asking(&authority, &[authority.revoke(&[&revoked], GOOD)], &[]);
    for (shown, name, why) in [
        (&revoked, "CN=mallory", "it was revoked"),
        (
            &foreign.issue("eve"),
            "CN=eve",
            "a signature is wrong: of an issuer, or of its own key",
        ),
        (
            &Authority::new("Others").issue("trudy"),
            "CN=trudy",
            "no authority of tls.client_authorities issued it",
        ),
        (
            &authority.issue_with("ann", ended),
            "CN=ann",
            "it has ended",
        ),
        (
            &authority.issue_with("tom", not_begun),
            "CN=tom",
            "it has not begun",
        ),
        (
            &authority.issue_with("host", for_servers),
            "CN=host",
            "it was not issued for clients",
        ),
        (
            &of_department,
            "CN=carol",
            "tls.client_revocation has no list of an issuer in its chain",
        ),
    ] {
        refuses(&house, shown, name, why);
    }
    greeted(&house, Arc::new(other.client(&version::TLS13))).expect("a greeting");
}

#[test]
fn a_certificate_without_its_key_ends_the_connection() {
    let authority = Authority::new("Clients");
    let house = asking(&authority, &[], &[]);
    let thief = authority
        .issue("alice")
        .with_key_of(&authority.issue("bob"));
    let why = "a signature is wrong: of an issuer, or of its own key";
    refuses(&house, &thief, "CN=alice", why);
}

#[test]
fn an_expired_list_lets_nobody_in_and_is_told() {
    let authority = Authority::new("Clients");
    let shown = authority.issue("alice");
    let house = asking(&authority, &[authority.revoke(&[], (-24, -1))], &[]);
    house.logged(&["ERROR", "past its next update", "0.crl"]);
    let why = "the revocation list of its issuer is past its next update";
    refuses(&house, &shown, "CN=alice", why);
    // Passwords go on.
    assert!(house.tls_client().ask("CAPA").starts_with("+OK"));
    let told = |log: &[String]| {
        let lines = log.iter().filter(|line| line.contains("ERROR"));
        lines.filter(|line| line.contains("past its")).count()
    };
    assert_eq!(
        told(&house.log.lock().expect("the log")),
        2,
        "once at the start, once when met"
    );
    // A new list in its place, and everything is well.
    std::fs::write(house.ground.path("0.crl"), authority.revoke(&[], GOOD)).expect("writing");
    house.signal(Signal::SIGHUP);
    house.logged(&["\"reloaded\""]);
    greeted(&house, Arc::new(shown.client(&version::TLS13))).expect("a greeting");
}

#[test]
fn of_two_lists_the_newer_one_counts() {
    let authority = Authority::new("Clients");
    let shown = authority.issue("alice");
    let old = authority.revoke(&[], (-48, 24));
    let new = authority.revoke(&[&shown], (-1, 24));
    for lists in [[old.clone(), new.clone()], [new, old]] {
        let house = asking(&authority, &lists, &[]);
        refuses(&house, &shown, "CN=alice", "it was revoked");
    }
}

/// Ways to resume a session: with tickets, and by a number in the server's memory.
fn ways() -> Vec<(Resumption, &'static SupportedProtocolVersion)> {
    let memory = || Resumption::in_memory_sessions(8);
    let numbers = memory().tls12_resumption(Tls12Resumption::SessionIdOnly);
    vec![
        (memory(), &version::TLS12),
        (numbers, &version::TLS12),
        (memory(), &version::TLS13),
    ]
}

#[test]
fn a_session_without_a_certificate_is_resumed() {
    let house = asking(&Authority::new("Clients"), &[], &[]);
    for (resumption, version) in ways() {
        let mut config = tls::configure(&[version]);
        config.resumption = resumption;
        let config = Arc::new(config);
        let first = greeted(&house, config.clone()).expect("a greeting");
        let second = greeted(&house, config).expect("a greeting");
        let kinds = (kind(&first), kind(&second));
        assert_eq!(kinds, (HandshakeKind::Full, HandshakeKind::Resumed));
    }
}

#[test]
fn a_session_with_a_certificate_is_not_resumed() {
    let authority = Authority::new("Clients");
    let house = asking(&authority, &[], &[]);
    for (resumption, version) in ways() {
        let mut config = authority.issue("alice").client(version);
        config.resumption = resumption;
        let config = Arc::new(config);
        for _ in 0..3 {
            let client = greeted(&house, config.clone()).expect("a greeting");
            assert_eq!(kind(&client), HandshakeKind::Full);
        }
    }
}

#[test]
fn whoever_is_revoked_meanwhile_is_locked_out_by_a_reload() {
    let authority = Authority::new("Clients");
    let shown = authority.issue("alice");
    let house = asking(&authority, &[authority.revoke(&[], GOOD)], &[]);
    let clients: Vec<_> = ways()
        .into_iter()
        .map(|(resumption, version)| {
            let mut config = shown.client(version);
            config.resumption = resumption;
            Arc::new(config)
        })
        .collect();
    for config in &clients {
        greeted(&house, config.clone()).expect("a greeting");
    }
    let list = authority.revoke(&[&shown], (-1, 24));
    std::fs::write(house.ground.path("0.crl"), list).expect("writing");
    house.signal(Signal::SIGHUP);
    house.logged(&["\"reloaded\""]);
    for config in &clients {
        let refused = greeted(&house, config.clone()).err().expect("a refusal");
        assert!(refused.contains("alert"), "{refused}");
    }
}

#[test]
fn an_old_ticket_gets_a_full_handshake_after_a_reload() {
    let house = asking(&Authority::new("Clients"), &[], &[]);
    let clients: Vec<_> = ways()
        .into_iter()
        .map(|(resumption, version)| {
            let mut config = tls::configure(&[version]);
            config.resumption = resumption;
            let config = Arc::new(config);
            greeted(&house, config.clone()).expect("a greeting");
            config
        })
        .collect();
    let chain = house.ground.path("chain.pem");
    tls::write(tls::NAME, &chain, &house.ground.path("key.pem"));
    house.ground.give_away();
    house.signal(Signal::SIGHUP);
    house.logged(&["\"reloaded\""]);
    for config in clients {
        let client = greeted(&house, config).expect("a greeting");
        assert_eq!(kind(&client), HandshakeKind::Full);
    }
}

#[test]
fn a_list_that_is_no_list_does_not_replace_a_good_one() {
    let authority = Authority::new("Clients");
    let shown = authority.issue("alice");
    let house = asking(&authority, &[authority.revoke(&[], GOOD)], &[]);
    for wrong in ["no list".to_owned(), String::new(), authority.pem()] {
        std::fs::write(house.ground.path("0.crl"), wrong).expect("writing");
        let before = house.log.lock().expect("the log").len();
        house.signal(Signal::SIGHUP);
        until("the refusal", || {
            let log = house.log.lock().expect("the log");
            let mut new = log.iter().skip(before);
            new.any(|line| line.contains("reload refused") && line.contains("0.crl"))
                .then_some(())
        });
    }
    greeted(&house, Arc::new(shown.client(&version::TLS13))).expect("a greeting");
}
