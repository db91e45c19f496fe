//! Servers that do not keep to the protocol, or send us elsewhere.

use std::io::{Read, Write};
use std::sync::mpsc;

use super::fake::{BIND, EXTENDED, Fake, SEARCH, message, request, result, tagged, well};
use super::*;

#[tokio::test]
async fn a_referral_is_trouble_and_nobody_goes_there() {
    let trap = Fake::start(well);
    let there = format!("{}/{BASE}", trap.url);
    let url = there.clone();
    let searching = Fake::start(move |asked| match asked {
        SEARCH => result(0x65, 10, "elsewhere", Some(&url)),
        _ => well(asked),
    });
    let looking = directory(settings(std::slice::from_ref(&searching.url)));
    assert_eq!(
        looking.login("alice", "right").await,
        Err(Unavailable::Trouble)
    );

    // At the bind of a user, and at that of the service account.
    let binding = Fake::start(move |asked| match asked {
        BIND => result(0x61, 10, "elsewhere", Some(&there)),
        _ => well(asked),
    });
    let directory = directory(settings(std::slice::from_ref(&binding.url)));
    let account = Account {
        entry: Some(SERVICE.into()),
        ..Account::default()
    };
    let password = Secret::new(b"right".to_vec());
    let verdict = directory.verify(Some(&account), &password, CLIENT).await;
    assert_eq!(verdict, Err(Unavailable::Trouble));
    assert_eq!(
        directory.login("alice", "right").await,
        Err(Unavailable::Trouble)
    );

    assert_eq!(trap.connections(), 0);
    assert!(searching.connections() > 0 && binding.connections() > 0);
}

