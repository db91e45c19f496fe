//! Time at the door: the idle timers, with a clock that jumps instead of waiting.
//!
//! The server and its client live on one runtime whose clock stands still until everybody waits,
//! and then jumps to the next timer; the sockets and the mail are real.
#![expect(clippy::disallowed_types, reason = "the door is where sockets are")]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests look at the clock and write mail"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postern_auth::{Pool, Reason};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep};

use super::{House, Phase};
use crate::{config, serve};

/// `secret`, as libxcrypt hashes it with few rounds.
const HASH: &str = "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2";

const CONFIGURATION: &str = r#"
listener = [{ address = "127.0.0.1:0", tls = "none" }]
login.type = "plain-text"
login.refusal_delay = "0s"
users.file = "users.toml"
maildrop.path = "mail/{name}"
"#;

struct Site {
    folder: TempDir,
    door: std::net::SocketAddr,
    phase: watch::Sender<Phase>,
    house: Arc<House>,
}

impl Site {
    /// A server with one listener, and alice with one message of `octets` octets.
    async fn open(octets: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        furnish(folder.path(), octets);
        let file = folder.path().join("postern.toml");
        let config = config::check(CONFIGURATION, &file, "pop.example.test")
            .unwrap()
            .config;
        let hashing = Arc::new(Pool::new("hash", 1, 8, 8).unwrap());
        let service = serve::assemble(&config, &hashing).unwrap();
        let (phase, seen) = watch::channel(Phase::Open);
        let disk = Pool::new("disk", 1, 8, 8).unwrap();
        let house = Arc::new(House::new(Arc::new(service), disk, seen));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = listener.local_addr().unwrap();
        tokio::spawn(super::accept(listener, 0, Arc::clone(&house)));
        Self {
            folder,
            door,
            phase,
            house,
        }
    }

    /// Says that everybody's account is disabled; without a wake nobody looks at once.
    fn bar(&self, wake: bool) {
        for holding in self.house.seats.all() {
            self.house.seats.bar(&holding, Reason::Disabled);
        }
        if wake {
            self.phase.send_modify(|_| {});
        }
    }

    async fn client(&self) -> BufReader<TcpStream> {
        let mut client = BufReader::new(TcpStream::connect(self.door).await.unwrap());
        assert!(line(&mut client).await.starts_with("+OK "));
        client
    }

    async fn session(&self) -> BufReader<TcpStream> {
        let mut client = self.client().await;
        assert!(ask(&mut client, "USER alice").await.starts_with("+OK"));
        assert!(ask(&mut client, "PASS secret").await.starts_with("+OK"));
        client
    }

    fn mail(&self) -> usize {
        let cur = self.folder.path().join("mail/alice/cur");
        fs::read_dir(cur).unwrap().count()
    }
}

fn furnish(folder: &Path, octets: usize) {
    let users = folder.join("users.toml");
    fs::write(
        &users,
        format!("[[user]]\nname = \"alice\"\npassword = \"{HASH}\"\n"),
    )
    .unwrap();
    fs::set_permissions(&users, fs::Permissions::from_mode(0o600)).unwrap();
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(folder.join("mail/alice").join(part)).unwrap();
    }
    let message = fs::File::create(folder.join("mail/alice/cur/1.a.host:2,")).unwrap();
    message.set_len(octets as u64).unwrap();
}

/// The next line; empty at the end of the stream.
async fn line(client: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    client.read_line(&mut line).await.unwrap();
    line
}

async fn ask(client: &mut BufReader<TcpStream>, command: &str) -> String {
    client
        .write_all(format!("{command}\r\n").as_bytes())
        .await
        .unwrap();
    line(client).await
}

/// Waits for the farewell and the end; returns how long that took, in seconds.
async fn farewell(client: &mut BufReader<TcpStream>) -> u64 {
    let began = Instant::now();
    let last = line(client).await;
    assert!(last.starts_with("-ERR "), "{last:?}");
    assert_eq!(line(client).await, "");
    began.elapsed().as_secs()
}

/// V0002b, V0003a.
#[tokio::test(start_paused = true)]
async fn a_stranger_is_waited_for_a_minute() {
    let site = Site::open(100).await;
    let mut client = site.client().await;
    assert_eq!(farewell(&mut client).await, 60);
}

/// V0002a, V0003b: half an hour after login, and nothing is deleted.
#[tokio::test(start_paused = true)]
async fn a_session_is_waited_for_half_an_hour_and_deletes_nothing() {
    let site = Site::open(100).await;
    let mut client = site.session().await;
    assert!(ask(&mut client, "DELE 1").await.starts_with("+OK"));
    assert_eq!(farewell(&mut client).await, 1800);
    assert_eq!(site.mail(), 1);
}

