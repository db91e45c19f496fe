//! `postern demo` as somebody tries it who closes the terminal afterwards.
#![expect(
    clippy::disallowed_types,
    reason = "outside the server: tests start the program"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn ends_at(signal: Signal) {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_postern"))
        .arg("demo")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the demo starts");
    let said = BufReader::new(demo.stdout.take().expect("a pipe"));
    let folder = said
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            let folder = line
                .strip_prefix("Ctrl-C ends it and removes ")?
                .strip_suffix('.')?;
            Some(PathBuf::from(folder))
        })
        .expect("the demo names its folder");
    assert_eq!(mode(&folder), 0o755, "curl of another user needs ca.pem");
    for secret in ["key.pem", "users.toml"] {
        assert_eq!(mode(&folder.join(secret)), 0o600, "{secret}");
    }
    let pid = i32::try_from(demo.id()).expect("a process id");
    kill(Pid::from_raw(pid), signal).expect("a signal");
    let ended = demo.wait().expect("the end of the demo");
    assert!(ended.success(), "{signal}: {ended}");
    assert!(!folder.exists(), "{signal}: {} stays", folder.display());
}

#[test]
fn a_demo_ends_with_its_terminal() {
    ends_at(Signal::SIGHUP);
}

#[test]
fn a_demo_ends_with_ctrl_c() {
    ends_at(Signal::SIGINT);
}
