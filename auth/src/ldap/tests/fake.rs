//! Servers that do not keep to the protocol, or send us elsewhere.
#![expect(clippy::disallowed_types, reason = "these servers are ours")]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

/// A server that gives one answer to everything, with the request's message number.
struct Fake {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// `answer` makes the octets after the message number of the answer, from the octet that says
    /// what was asked.
    fn start(answer: impl Fn(u8) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("ldap://{}", socket.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&connections);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in socket.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream.unwrap(), &*answer));
            }
        });
        Self { url, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads requests, which are short here: a length in one octet, or in one or two after 0x81 and
/// 0x82.
fn serve(mut stream: TcpStream, answer: &dyn Fn(u8) -> Vec<u8>) {
    loop {
        let mut head = [0; 2];
        match stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return,
            Err(_) => return,
        }
        let mut more = vec![0; usize::from(head[1].saturating_sub(0x80))];
        stream.read_exact(&mut more).unwrap();
        let length = match head[1] {
            short @ 0..0x80 => usize::from(short),
            _ => more
                .iter()
                .fold(0, |length, octet| length << 8 | usize::from(*octet)),
        };
        let mut request = vec![0; length];
        stream.read_exact(&mut request).unwrap();
        // The message number is one octet as long as nobody asks more than 127 times.
        let mut octets = request[..3].to_vec();
        octets.extend(answer(request[3]));
        let mut message = vec![0x30, 0x82];
        message.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
        message.extend(octets);
        if stream.write_all(&message).is_err() {
            return;
        }
    }
}

const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;

fn tagged(tag: u8, octets: &[u8]) -> Vec<u8> {
    let mut all = vec![tag, u8::try_from(octets.len()).unwrap()];
    assert!(octets.len() < 0x80);
    all.extend(octets);
    all
}

/// An LDAPResult with this code, and with referrals if there are any.
fn result(tag: u8, code: u8, text: &str, referral: Option<&str>) -> Vec<u8> {
    let mut octets = vec![0x0a, 1, code, 0x04, 0];
    octets.extend(tagged(0x04, text.as_bytes()));
    if let Some(url) = referral {
        octets.extend(tagged(0xa3, &tagged(0x04, url.as_bytes())));
    }
    tagged(tag, &octets)
}

/// What a bind or a search is answered with when nothing else is said.
fn well(asked: u8) -> Vec<u8> {
    result(if asked == BIND { 0x61 } else { 0x65 }, 0, "", None)
}

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
