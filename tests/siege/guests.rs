//! Sessions of every kind: how people come, what they do, and how they leave.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::client::Resumption;
use rustls::{ClientConfig, HandshakeKind, version};

use crate::wire::client::Client;
use crate::wire::fixture;
use crate::wire::house::House;
use crate::wire::play::Connection as _;
use crate::wire::postern::Setup;
use crate::wire::tls;

/// Those whose maildrops are empty but for what a test delivers; each works for one thread.
pub(crate) const NAMES: [&str; 4] = ["alice", "dan", "blanks", "administrator"];

/// A message that is longer than what the sockets of a connection hold in the beginning.
const LARGE: usize = 400_000;

/// A setup in which guests are held up by nothing but the server's work.
pub(crate) fn setup() -> Setup {
    Setup::new()
        .maildrop("empty")
        .set("login.attempts", "100")
        .set("login.failures_per_source", "0")
        .set("login.failures_per_account", "0")
        .set("limits.max_connections_per_user", "100")
}

/// One who comes again and again, always from one address and for one account.
pub(crate) struct Guest<'a> {
    house: &'a House,
    source: Ipv4Addr,
    user: &'static fixture::User,
    maildir: PathBuf,
    full: Arc<ClientConfig>,
    tickets_13: Arc<ClientConfig>,
    tickets_12: Arc<ClientConfig>,
    resumed: AtomicUsize,
}

/// What a guest can do, by name.
type Kind = (&'static str, fn(&Guest<'_>));

/// Every kind of session.
const KINDS: [Kind; 13] = [
    ("plain", |guest| guest.stat(guest.clear())),
    ("stls", |guest| guest.stat(guest.stls())),
    ("implicit", |guest| guest.stat(guest.implicit(&guest.full))),
    ("resumed 1.3", |guest| {
        guest.stat(guest.resumed(&guest.tickets_13))
    }),
    ("resumed 1.2", |guest| {
        guest.stat(guest.resumed(&guest.tickets_12))
    }),
    ("fetched and deleted", |guest| guest.fetch(guest.clear())),
    ("the same under tls", |guest| {
        guest.fetch(guest.implicit(&guest.tickets_13));
    }),
    ("aborted", |guest| guest.abort()),
    ("refused", |guest| guest.refused()),
    ("dropped before login", |guest| drop(guest.clear())),
    ("dropped in a message", |guest| guest.drop_in_message()),
    ("dropped when marked", |guest| guest.drop_when_marked()),
    ("no handshake", |guest| guest.no_handshake()),
];

impl<'a> Guest<'a> {
    /// The guest of this number; one message too long for the sockets waits from the start.
    pub(crate) fn new(house: &'a House, number: usize) -> Self {
        let user = fixture::USERS
            .iter()
            .find(|user| user.name == NAMES[number])
            .expect("a user of the fixture");
        let maildir = house.ground.maildir(user.name);
        fixture::deliver(&maildir, &letter(LARGE), next());
        let mut full = tls::client_with(&[]);
        full.resumption = Resumption::disabled();
        Self {
            house,
            source: Ipv4Addr::new(127, 0, 1, u8::try_from(number + 1).expect("few guests")),
            user,
            maildir,
            full: Arc::new(full),
            tickets_13: Arc::new(tls::client_with(&[])),
            tickets_12: tls::client_of(&version::TLS12),
            resumed: AtomicUsize::new(0),
        }
    }

    /// The session whose turn it is.
    pub(crate) fn come(&self, turn: usize) {
        let (_, kind) = KINDS[turn % KINDS.len()];
        kind(self);
    }

    /// How many handshakes were resumed.
    pub(crate) fn resumptions(&self) -> usize {
        self.resumed.load(Ordering::Relaxed)
    }

    fn connect(&self, to: SocketAddr) -> Client {
        let stream = crate::connect_from(self.source, to).expect("connecting");
        Client::from_stream(stream).expect("a client")
    }