/// V0002c: every command resets the timer, also one that is none; part of a line does not.
#[tokio::test(start_paused = true)]
async fn a_line_resets_the_timer_and_half_a_line_does_not() {
    let site = Site::open(100).await;
    let mut client = site.client().await;
    for _ in 0..5 {
        sleep(Duration::from_secs(59)).await;
        assert!(ask(&mut client, "XYZZ").await.starts_with("-ERR"));
    }
    let began = Instant::now();
    for _ in 0..5 {
        sleep(Duration::from_secs(11)).await;
        client.write_all(b"N").await.unwrap();
    }
    farewell(&mut client).await;
    assert_eq!(began.elapsed().as_secs(), 60);
}

/// SEC-slow, RFC5034-4u: the timer runs inside an exchange as well.
#[tokio::test(start_paused = true)]
async fn an_exchange_does_not_stop_the_timer() {
    let site = Site::open(100).await;
    let mut client = site.client().await;
    assert_eq!(ask(&mut client, "AUTH PLAIN").await, "+ \r\n");
    assert_eq!(farewell(&mut client).await, 60);
}

/// SEC-slow: a reader that never reads is not served for ever.
#[tokio::test(start_paused = true)]
async fn a_reader_that_never_reads_is_given_up() {
    let site = Site::open(64 << 20).await;
    let mut client = site.session().await;
    let began = Instant::now();
    client.write_all(b"RETR 1\r\n").await.unwrap();
    // Longer than the server waits: its end is noticed before ours.
    sleep(Duration::from_secs(4000)).await;
    let mut octets = 0;
    loop {
        let length = client.fill_buf().await.map_or(0, <[u8]>::len);
        if length == 0 {
            break;
        }
        octets += length;
        client.consume(length);
    }
    assert!(octets < 64 << 20, "the whole message came");
    assert!(began.elapsed() >= Duration::from_secs(4000));
}

/// The server's end: who has not logged in is sent away at once, a session when its time is up.
#[tokio::test(start_paused = true)]
async fn the_end_is_told_to_whoever_is_there() {
    let site = Site::open(100).await;
    let mut stranger = site.client().await;
    let mut session = site.session().await;
    site.phase.send_replace(Phase::Draining);
    assert_eq!(farewell(&mut stranger).await, 0);
    assert!(ask(&mut session, "DELE 1").await.starts_with("+OK"));
    site.phase.send_replace(Phase::Ending);
    assert_eq!(farewell(&mut session).await, 0);
    assert_eq!(site.mail(), 1);
}

/// RFC1939-6b: whoever is shown out is told, at once or at the next command, and deletes nothing; the
/// same account may come back when it may be used again.
#[tokio::test(start_paused = true)]
async fn a_barred_session_ends_without_update() {
    let site = Site::open(100).await;
    for wake in [true, false] {
        let mut session = site.session().await;
        assert!(ask(&mut session, "DELE 1").await.starts_with("+OK"));
        site.bar(wake);
        if !wake {
            session.write_all(b"QUIT\r\n").await.unwrap();
        }
        assert_eq!(farewell(&mut session).await, 0);
        assert_eq!(site.mail(), 1);
        assert!(site.house.seats.all().is_empty());
    }
    drop(site.session().await);
}

/// However long the message is that it was reading.
#[tokio::test(start_paused = true)]
async fn a_barred_session_gets_no_more_of_a_message() {
    let site = Site::open(64 << 20).await;
    let mut session = site.session().await;
    session.write_all(b"RETR 1\r\n").await.unwrap();
    assert_eq!(line(&mut session).await, "+OK\r\n");
    site.bar(true);
    let mut octets = 0;
    loop {
        let length = session.fill_buf().await.map_or(0, <[u8]>::len);
        if length == 0 {
            break;
        }
        octets += length;
        session.consume(length);
    }
    assert!(octets < 64 << 20, "the whole message came");
}

/// Nobody keeps a place before login by saying something now and then.
#[tokio::test(start_paused = true)]
async fn a_login_has_an_end_in_time() {
    let site = Site::open(100).await;
    let mut client = site.client().await;
    let began = Instant::now();
    for _ in 0..10 {
        sleep(Duration::from_secs(59)).await;
        assert!(ask(&mut client, "CAPA").await.starts_with("+OK"));
        while line(&mut client).await != ".\r\n" {}
    }
    farewell(&mut client).await;
    assert_eq!(began.elapsed().as_secs(), 600);
}

/// Nor by always having the next command ready, so that the server never waits.
#[tokio::test(start_paused = true)]
async fn a_login_has_an_end_also_for_who_never_pauses() {
    let site = Site::open(100).await;
    let mut client = site.client().await;
    client.write_all(&b"CAPA\r\n".repeat(100)).await.unwrap();
    advance(Duration::from_secs(601)).await;
    let mut answers = 0;
    let mut last = line(&mut client).await;
    while !last.starts_with("-ERR ") {
        answers += usize::from(last.starts_with("+OK"));
        last = line(&mut client).await;
    }
    assert!(answers < 100, "all commands were answered");
    assert_eq!(line(&mut client).await, "");
}
