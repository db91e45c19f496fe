//! `postern report auth` on the log that a server wrote.

use std::io::Write as _;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::wire::postern::{Setup, start};

/// What the report says of the log of three logins: one in clear text, one under TLS, one refused.
fn report(arguments: &[&str]) -> String {
    let house = start(&Setup::new());
    assert!(house.session("alice").ask("QUIT").starts_with("+OK"));
    let mut safe = house.tls_client();
    assert!(safe.ask("USER paula").starts_with("+OK"));
    assert!(safe.ask("PASS two of us").starts_with("+OK"));
    let mut wrong = house.client();
    assert!(wrong.ask("USER alice\"account=\"root").starts_with("+OK"));
    assert!(wrong.ask("PASS wrong").starts_with("-ERR"));
    house.logged(&["unknown-user"]);
    let log = house.log.lock().expect("the log").join("\n");
    house.signal(Signal::SIGTERM);
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["report", "auth"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(log.as_bytes()).expect("writing");
    drop(input);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_password_in_clear_text_is_reported() {
    let said = report(&[]);
    assert!(said.starts_with("3 attempts"), "{said}");
    let clear = said
        .split_once("Passwords in clear text")
        .expect("a table")
        .1;
    let rows: Vec<_> = clear.lines().skip(2).collect();
    assert_eq!(rows.len(), 1, "{said}");
    let cells: Vec<_> = rows[0].split_whitespace().collect();
    assert_eq!(cells[..4], ["alice", "127.0.0.1", "USER", "1"], "{said}");
}

#[test]
fn the_report_is_there_for_programs_too() {
    let said = report(&["--json", "--since", "1h"]);
    assert!(said.contains(r#""attempts":3"#), "{said}");
    assert!(
        said.contains(r#""kind":"cleartext","account":"alice""#),
        "{said}"
    );
    let said = report(&["--json", "--since", "0s"]);
    assert!(said.contains(r#""attempts":0"#), "{said}");
}
