//! A log that cannot be written: it costs records, and never a session or the server.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wire::client::Client;
use crate::wire::clock::{until, within};
use crate::wire::house::Ground;
use crate::wire::play::Connection as _;
use crate::wire::postern::{Setup, users};

/// A server whose log goes where nobody tells us the port, so that the port is chosen before.
struct Muted {
    _ground: Ground,
    address: SocketAddr,
    process: Child,
}

impl Muted {
    fn start(log: impl Into<Stdio>) -> Self {
        let ground = Ground::prepare("two");
        ground.secret("users.toml", &users());
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let listener = format!("[{{ address = \"{address}\", tls = \"none\" }}]");
        let setup = Setup::new().without_tls().set("listener", &listener);
        std::fs::write(ground.path("postern.toml"), setup.toml(&ground)).expect("writing");
        ground.give_away();
        let process = Command::new(env!("CARGO_BIN_EXE_postern"))
            .args(["serve", "--config"])
            .arg(ground.path("postern.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("starting the server");
        until("an open door", || TcpStream::connect(address).ok());
        Self {
            _ground: ground,
            address,
            process,
        }
    }

    fn client(&self) -> Client {
        let mut client = Client::connect(self.address).expect("connecting");
        assert!(client.answer().starts_with("+OK"), "no greeting");
        client
    }

    fn works(&self) {
        let mut client = self.client();
        assert!(client.ask("USER alice").starts_with("+OK"));
        assert!(client.ask("PASS correct horse").starts_with("+OK"));
        assert!(client.ask("STAT").starts_with("+OK 2 "));
        assert!(client.ask("QUIT").starts_with("+OK"));
    }

    fn end(mut self) -> Option<ExitStatus> {
        let pid = Pid::from_raw(i32::try_from(self.process.id()).expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("SIGTERM");
        let ended = within(|| self.process.try_wait().expect("the state of the server"));
        let _ = self.process.kill();
        let _ = self.process.wait();
        ended
    }
}

#[test]
fn a_full_disk_under_the_log_stops_nobody() {
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let server = Muted::start(full);
    server.works();
    // An exchange in the middle of which the client is gone leaves a record as well.
    let mut client = server.client();
    assert_eq!(client.ask("AUTH PLAIN"), "+ ");
    Box::new(client).hang_up(true);
    server.works();
    assert!(server.end().is_some_and(|status| status.success()));
}

#[test]
fn a_reader_of_the_log_that_stops_reading_stops_nobody() {
    let mut server = Muted::start(Stdio::piped());
    let unread = server.process.stderr.take().expect("the log");
    // More records than any pipe holds.
    for _ in 0..800 {
        let mut client = server.client();
        assert!(client.ask("QUIT").starts_with("+OK"));
    }
    server.works();
    assert!(server.end().is_some(), "SIGTERM did not end the server");
    drop(unread);
}
