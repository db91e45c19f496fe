//! A server of directories that does what a test wants, on loopback.
#![expect(clippy::disallowed_types, reason = "these servers are ours")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Where it is, and how often it was connected to.
pub(super) struct Fake {
    pub(super) url: String,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    /// One that gives one answer to everything. `answer` makes the octets after the message number,
    /// from the octet that says what was asked.
    pub(super) fn start(answer: impl Fn(u8) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::serving(move |mut stream| {
            while let Some(asked) = request(&mut stream) {
                let octets = message(&asked.number, &answer(asked.operation));
                if stream.write_all(&octets).is_err() {
                    return;
                }
            }
        })
    }

    /// One that does this with each connection.
    pub(super) fn serving(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("ldap://{}", socket.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&connections);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in socket.incoming() {
                seen.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream.unwrap()));
            }
        });
        Self { url, connections }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// What was asked.
pub(super) struct Asked {
    /// The message number, as an element. It is one octet as long as nobody asks more than 127 times.
    pub(super) number: [u8; 3],
    /// [`BIND`], [`SEARCH`] or [`EXTENDED`].
    pub(super) operation: u8,
}

/// Reads a request, which is short here: a length in one octet, or in one or two after 0x81 and
/// 0x82. None when the client is gone.
pub(super) fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut more = vec![0; usize::from(head[1].saturating_sub(0x80))];
    stream.read_exact(&mut more).ok()?;
    let length = match head[1] {
        short @ 0..=0x7f => usize::from(short),
        _ => more
            .iter()
            .fold(0, |length, octet| length << 8 | usize::from(*octet)),
    };
    let mut request = vec![0; length];
    stream.read_exact(&mut request).ok()?;
    Some(Asked {
        number: request[..3].try_into().unwrap(),
        operation: request[3],
    })
}

/// A message with this number, of less than 64 KiB.
pub(super) fn message(number: &[u8], operation: &[u8]) -> Vec<u8> {
    let octets = [number, operation].concat();
    let mut message = vec![0x30, 0x82];
    message.extend(u16::try_from(octets.len()).unwrap().to_be_bytes());
    message.extend(octets);
    message
}

/// The tag of a bind request.
pub(super) const BIND: u8 = 0x60;
/// The tag of a search request.
pub(super) const SEARCH: u8 = 0x63;

/// The tag of an extended request.
pub(super) const EXTENDED: u8 = 0x77;

/// An element of less than 128 octets.
pub(super) fn tagged(tag: u8, octets: &[u8]) -> Vec<u8> {
    let mut all = vec![tag, u8::try_from(octets.len()).unwrap()];
    assert!(octets.len() < 0x80);
    all.extend(octets);
    all
}

/// An LDAPResult with this code, and with referrals if there are any.
pub(super) fn result(tag: u8, code: u8, text: &str, referral: Option<&str>) -> Vec<u8> {
    let mut octets = vec![0x0a, 1, code, 0x04, 0];
    octets.extend(tagged(0x04, text.as_bytes()));
    if let Some(url) = referral {
        octets.extend(tagged(0xa3, &tagged(0x04, url.as_bytes())));
    }
    tagged(tag, &octets)
}

/// What a bind or a search is answered with when nothing else is said.
pub(super) fn well(asked: u8) -> Vec<u8> {
    result(if asked == BIND { 0x61 } else { 0x65 }, 0, "", None)
}