    fn clear(&self) -> Client {
        let mut client = self.connect(self.house.clear);
        assert!(client.answer().starts_with("+OK"), "no greeting");
        client
    }

    fn stls(&self) -> Client {
        let mut client = self.clear().with_tls(self.full.clone());
        assert!(client.ask("STLS").starts_with("+OK"));
        client.start_tls().expect("a handshake");
        client
    }

    fn implicit(&self, config: &Arc<ClientConfig>) -> Client {
        let mut client = self.connect(self.house.implicit).with_tls(config.clone());
        client.start_tls().expect("a handshake");
        assert!(client.answer().starts_with("+OK"), "no greeting");
        client
    }

    fn resumed(&self, config: &Arc<ClientConfig>) -> Client {
        let client = self.implicit(config);
        let kind = client
            .session()
            .and_then(|session| session.handshake_kind());
        if kind == Some(HandshakeKind::Resumed) {
            self.resumed.fetch_add(1, Ordering::Relaxed);
        }
        client
    }

    fn log_in(&self, client: &mut Client) {
        assert!(
            client
                .ask(&format!("USER {}", self.user.name))
                .starts_with("+OK")
        );
        let answer = client.ask(&format!("PASS {}", self.user.password));
        assert!(answer.starts_with("+OK"), "{} got {answer}", self.user.name);
    }

    fn stat(&self, mut client: Client) {
        self.log_in(&mut client);
        assert!(client.ask("STAT").starts_with("+OK 1 "));
        quit(client);
    }

    /// A message comes, is fetched octet by octet, and is deleted.
    fn fetch(&self, mut client: Client) {
        let number = next();
        let letter = letter(200 + number * 7919 % 60_000);
        fixture::deliver(&self.maildir, &letter, number);
        self.log_in(&mut client);
        assert!(client.ask("RETR 2").starts_with("+OK"), "no second message");
        let lines = String::from_utf8_lossy(&letter);
        assert!(client.list().iter().eq(lines.lines()), "a wrong octet");
        assert!(client.ask("DELE 2").starts_with("+OK"));
        quit(client);
    }

    fn abort(&self) {
        let mut client = self.clear();
        assert_eq!(client.ask("AUTH PLAIN"), "+ ");
        assert!(client.ask("*").starts_with("-ERR"));
        assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    }

    fn refused(&self) {
        let mut client = self.clear();
        assert!(
            client
                .ask(&format!("USER {}", self.user.name))
                .starts_with("+OK")
        );
        assert!(client.ask("PASS wrong").starts_with("-ERR"));
        quit(client);
    }

    fn drop_in_message(&self) {
        let mut client = self.clear();
        self.log_in(&mut client);
        assert!(client.ask("RETR 1").starts_with("+OK"));
        Box::new(client).hang_up(true);
    }

    fn drop_when_marked(&self) {
        let mut client = self.clear();
        self.log_in(&mut client);
        assert!(client.ask("DELE 1").starts_with("+OK"));
    }

    fn no_handshake(&self) {
        let mut client = self.connect(self.house.implicit);
        client.send(b"CAPA\r\n").expect("sending");
        let _ = client.answer();
    }
}

fn quit(mut client: Client) {
    assert!(client.ask("QUIT").starts_with("+OK"));
}

/// No two messages of one number.
fn next() -> usize {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// A message of about this length, of lines of all lengths up to 77; none begins with a dot.
pub(crate) fn letter(octets: usize) -> Vec<u8> {
    let lines: String = (0..77)
        .map(|line| format!("{line:>width$}\n", width = line + 1))
        .collect();
    let head = "From: ann@example.test\nSubject: siege\n\n";
    let copies = octets.saturating_sub(head.len()).div_ceil(lines.len());
    let mut letter = [head, &lines.repeat(copies)].concat().into_bytes();
    letter.truncate(octets.max(head.len() + 1));
    letter.push(b'\n');
    letter
}
