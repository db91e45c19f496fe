//! Sockets handed over by systemd: the server listens on what it is given, on every core.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wire::client::Client;
use crate::wire::clock::{until, within};
use crate::wire::house::Ground;
use crate::wire::postern::{Setup, users};

/// Starts the server as the child of a program that binds one socket for it.
fn activate(ground: &Ground, setup: &Setup) -> (Child, u16) {
    ground.secret("users.toml", &users());
    std::fs::write(ground.path("postern.toml"), setup.toml(ground)).expect("writing");
    ground.give_away();
    let mut child = Command::new("python3")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/door/activate.py"
        ))
        .args([env!("CARGO_BIN_EXE_postern"), "serve", "--config"])
        .arg(ground.path("postern.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starting the server");
    let mut port = String::new();
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    said.read_line(&mut port).expect("a port");
    (child, port.trim().parse().expect("a number"))
}

#[test]
fn a_socket_of_systemd_is_served() {
    let ground = Ground::prepare("two");
    let (mut server, port) = activate(&ground, &Setup::new().without_tls());
    // More connections than cores, so that every thread has its turn at the one queue.
    for _ in 0..8 {
        let mut client = until("a greeting", || {
            let mut client = Client::connect(([127, 0, 0, 1], port).into()).ok()?;
            client.answer().starts_with("+OK").then_some(client)
        });
        assert!(client.ask("USER alice").starts_with("+OK"));
        assert!(client.ask("PASS correct horse").starts_with("+OK"));
    }
    let pid = Pid::from_raw(i32::try_from(server.id()).expect("a process id"));
    kill(pid, Signal::SIGTERM).expect("SIGTERM");
    let ended = within(|| server.try_wait().expect("the state of the server"));
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}

#[test]
fn another_number_of_sockets_is_refused_with_the_remedy() {
    let ground = Ground::prepare("two");
    let (mut server, _) = activate(&ground, &Setup::new());
    let ended = within(|| server.try_wait().expect("the state of the server"));
    assert!(ended.is_some_and(|status| !status.success()), "{ended:?}");
    let mut said = String::new();
    let mut log = server.stderr.take().expect("the log");
    log.read_to_string(&mut said).expect("its text");
    assert!(said.contains("ListenStream="), "{said}");
}
