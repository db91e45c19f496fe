//! `postern demo` as somebody tries it: who closes the terminal afterwards, or has few descriptors.
#![expect(
    clippy::disallowed_types,
    reason = "outside the server: tests start the program"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

/// A running demo, which ends with a test that fails.
struct Demo(Child);

impl Demo {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("a signal");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            self.signal(Signal::SIGTERM);
            let _ = self.0.wait();
        }
    }
}

/// Starts a demo with a limit of file descriptors, and gives what it says until it serves.
fn start(descriptors: u32) -> (Demo, Vec<String>) {
    let demo = Command::new("sh")
        .args(["-c", "ulimit -n \"$1\" && exec \"$0\" demo"])
        .args([env!("CARGO_BIN_EXE_postern"), &descriptors.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the demo starts");
    let mut demo = Demo(demo);
    let mut said = Vec::new();
    let lines = BufReader::new(demo.0.stdout.take().expect("a pipe")).lines();
    for line in lines.map_while(Result::ok) {
        let last = line.starts_with("Ctrl-C ends it");
        said.push(line);
        if last {
            break;
        }
    }
    (demo, said)
}

fn ends_at(signal: Signal) {
    let (mut demo, said) = start(1000);
    let folder = said.last().and_then(|line| {
        let line = line.strip_prefix("Ctrl-C ends it and removes ")?;
        Some(PathBuf::from(line.strip_suffix('.')?))
    });
    let folder = folder.expect("the demo names its folder");
    assert_eq!(mode(&folder), 0o755, "curl of another user needs ca.pem");
    for secret in ["key.pem", "users.toml"] {
        assert_eq!(mode(&folder.join(secret)), 0o600, "{secret}");
    }
    demo.signal(signal);
    let ended = demo.0.wait().expect("the end of the demo");
    assert!(ended.success(), "{signal}: {ended}");
    assert!(!folder.exists(), "{signal}: {} stays", folder.display());
}

/// What the demo prints to be typed works as it is printed.
#[test]
fn the_lines_to_type_work() {
    let (_demo, said) = start(1000);
    let typed = |begin: &str| {
        let line = said
            .iter()
            .find(|line| line.trim_start().starts_with(begin));
        let line = line.expect("a line to type");
        let output = Command::new("sh")
            .args(["-c", line])
            .output()
            .expect("a shell");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let message = typed("curl --cacert");
    assert!(
        message.contains("Subject: Welcome to Postern\r\n"),
        "{message}"
    );
    let listing = typed("curl --ssl-reqd");
    assert_eq!(listing.lines().count(), 3, "{listing}");
}

#[test]
fn a_demo_ends_with_its_terminal() {
    ends_at(Signal::SIGHUP);
}

#[test]
fn a_demo_ends_with_ctrl_c() {
    ends_at(Signal::SIGINT);
}

/// Or the mail of those who are logged in could not be opened.
#[test]
fn strangers_do_not_take_the_last_file_descriptors() {
    const DESCRIPTORS: u32 = 300;
    let (_demo, said) = start(DESCRIPTORS);
    let port = said
        .iter()
        .find_map(|line| line.split("pop3://localhost:").nth(1))
        .and_then(|rest| rest.trim_end_matches('/').parse::<u16>().ok());
    let address = SocketAddr::from(([127, 0, 0, 1], port.expect("a port")));
    let greeting = |_| {
        let client = TcpStream::connect(address).expect("a connection");
        let mut client = BufReader::new(client);
        let mut line = String::new();
        client.read_line(&mut line).expect("a line");
        (client, line)
    };
    let clients: Vec<_> = (0..DESCRIPTORS / 3).map(greeting).collect();
    let served = clients
        .iter()
        .filter(|(_, line)| line.starts_with("+OK"))
        .count();
    // Less than the demo's limit for one address, which is 100.
    assert!((1..80).contains(&served), "{served} were let in");
    let (_, last) = clients.last().expect("clients");
    assert!(last.contains("Too many connections"), "{last}");
}