#[tokio::test]
async fn references_beside_the_entries_are_left_alone() {
    let trap = Fake::start(well);
    let url = trap.url.clone();
    let fake = Fake::start(move |asked| match asked {
        // A reference alone: the search goes on until the deadline, and nobody goes there.
        SEARCH => tagged(0x73, &tagged(0x04, url.as_bytes())),
        _ => well(asked),
    });
    let mut settings = settings(std::slice::from_ref(&fake.url));
    settings.timeout = Duration::from_millis(300);
    let directory = directory(settings);
    assert_eq!(
        directory.login("alice", "right").await,
        Err(Unavailable::Trouble)
    );
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn what_is_not_ldap_is_trouble_and_no_more() {
    for octets in [
        // A result without its parts, an operation that is none, a number where a text belongs.
        vec![0x61, 0],
        vec![0x7f, 1, 0],
        vec![0x65, 3, 0x02, 1, 0],
        vec![0x04, 0],
        vec![0x64, 2, 0x30, 0],
        vec![0x61, 7, 0x0a, 1, 0, 0x04, 0, 0x30, 0],
    ] {
        let sent = octets.clone();
        let fake = Fake::start(move |_| sent.clone());
        let mut settings = settings(std::slice::from_ref(&fake.url));
        settings.timeout = Duration::from_millis(500);
        let bound = directory(settings.clone());
        settings.service = ServiceAccount::Anonymous;
        let unbound = directory(settings);
        let account = Account {
            entry: Some(SERVICE.into()),
            ..Account::default()
        };
        let password = Secret::new(b"right".to_vec());
        assert_eq!(
            bound.account("alice").await.err(),
            Some(Unavailable::Trouble),
            "{octets:x?}"
        );
        assert_eq!(
            unbound.account("alice").await.err(),
            Some(Unavailable::Trouble),
            "{octets:x?}"
        );
        let verdict = unbound.verify(Some(&account), &password, CLIENT).await;
        assert_eq!(verdict, Err(Unavailable::Trouble), "{octets:x?}");
    }
}

/// Whether StartTLS is refused, or granted with something behind it that was not said under TLS:
/// the next thing that the server hears is the beginning of TLS, or nothing.
#[tokio::test]
async fn nothing_is_said_in_the_clear_where_tls_is_wanted() {
    let bound = message(&[0x02, 1, 2], &well(BIND));
    for (code, behind) in [(52, Vec::new()), (0, Vec::new()), (0, bound)] {
        let (tell, told) = mpsc::channel();
        let fake = Fake::serving(move |mut stream| {
            let asked = request(&mut stream).unwrap();
            assert_eq!(asked.operation, EXTENDED);
            let answer = message(&asked.number, &result(0x78, code, "", None));
            stream
                .write_all(&[answer, behind.clone()].concat())
                .unwrap();
            let mut octets = Vec::new();
            let _ = stream.read_to_end(&mut octets);
            let _ = tell.send(octets);
        });
        let mut settings = settings(&[]);
        settings.servers = vec![LdapServer::parse(&fake.url, true).unwrap()];
        settings.timeout = Duration::from_millis(500);
        let directory = directory(settings);
        let answer = directory.login("alice", "right").await;
        assert_eq!(answer, Err(Unavailable::Trouble));
        let heard = tokio::task::spawn_blocking(move || told.recv_timeout(WITHIN));
        let heard = heard.await.unwrap().unwrap();
        // A handshake record of TLS, after a yes.
        assert_eq!(heard.first(), (code == 0).then_some(&0x16));
        for secret in [SERVICE.as_bytes(), b"service"] {
            assert!(!heard.windows(secret.len()).any(|octets| octets == secret));
        }
    }
}

/// Some servers take any name for an empty password. The answer to a bind of ours is never theirs
/// to give, as no such bind is made.
#[tokio::test]
async fn a_server_that_says_yes_to_everything_is_never_asked_with_nothing() {
    let fake = Fake::start(well);
    let mut settings = settings(std::slice::from_ref(&fake.url));
    settings.service = ServiceAccount::Anonymous;
    let directory = directory(settings);
    let account = Account {
        entry: Some(SERVICE.into()),
        ..Account::default()
    };
    for password in [b"".as_slice(), b" ", b"\0", b"\xff"] {
        let password = Secret::new(password.to_vec());
        let verdict = directory.verify(Some(&account), &password, CLIENT).await;
        assert_eq!(verdict, Ok(Verdict::Wrong));
    }
    assert_eq!(fake.connections(), 0);
    // Nobody's name is refused, whatever the server says to it.
    let password = Secret::new(b"right".to_vec());
    assert_eq!(
        directory.verify(None, &password, CLIENT).await,
        Ok(Verdict::Wrong)
    );
    assert_eq!(fake.connections(), 1);
}

#[tokio::test]
async fn a_server_that_sends_more_than_was_asked_for_is_not_listened_to() {
    let mut entry = tagged(0x04, b"uid=x");
    entry.extend(tagged(0x30, &[]));
    let entry = tagged(0x64, &entry);
    let fake = Fake::start(move |asked| match asked {
        SEARCH => entry.clone(),
        _ => well(asked),
    });
    // One entry and no end: no account, within the deadline.
    let mut settings = settings(std::slice::from_ref(&fake.url));
    settings.timeout = Duration::from_millis(300);
    let directory = directory(settings);
    assert_eq!(
        directory.account("alice").await.err(),
        Some(Unavailable::Trouble)
    );
}

/// Directories lock accounts: one that was refused is not tried again as soon as a server that is
/// merely gone.
#[tokio::test]
async fn a_service_account_that_was_refused_is_not_tried_again_at_once() {
    for (code, tried) in [(49, 1..2), (51, 2..9)] {
        let fake = Fake::start(move |asked| match asked {
            BIND => result(0x61, code, "no", None),
            _ => well(asked),
        });
        let directory = directory(settings(std::slice::from_ref(&fake.url)));
        for _ in 0..3 {
            let answer = directory.login("alice", "right").await;
            assert_eq!(answer, Err(Unavailable::Trouble));
        }
        // The background looks at a server that is busy after a quarter of a second.
        tokio::time::sleep(Duration::from_millis(900)).await;
        let seen = fake.connections();
        assert!(tried.contains(&seen), "code {code}: {seen}");
    }
}
